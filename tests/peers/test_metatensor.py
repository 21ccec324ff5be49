"""MONAI's MetaTensor, which its pipelines hand to every loss, is a tensor like others."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import BCEDiceLoss, DiceCELoss, InputValueError, LovaszSoftmaxLoss, Masked
from lossary_losses._core import streaming

MetaTensor = pytest.importorskip("monai.data").MetaTensor


def test_labels_outside_the_classes():
    """A label outside the classes is refused in a MetaTensor as well."""
    with pytest.raises(InputValueError, match="label 9"):
        LovaszSoftmaxLoss()(torch.randn(2, 4, 6, 6), MetaTensor(torch.full((2, 6, 6), 9)))


def test_an_image_of_255():
    """A mask of 0 and 255 is refused in a MetaTensor as well."""
    with pytest.raises(InputValueError, match="divide a mask of 0 and 255 by 255"):
        BCEDiceLoss()(MetaTensor(torch.zeros(1, 1, 2)), MetaTensor(torch.tensor([[[0.0, 255.0]]])))


def test_nothing_counts():
    """A MetaTensor as a mask may leave nothing."""
    mask = MetaTensor(torch.zeros(2, 6, 6, dtype=torch.bool))
    target = MetaTensor(torch.zeros(2, 6, 6, dtype=torch.long))
    assert Masked(nn.CrossEntropyLoss())(MetaTensor(torch.randn(2, 4, 6, 6)), target, mask=mask) == 0


def test_large_inputs(monkeypatch):
    """Value and gradient of a MetaTensor that is computed part by part are those of its values."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": 60})
    input, target = torch.randn(2, 4, 6, 6), torch.randint(0, 4, (2, 6, 6))
    plain = input.clone().requires_grad_()
    expected = DiceCELoss()(plain, target)
    expected.backward()
    meta = MetaTensor(input.clone()).requires_grad_()
    value = DiceCELoss()(meta, MetaTensor(target))
    value.backward()
    assert_close(value, expected)
    assert_close(torch.Tensor(meta.grad), plain.grad)
