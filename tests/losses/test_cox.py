"""Cox's partial likelihood against the formula in NumPy, and where other implementations fail."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import CoxLoss, InputValueError


def formula(log_hazard, times, event, ties):
    """Write the partial likelihood down, one time after the other; after Efron as his paper has it."""
    total, hazard = 0.0, np.exp(log_hazard)
    for time in np.unique(times[event]):
        happening = event & (times == time)
        at_risk, number = hazard[times >= time].sum(), happening.sum()
        for gone in range(number):
            relief = gone / number * hazard[happening].sum() if ties == "efron" else 0
            total += np.log(at_risk - relief)
        total -= log_hazard[happening].sum()
    return total


def draw(rows, seed, distinct=None):
    """Draw log hazards, times, of which some may be equal, and events."""
    generator = torch.Generator().manual_seed(seed)
    log_hazard = torch.randn(rows, generator=generator, dtype=torch.float64)
    times = torch.rand(rows, generator=generator, dtype=torch.float64)
    times = times if distinct is None else (times * distinct).floor()
    return log_hazard, times, torch.rand(rows, generator=generator) < 0.6


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("distinct", [1, 2, 5, None], ids="{} times".format)
@pytest.mark.parametrize("rows", [1, 2, 7, 40])
def test_it_is_the_formula(rows, distinct, ties):
    """The sum is that of the formula, whether times are equal or not, and the mean divides by the events."""
    for seed in range(3):
        log_hazard, times, event = draw(rows, seed, distinct)
        expected = formula(log_hazard.numpy(), times.numpy(), event.numpy(), ties)
        assert_close(CoxLoss(ties=ties, reduction="sum")(log_hazard, times, event=event).item(), expected)
        mean = CoxLoss(ties=ties)(log_hazard, times, event=event).item()
        assert_close(mean, expected / max(1, event.sum().item()))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_every_order_of_rows(ties):
    """An event and a censoring at one time, and two events, cost the same in whatever order rows stand."""
    log_hazard = torch.tensor([0.3, -1.0, 2.0, 0.5], dtype=torch.float64)
    times, event = torch.tensor([1, 1, 1, 2]), torch.tensor([True, True, False, True])
    expected = formula(log_hazard.numpy(), times.numpy(), event.numpy(), ties)
    for order in permutations(range(4)):
        chosen = list(order)
        value = CoxLoss(ties=ties, reduction="sum")(log_hazard[chosen], times[chosen], event=event[chosen])
        assert_close(value.item(), expected)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("shift", [100.0, -1000.0, 5000.0])
def test_hazards_have_no_unit(ties, shift):
    """Adding a number to all log hazards changes nothing, though their exponentials overflow."""
    log_hazard, times, event = draw(20, 0, 5)
    value = CoxLoss(ties=ties)(log_hazard + shift, times, event=event)
    assert_close(value, CoxLoss(ties=ties)(log_hazard, times, event=event))
    single = CoxLoss(ties=ties)((log_hazard + shift).float(), times, event=event)
    assert_close(single, value.float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_only_the_order_of_times_matters(ties):
    """Any rising function of the times leaves the loss as it is."""
    log_hazard, times, event = draw(20, 1, 5)
    loss = CoxLoss(ties=ties)
    expected = loss(log_hazard, times, event=event)
    for other in (times.exp(), 3 * times - 100, times.int(), times.to(torch.uint8), times.half()):
        assert_close(loss(log_hazard, other, event=event), expected)


def test_times_keep_their_digits():
    """Times that only float64, or only an integer, tells apart are not equal."""
    log_hazard = torch.tensor([0.0, 1.0, 2.0])
    for base in (torch.tensor(1.7e9, dtype=torch.float64), torch.tensor(2**60)):
        times = base + torch.tensor([0, 1, 2], dtype=base.dtype)
        assert_close(CoxLoss()(log_hazard, times), CoxLoss()(log_hazard, torch.tensor([0, 1, 2])))


def test_a_mean_is_one_of_events():
    """Among equal times too the mean divides by events, not by different times, and not by rows."""
    log_hazard, event = torch.zeros(4), torch.tensor([True, True, False, False])
    value = CoxLoss(ties="breslow")(log_hazard, torch.ones(4), event=event)
    assert_close(value.item(), np.log(4.0))
    assert CoxLoss().fraction(log_hazard, torch.ones(4), event=event).denominator == 2


def test_everyone_has_an_event_unless_told_otherwise():
    """Without events given there is one in each row; they may be numbers, 0 and 1, of any dtype."""
    log_hazard, times, event = draw(9, 2)
    assert_close(CoxLoss()(log_hazard, times), CoxLoss()(log_hazard, times, event=torch.ones(9)))
    for dtype in (torch.float32, torch.float16, torch.int32, torch.uint8):
        value = CoxLoss()(log_hazard, times, event=event.to(dtype))
        assert_close(value, CoxLoss()(log_hazard, times, event=event))


def test_no_events():
    """Where all rows are censored the loss is zero, and has a gradient, of zero."""
    log_hazard, times, _ = draw(5, 3)
    log_hazard.requires_grad_()
    value = CoxLoss()(log_hazard, times, event=torch.zeros(5))
    assert value == 0
    assert (torch.autograd.grad(value, log_hazard)[0] == 0).all()


def test_one_row():
    """A row alone is the only one it could have happened to: it costs nothing."""
    assert CoxLoss()(torch.tensor([3.0]), torch.tensor([1.0])) == 0


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_all_at_one_time(ties):
    """Of events that are all at one time the gradient is that of the formula, which knows no order."""
    log_hazard = torch.tensor([0.5, -0.5, 1.0], dtype=torch.float64, requires_grad=True)
    value = CoxLoss(ties=ties, reduction="sum")(log_hazard, torch.zeros(3))
    share = log_hazard.detach().softmax(0)
    # Whatever part of the risk is gone, all of it is made of the same shares.
    assert_close(torch.autograd.grad(value, log_hazard)[0], 3 * share - 1)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_a_mask_may_hide_anything(ties):
    """A masked row is not at risk, and may have an impossible time and event."""
    log_hazard, times, event = draw(8, 4, 3)
    kept = torch.tensor([True, True, False, True, False, True, True, True])
    spoiled, events = times.masked_fill(~kept, float("nan")), event.double().masked_fill(~kept, 7)
    value = CoxLoss(ties=ties)(log_hazard, spoiled, event=events, mask=kept)
    assert_close(value, CoxLoss(ties=ties)(log_hazard[kept], times[kept], event=event[kept]))


def test_weights_are_those_of_events():
    """A weight multiplies what an event costs; who is at risk has none."""
    log_hazard, times, event = draw(8, 5, 3)
    weight = torch.arange(8, dtype=torch.float64)
    each = CoxLoss(reduction="none")(log_hazard, times, event=event)
    expected = (each * weight).sum() / weight[event].sum()
    assert_close(CoxLoss()(log_hazard, times, event=event, weight=weight), expected)


def test_weights_of_rows_by_the_convention():
    """After Breslow, a row that stands for three is one of three times the weight and the hazard."""
    log_hazard, times, event = draw(6, 6, 3)
    number = torch.tensor([1, 3, 2, 1, 1, 2])
    loss = CoxLoss(ties="breslow", reduction="sum")
    repeated = (each.repeat_interleave(number) for each in (log_hazard, times, event))
    expected = loss(*(repeated := list(repeated))[:2], event=repeated[2])
    value = loss(log_hazard + number.log(), times, event=event, weight=number.double())
    constant = (number * number.double().log())[event].sum()
    assert_close(value + constant, expected)


def test_many_rows_keep_their_digits():
    """With a hundred thousand rows float32 gives what float64 gives."""
    log_hazard, times, event = draw(100_000, 7)
    exact = CoxLoss()(log_hazard.float().double(), times, event=event)
    assert_close(CoxLoss()(log_hazard.float(), times, event=event), exact.float(), rtol=1e-6, atol=0)


def test_no_hazard_at_all():
    """A log hazard of minus infinity, of who cannot have an event, leaves the others as they are."""
    log_hazard = torch.tensor([0.0, -torch.inf, 1.0], requires_grad=True)
    times, event = torch.tensor([1, 2, 3]), torch.tensor([True, False, True])
    value = CoxLoss()(log_hazard, times, event=event)
    assert_close(value, CoxLoss()(log_hazard[::2], times[::2]))
    assert torch.autograd.grad(value, log_hazard)[0].isfinite().all()


def test_impossible_values():
    """A time that is NaN, and an event between 0 and 1, raise ValueError."""
    log_hazard, times, event = draw(3, 8)
    with pytest.raises(InputValueError, match="target must not hold NaN"):
        CoxLoss()(log_hazard, torch.full_like(times, float("nan")), event=event)
    with pytest.raises(InputValueError, match="event must hold 0 and 1"):
        CoxLoss()(log_hazard, times, event=torch.full_like(times, 0.5))


def test_columns_do_not_broadcast():
    """Hazards ``(B, 1)``, as networks give them, raise, where they would become ``(B, B)`` elsewhere."""
    log_hazard, times, event = draw(3, 9)
    with pytest.raises(InputValueError, match=r"input must be of shape \(B,\), got \(3, 1\)"):
        CoxLoss()(log_hazard.unsqueeze(1), times, event=event)


def test_descent_finds_the_effect():
    """The minimiser is the effect that the times were drawn with."""
    generator = torch.Generator().manual_seed(0)
    treated = (torch.rand(2000, generator=generator) < 0.5).double()
    times = -torch.rand(2000, generator=generator).double().log() / (0.8 * treated).exp()
    effect = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([effect])

    def step():
        optimizer.zero_grad()
        value = CoxLoss()(effect * treated, times, event=times < 2)
        value.backward()
        return value

    optimizer.step(step)
    assert_close(effect.item(), 0.8, rtol=0, atol=0.1)
