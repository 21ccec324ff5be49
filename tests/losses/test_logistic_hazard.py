"""The logistic hazard loss against the likelihood in NumPy, bin by bin."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, LogisticHazardLoss


def formula(logits, bins, event):
    """Write the likelihood of one row after the other down."""
    values = []
    for row, last, happened in zip(logits, bins, event, strict=True):
        hazard = 1 / (1 + np.exp(-row))
        likelihood = np.prod(1 - hazard[:last]) * (hazard[last] if happened else 1 - hazard[last])
        values.append(-np.log(likelihood))
    return torch.tensor(np.array(values))


def draw(rows=8, bins=5):
    """Draw logits, bins, the first and the last among them, and events."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, bins, generator=generator, dtype=torch.float64).requires_grad_()
    target = torch.randint(0, bins, (rows,), generator=generator)
    target[0], target[1], target[2] = 0, bins - 1, bins - 1
    event = torch.rand(rows, generator=generator) < 0.5
    event[0], event[1], event[2] = True, True, False
    return logits, target, event


@pytest.mark.parametrize("all_the_same", [None, True, False], ids=["some", "all events", "all censored"])
def test_it_is_the_formula(all_the_same):
    """Each row has the likelihood of its bins, in the first and the last bin and without any event too."""
    logits, bins, event = draw()
    event = event if all_the_same is None else torch.full_like(event, all_the_same)
    value = LogisticHazardLoss(reduction="none")(logits, bins, event=event)
    assert_close(value.detach(), formula(logits.detach().numpy(), bins.numpy(), event.numpy()))


def test_everyone_has_an_event_unless_told_otherwise():
    """Without events given there is one in each row; they may be numbers of any dtype."""
    logits, bins, event = draw()
    assert_close(LogisticHazardLoss()(logits, bins), LogisticHazardLoss()(logits, bins, event=torch.ones(8)))
    value = LogisticHazardLoss()(logits, bins, event=event)
    for dtype in (torch.float16, torch.int32, torch.uint8):
        assert_close(LogisticHazardLoss()(logits, bins.to(torch.uint8), event=event.to(dtype)), value)


def test_later_bins_have_no_part():
    """Bins after the last that was seen may hold anything, and have a gradient of zero."""
    logits, bins, event = draw()
    later = torch.arange(5) > bins.unsqueeze(1)
    spoiled = logits.detach().masked_fill(later, 1e9).requires_grad_()
    value = LogisticHazardLoss()(spoiled, bins, event=event)
    assert_close(value, LogisticHazardLoss()(logits, bins, event=event))
    assert (torch.autograd.grad(value, spoiled)[0][later] == 0).all()


@pytest.mark.parametrize("happened", [True, False])
def test_certainty_that_is_wrong(happened):
    """In float32 a hazard that is wrong by 1e4 costs 1e4, and has a gradient of one."""
    logits = torch.tensor([[-1e4, -1e4 if happened else 1e4]], requires_grad=True)
    value = LogisticHazardLoss()(logits, torch.tensor([1]), event=torch.tensor([happened]))
    assert_close(value.item(), 1e4)
    assert torch.autograd.grad(value, logits)[0][0, 1].abs() == 1


def test_a_mask_may_hide_anything():
    """A masked row may have an impossible bin and event, and hold NaN."""
    logits, bins, event = draw()
    kept = torch.arange(8) % 3 != 1
    value = LogisticHazardLoss()(
        torch.where(kept.unsqueeze(1), logits, torch.nan),
        torch.where(kept, bins, -7),
        event=torch.where(kept, event.int(), 9),
        mask=kept,
    )
    assert_close(value, LogisticHazardLoss()(logits[kept], bins[kept], event=event[kept]))


def test_impossible_bins():
    """A bin that is none of the input's is named, and so are bins that are floats."""
    logits, bins, event = draw()
    for wrong in (5, -1):
        with pytest.raises(InputValueError, match=rf"target must hold values from 0 to 4; .*{wrong}"):
            LogisticHazardLoss()(logits, torch.full_like(bins, wrong), event=event)
    with pytest.raises(InputTypeError, match="target must hold integers"):
        LogisticHazardLoss()(logits, bins.float(), event=event)
