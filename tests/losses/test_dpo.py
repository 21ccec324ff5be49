"""Direct preference optimisation against the formula in NumPy, and the identities that it has."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import CrossEntropyLoss, DPOLoss, InputTypeError, InputValueError, define_loss
from lossary_losses.preference.pair import ReferredPairLoss


@pytest.fixture
def pairs():
    """Log-probabilities of two answers, which is preferred, and a reference."""
    generator = torch.Generator().manual_seed(0)
    input, reference = (-100 * torch.rand(8, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    return input.requires_grad_(), torch.randint(0, 2, (8,), generator=generator), reference


def formula(chosen, rejected, beta):
    """Write the paper's equation 7 down, of gains over the reference."""
    return np.logaddexp(0, -beta * (chosen - rejected))


@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_it_is_the_formula(pairs, beta):
    """Each pair costs the surprise of the formula, whichever of the two is preferred."""
    input, target, reference = pairs
    gains = (input - reference).detach().numpy()
    index = np.arange(8)
    expected = formula(gains[index, target], gains[index, 1 - target.numpy()], beta)
    value = DPOLoss(beta=beta, reduction="none")(input, target, reference=reference)
    assert_close(value.detach(), torch.from_numpy(expected))


@pytest.mark.parametrize("flipped", [0.0, 0.1, 0.5])
def test_conservative(pairs, flipped):
    """Probabilities as targets, (1 - e, e), are the conservative form: both outcomes, as likely as said."""
    input, target, reference = pairs
    gains = (input - reference).detach().numpy()
    index, chosen = np.arange(8), target.numpy()
    right = formula(gains[index, chosen], gains[index, 1 - chosen], 0.1)
    wrong = formula(gains[index, 1 - chosen], gains[index, chosen], 0.1)
    likely = functional.one_hot(target, 2) * (1 - 2 * flipped) + flipped
    value = DPOLoss(reduction="none")(input, likely, reference=reference)
    assert_close(value.detach(), torch.from_numpy((1 - flipped) * right + flipped * wrong))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_it_is_cross_entropy(pairs, smoothing):
    """It is the cross entropy of two classes whose logits are scaled gains; smoothing of 2e flips with e."""
    input, target, reference = pairs
    likely = functional.one_hot(target, 2) * (1 - smoothing) + smoothing / 2
    ours = DPOLoss()(input, likely, reference=reference)
    for theirs in (
        functional.cross_entropy(0.1 * (input - reference), target, label_smoothing=smoothing),
        CrossEntropyLoss(label_smoothing=smoothing)(0.1 * (input - reference), target),
    ):
        assert_close(ours, theirs)
        gradients = (torch.autograd.grad(each, input, retain_graph=True) for each in (ours, theirs))
        assert_close(*gradients)


def test_symmetries(pairs):
    """Swapping both answers with the target, and adding the same to both, changes nothing."""
    input, target, reference = pairs
    expected = DPOLoss()(input, target, reference=reference)
    assert_close(DPOLoss()(input.flip(1), 1 - target, reference=reference.flip(1)), expected)
    shift = torch.linspace(-1000, 1000, 8, dtype=torch.float64).unsqueeze(1)
    assert_close(DPOLoss()(input + shift, target, reference=reference), expected)
    assert_close(DPOLoss()(input, target, reference=reference + shift), expected)


def test_no_reference(pairs):
    """Without a reference it is one of zeros."""
    input, target, reference = pairs
    assert_close(DPOLoss()(input, target), DPOLoss()(input, target, reference=torch.zeros_like(reference)))


def test_the_reference_is_held(pairs):
    """The reference has no gradient, even where it could have one."""
    input, target, reference = pairs
    reference.requires_grad_()
    DPOLoss()(input, target, reference=reference).backward()
    assert reference.grad is None


@pytest.mark.parametrize("margin", [-1e5, -890.0, 890.0, 1e5])
def test_large_margins(margin):
    """Margins at which an exponential overflows cost what the formula says, and have its gradient."""
    input = torch.tensor([[margin, 0.0]], requires_grad=True)
    value = DPOLoss(beta=1.0)(input, torch.tensor([0]))
    assert_close(value.item(), max(0.0, -margin))
    assert_close(torch.autograd.grad(value, input)[0], torch.tensor([[-1.0, 1.0]]) * (margin < 0))


def test_an_impossible_answer():
    """A log-probability of minus infinity, of the policy, the reference or both, makes no NaN."""
    input = torch.tensor([[-torch.inf, -3.0], [-torch.inf, -torch.inf]], requires_grad=True)
    reference = torch.tensor([[-2.0, -torch.inf], [-torch.inf, -4.0]])
    for given in ({}, {"reference": reference}):
        value = DPOLoss(reduction="none")(input, torch.tensor([0, 1]), **given)
        assert value.isfinite().all()
        assert torch.autograd.grad(value.sum(), input)[0].isfinite().all()


def test_a_mask_hides_the_reference_too(pairs):
    """A masked pair may have NaN in its reference, and gets no gradient."""
    input, target, reference = pairs
    kept = torch.arange(8) % 3 != 0
    reference = reference.masked_fill(~kept.unsqueeze(1), float("nan"))
    value = DPOLoss()(input, target, reference=reference, mask=kept)
    assert_close(value, DPOLoss()(input[kept], target[kept], reference=reference[kept]))
    assert (torch.autograd.grad(value, input)[0][~kept] == 0).all()


def test_packed_batches_add_up(pairs):
    """One pair and seven, as fractions, are the eight: the mean of their means is not."""
    input, target, reference = pairs
    first, rest = (
        DPOLoss().fraction(input[part], target[part], reference=reference[part])
        for part in (slice(0, 1), slice(1, 8))
    )
    value = (first.numerator + rest.numerator) / (first.denominator + rest.denominator)
    assert_close(value, DPOLoss()(input, target, reference=reference))


def test_many_pairs(pairs):
    """So many pairs that they are computed in parts have the mean and the gradient of the formula."""
    generator = torch.Generator().manual_seed(1)
    input = torch.randn(200_000, 2, generator=generator, requires_grad=True)
    target = torch.randint(0, 2, (200_000,), generator=generator)
    ours, theirs = DPOLoss()(input, target), functional.cross_entropy(0.1 * input, target)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(ours, input), torch.autograd.grad(theirs, input))


def test_half_precision_of_the_difference():
    """Log-probabilities in half precision are subtracted in float32, where differences have their digits."""
    input = torch.tensor([[-1000.0, -1001.0]], dtype=torch.bfloat16)
    reference = torch.tensor([[-1000.5, -1000.25]])
    expected = DPOLoss()(input.float(), torch.tensor([0]), reference=reference)
    assert_close(DPOLoss()(input, torch.tensor([0]), reference=reference), expected)


@pytest.mark.parametrize("shape", [(8,), (8, 3), (8, 2, 1)], ids=str)
def test_scores_come_in_two_columns(shape):
    """Anything but two columns raises ValueError."""
    with pytest.raises(InputValueError, match=r"input must be of shape \(P, 2\), got"):
        DPOLoss()(torch.zeros(shape), torch.zeros(8, dtype=torch.long))


def test_targets_that_cannot_be(pairs):
    """An index of 2, a float as an index, and probabilities above one raise."""
    input, target, _ = pairs
    with pytest.raises(InputValueError, match="target holds the label 2"):
        DPOLoss()(input, target + 1)
    with pytest.raises(InputTypeError, match="must hold class indices as integers"):
        DPOLoss()(input, target.double())
    with pytest.raises(InputValueError, match="target must hold probabilities"):
        DPOLoss()(input, torch.full((8, 2), 1.5))


def test_another_loss_of_pairs_says_its_cost(pairs):
    """A loss of pairs is its cost of a margin: for a hinge nothing else is written."""

    @define_loss
    class Hinge(ReferredPairLoss):
        """A hinge."""

        def cost(self, margin):
            return (1 - margin).relu()

    input, target, reference = pairs
    gains = (input - reference) * (1 - 2 * target.unsqueeze(1))
    expected = (1 - gains[:, 0] + gains[:, 1]).relu().mean()
    assert_close(Hinge()(input, target, reference=reference), expected)


def test_descent_prefers_what_is_preferred(pairs):
    """Minimised, the policy gives every preferred answer more over the reference than the other."""
    input, target, reference = pairs
    input = input.detach().requires_grad_()
    optimizer = torch.optim.Adam([input], lr=5.0)
    for _ in range(200):
        optimizer.zero_grad()
        DPOLoss()(input, target, reference=reference).backward()
        optimizer.step()
    assert ((input - reference).argmax(dim=1) == target).all()
    assert DPOLoss()(input, target, reference=reference) < 1e-2
