"""Losses of policies against their formulas in NumPy, and what estimates of a divergence are on average."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import (
    CISPOLoss,
    ClippedValueLoss,
    DAPOLoss,
    DrGRPOLoss,
    GRPOLoss,
    GSPOLoss,
    InputTypeError,
    InputValueError,
    OptionValueError,
    PPOLoss,
)
from lossary_losses.testing.rules.distribution import _on_two_ranks

LENGTHS = torch.tensor([4, 1, 0, 6])
MASK = torch.arange(6) < LENGTHS.unsqueeze(1)


@pytest.fixture
def tokens():
    """Log-probabilities of tokens of four sequences, one empty, now, then and of a reference; advantages."""
    generator = torch.Generator().manual_seed(0)
    draw = (torch.randn(4, 6, generator=generator, dtype=torch.float64) for _ in range(4))
    old, advantage, change, other = draw
    old = torch.nn.functional.logsigmoid(old)
    return (old + 0.5 * change).requires_grad_(), advantage, {"old": old, "reference": old + 0.5 * other}


def clipped(ratio, advantage, low, high, dual=None):
    """Write PPO's surrogate down, with the bound of dual clipping if there is one."""
    cost = -np.minimum(ratio * advantage, np.clip(ratio, 1 - low, 1 + high) * advantage)
    return cost if dual is None else np.where(advantage < 0, np.minimum(cost, -dual * advantage), cost)


def over_tokens(cost, mask):
    """Divide by the tokens of the batch."""
    return cost[mask].sum() / mask.sum()


def over_sequences(cost, mask):
    """Take the mean over each sequence that has tokens, then over those."""
    return np.mean([row[kept].mean() for row, kept in zip(cost, mask, strict=True) if kept.any()])


def over_length(cost, mask):
    """Divide the sum over each sequence that has tokens by ten, and take the mean over those."""
    return np.mean([row[kept].sum() / 10 for row, kept in zip(cost, mask, strict=True) if kept.any()])


def of_sequence(ratio, mask):
    """Give each sequence the geometric mean of the ratios of its tokens."""
    logs = [np.log(row)[kept].mean() if kept.any() else 0 for row, kept in zip(ratio, mask, strict=True)]
    return np.exp(logs)[:, None] * np.ones_like(ratio)


EXPECTED = {
    PPOLoss(): lambda r, a, m, _: over_tokens(clipped(r, a, 0.2, 0.2), m),
    PPOLoss(dual_clip=1.3): lambda r, a, m, _: over_tokens(clipped(r, a, 0.2, 0.2, 1.3), m),
    DAPOLoss(): lambda r, a, m, _: over_tokens(clipped(r, a, 0.2, 0.28), m),
    GRPOLoss(): lambda r, a, m, _: over_sequences(clipped(r, a, 0.2, 0.2), m),
    DrGRPOLoss(max_length=10): lambda r, a, m, _: over_length(clipped(r, a, 0.2, 0.2), m),
    GSPOLoss(clip_low=0.1, clip_high=0.15): lambda r, a, m, _: over_sequences(
        clipped(of_sequence(r, m), a, 0.1, 0.15), m
    ),
    CISPOLoss(cap=1.2): lambda r, a, m, x: over_tokens(-np.minimum(r, 1.2) * a * x, m),
}
every_loss = pytest.mark.parametrize("loss", EXPECTED, ids=repr)
every_class = pytest.mark.parametrize(
    "build",
    [PPOLoss, GRPOLoss, DAPOLoss, lambda **given: DrGRPOLoss(max_length=10, **given), GSPOLoss, CISPOLoss],
    ids=["ppo", "grpo", "dapo", "dr_grpo", "gspo", "cispo"],
)


@every_loss
@pytest.mark.parametrize("per_sequence", [False, True])
def test_it_is_the_formula(tokens, loss, per_sequence):
    """The loss is the formula's, with advantages of tokens or of sequences, one of which has no tokens."""
    input, advantage, given = tokens
    advantage = advantage[:, 0] if per_sequence else advantage
    ratio = (input - given["old"]).exp().detach().numpy()
    spread = (advantage.unsqueeze(1).expand(4, 6) if per_sequence else advantage).numpy()
    expected = EXPECTED[loss](ratio, spread, MASK.numpy(), input.detach().numpy())
    value = loss(input, advantage, old=given["old"], mask=MASK)
    assert_close(value.item(), float(expected))


@every_class
@pytest.mark.parametrize("kl", ["k2", "k3"])
def test_divergence(tokens, build, kl):
    """What beta adds is the estimate of each token, brought together as the tokens' costs are."""
    input, advantage, given = tokens
    distance = given["reference"] - input
    estimate = distance.square() / 2 if kl == "k2" else distance.exp() - 1 - distance
    beta = build(beta=0.3, kl=kl, reduction="none")(input, advantage, mask=MASK, **given)
    plain = build(reduction="none")(input, advantage, mask=MASK, **given)
    counted = build().fraction(input, advantage, mask=MASK, old=given["old"]).denominator
    lengths = LENGTHS.clamp(min=1).double().unsqueeze(1)
    name = type(build()).__name__
    share = {"PPOLoss": 1, "DAPOLoss": 1, "CISPOLoss": 1, "DrGRPOLoss": 1 / 10}.get(name, 1 / lengths)
    assert_close(beta - plain, 0.3 * estimate * MASK * share)
    assert counted == (MASK.sum() if name in ("PPOLoss", "DAPOLoss", "CISPOLoss") else 3)


@every_class
def test_parts_add_up(tokens, build):
    """Fractions of parts, and two processes, one with nothing but an empty sequence, are the whole batch."""
    input, advantage, given = tokens
    given = {**given, "mask": MASK}
    loss = build(beta=0.1)
    expected = loss(input, advantage, **given)
    (slope,) = torch.autograd.grad(expected, input)
    for cut in (1, 2):
        parts = [
            loss.fraction(input[part], advantage[part], **{key: each[part] for key, each in given.items()})
            for part in (slice(0, cut), slice(cut, None))
        ]
        value = sum(each.numerator for each in parts) / sum(each.denominator for each in parts)
        assert_close(value, expected)
        assert_close(torch.autograd.grad(value, input)[0], slope)

    def on_rank(rank, group):
        part = slice(2, 3) if rank == 0 else [0, 1, 3]
        mine = input.detach()[part].requires_grad_()
        own = {key: each[part] for key, each in given.items()}
        value = build(beta=0.1, process_group=group)(mine, advantage[part], **own)
        return value.detach(), torch.autograd.grad(value, mine)[0]

    (first, first_slope), (second, second_slope) = _on_two_ranks(on_rank)
    assert_close((first + second) / 2, expected.detach())
    assert_close(first_slope[0] / 2, slope[2])
    assert_close(second_slope / 2, slope[[0, 1, 3]])


@every_class
def test_a_mask_hides_everything(tokens, build):
    """NaN and infinities at masked tokens, in every tensor, change nothing; an empty sequence is as none."""
    input, advantage, given = tokens
    loss = build(beta=0.1)
    poison = torch.tensor([torch.nan, torch.inf, -torch.inf], dtype=torch.float64).repeat(8).view(4, 6)

    def hide(each):
        return torch.where(MASK, each, poison)

    hidden = hide(input.detach()).requires_grad_()
    value = loss(hidden, hide(advantage), mask=MASK, **{key: hide(each) for key, each in given.items()})
    there = LENGTHS > 0
    rest = {key: each[there] for key, each in given.items()}
    expected = loss(input[there], advantage[there], mask=MASK[there], **rest)
    assert_close(value, expected)
    (slope,) = torch.autograd.grad(value, hidden)
    assert (slope[~MASK] == 0).all()
    assert_close(slope, torch.autograd.grad(expected, input)[0])


@every_class
def test_nothing_counts(tokens, build):
    """With everything masked, or of no weight, the loss is zero and has a gradient of zero."""
    input, advantage, given = tokens
    for nothing in ({"mask": torch.zeros_like(MASK)}, {"weight": torch.zeros(4, 6)}):
        value = build(beta=0.1)(input, advantage, **nothing, **given)
        assert value == 0
        assert (torch.autograd.grad(value, input)[0] == 0).all()


@every_class
def test_old_is_now(tokens, build):
    """Without ``old`` every ratio is one, and the gradient is that of policy gradients."""
    input, advantage, _ = tokens
    advantage = advantage[:, 0]
    value = build(reduction="none")(input, advantage, mask=MASK)
    (slope,) = torch.autograd.grad(value.sum(), input)
    name = type(build()).__name__
    lengths = LENGTHS.clamp(min=1).double().unsqueeze(1)
    share = {"PPOLoss": 1, "DAPOLoss": 1, "CISPOLoss": 1, "DrGRPOLoss": 1 / 10}.get(name, 1 / lengths)
    assert_close(slope, -advantage.unsqueeze(1) * MASK * share)
    if name != "CISPOLoss":
        assert_close(value.detach(), slope)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@every_class
def test_far_off(build, dtype):
    """Ratios of e to the plus and minus 100, certain and impossible tokens have finite values and slopes."""
    input = torch.tensor([[-1.0, -101.0, 0.0, -1e4, -torch.inf]], dtype=dtype, requires_grad=True)
    old = torch.tensor([[-101.0, -1.0, -1e4, 0.0, -1.0]], dtype=dtype)
    for advantage in (-1.0, 0.0, 1.0):
        value = build(beta=0.1)(input, torch.tensor([advantage]), old=old, reference=old)
        assert value.isfinite()
        assert torch.autograd.grad(value, input)[0].isfinite().all()


def test_a_token_that_became_much_likelier_is_taken_back():
    """A bad token that is e to the 100 times as likely still has a gradient that makes it less likely."""
    input = torch.tensor([[-1.0]], requires_grad=True)
    value = PPOLoss()(input, torch.tensor([-1.0]), old=torch.tensor([[-101.0]]))
    assert torch.autograd.grad(value, input)[0] > 0


@pytest.mark.parametrize("distance", [5.0, 30.0, 1000.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_divergence_pulls_from_afar(distance, side):
    """However far from its reference a log-probability is, the divergence pulls it back."""
    input = torch.tensor([[-1.0]], requires_grad=True)
    reference = input.detach() + side * distance
    value = GRPOLoss(beta=1.0)(input, torch.zeros(1), reference=reference)
    (slope,) = torch.autograd.grad(value, input)
    assert slope.isfinite().all()
    assert slope * side < 0


def test_small_divergences_have_their_digits():
    """A difference of 1e-4 diverges by half its square, which a difference of exponentials loses."""
    input = torch.tensor([[-1.0]])
    value = GRPOLoss(beta=1.0)(input, torch.zeros(1), reference=input + 1e-4)
    difference = ((input + 1e-4) - input).double()
    assert_close(value.double(), difference.expm1().sub(difference).squeeze(), rtol=2e-3, atol=0)


def test_estimates_on_average():
    """Over a whole vocabulary the gradient of k2 is that of the divergence, and that of k3 of the reverse."""
    generator = torch.Generator().manual_seed(0)
    logits, others = (torch.randn(7, generator=generator, dtype=torch.float64) for _ in range(2))
    logits.requires_grad_()
    policy, reference = logits.log_softmax(0), others.log_softmax(0)
    forward = (policy.exp() * (policy - reference)).sum()
    reverse = (reference.exp() * (reference - policy)).sum()
    for kl, divergence in (("k2", forward), ("k3", reverse)):
        loss = PPOLoss(beta=1.0, kl=kl)
        value = loss(
            policy.unsqueeze(1),
            torch.zeros(7),
            reference=reference.unsqueeze(1),
            weight=policy.detach().exp().unsqueeze(1),
        )
        expected = torch.autograd.grad(divergence, logits, retain_graph=True)
        assert_close(torch.autograd.grad(value, logits, retain_graph=True), expected)


def test_k1_is_refused_with_the_reason():
    """What estimates the value alone is no loss, and the message says so."""
    with pytest.raises(OptionValueError, match=r"'k1'.*: as a loss its gradient is zero on average"):
        GRPOLoss(kl="k1")


def test_a_divergence_needs_a_reference(tokens):
    """With beta and without a reference it raises; counts need none."""
    input, advantage, given = tokens
    with pytest.raises(InputTypeError, match=r"beta=0.1 needs the log-probabilities of a reference="):
        GRPOLoss(beta=0.1)(input, advantage, old=given["old"])
    assert GRPOLoss(beta=0.1).counts(advantage, like=input, mask=MASK) == 3


def test_the_edges_of_clipping():
    """At an edge of the range a token has its gradient, beyond it none, unless it would come back."""
    ratio = torch.tensor([[0.5, 0.75, 1.0, 1.25, 2.0]], dtype=torch.float64)
    loss = PPOLoss(clip_low=0.25, clip_high=0.25, dual_clip=1.5, reduction="none")
    for advantage, slopes in ((1.0, [0.5, 0.75, 1, 1.25, 0]), (-1.0, [0, 0.75, 1, 1.25, 0])):
        input = ratio.log().requires_grad_()
        value = loss(input, torch.tensor([advantage]), old=torch.zeros_like(ratio))
        (slope,) = torch.autograd.grad(value.sum(), input)
        assert_close(slope, -advantage * torch.tensor([slopes], dtype=torch.float64))


def test_weights_count_in_the_mean(tokens):
    """A weight of each sequence is that of its mean, as if it were there as many times."""
    input, advantage, given = tokens
    weight = torch.tensor([2.0, 1.0, 1.0, 3.0]).unsqueeze(1).expand(4, 6)
    times = torch.tensor([0, 0, 1, 2, 3, 3, 3])
    repeated = {key: each[times] for key, each in {**given, "mask": MASK}.items()}
    for loss in (GRPOLoss(), DrGRPOLoss(max_length=10), GSPOLoss(), PPOLoss()):
        value = loss(input, advantage, mask=MASK, weight=weight, **given)
        assert_close(value, loss(input[times], advantage[times], **repeated))


@pytest.mark.parametrize("shape", [(4, 1), (6,), (1, 6), (4, 6, 1)], ids=str)
def test_nothing_broadcasts(tokens, shape):
    """Advantages, and what was or is a reference, of another shape raise with both shapes."""
    input, advantage, given = tokens
    with pytest.raises(InputValueError, match=r"input \(4, 6\), target .*\(4, 6\) or \(4,\)"):
        PPOLoss()(input, torch.zeros(shape), **given)
    with pytest.raises(InputValueError, match=r"input \(4, 6\), old"):
        PPOLoss()(input, advantage, old=torch.zeros(shape))


@pytest.mark.parametrize("old", [None, 0.3])
def test_values_are_clipped(tokens, old):
    """Half the larger of both squared errors counts: a maximum, not a minimum."""
    input, returns, given = tokens
    before = None if old is None else given["old"]
    value = ClippedValueLoss(clip=0.3)(input, returns, old=before, mask=MASK)
    now, wanted = input.detach().numpy(), returns.numpy()
    error = (now - wanted) ** 2
    if before is not None:
        then = before.numpy()
        error = np.maximum(error, (then + np.clip(now - then, -0.3, 0.3) - wanted) ** 2)
    assert_close(value.item(), float(error[MASK.numpy()].mean() / 2))


@pytest.mark.compilers
def test_compiles_for_any_length(tokens):
    """With all tensors that may be given nothing compiles again for another length, after the first."""
    torch.compiler.reset()
    count = 0

    def backend(module, _):
        nonlocal count
        count += 1
        return module.forward

    compiled = torch.compile(GSPOLoss(beta=0.1, dual_clip=2.0), fullgraph=True, backend=backend)
    for length in (6, 5):
        given = [each.detach()[:, :length].clone() for each in (tokens[0], tokens[1], *tokens[2].values())]
        mask = MASK[:, :length].clone()
        for each in (*given, mask):
            torch._dynamo.mark_dynamic(each, 1)
        input, advantage, old, reference = given
        value = compiled(input, advantage, old=old, reference=reference, mask=mask)
        loss = GSPOLoss(beta=0.1, dual_clip=2.0)
        assert_close(value, loss(input, advantage, old=old, reference=reference, mask=mask))
    assert count == 1
