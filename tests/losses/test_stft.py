"""Distance of spectra against torch and the definitions, and where other libraries fail."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import STFTLoss
from lossary_losses._core.spectrum import a_weights, frequencies, mel_bands

SMALL = ((32, 8, 24), (16, 4, 16))


def signals(*shape, seed=0, dtype=torch.float64):
    """Draw a target, and an input that has some of it."""
    generator = torch.Generator().manual_seed(seed)
    target, noise = torch.randn(2, *shape, generator=generator, dtype=torch.float64).unbind()
    return (0.7 * target + 0.3 * noise).to(dtype), target.to(dtype)


def gradient(loss, input, target, **given):
    """Give the gradient of the loss."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target, **given).sum(), input)[0]


def magnitudes(signal, size, hop, window):
    """Compute the magnitudes of one signal with NumPy, window by window."""
    left = (size - window) // 2
    shape = np.zeros(size)
    shape[left : left + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(signal, size // 2, mode="reflect")
    starts = range(0, len(padded) - size + 1, hop)
    return np.stack([np.abs(np.fft.rfft(shape * padded[start : start + size])) for start in starts])


def by_hand(input, target, resolutions, weights):
    """Compute the loss of each signal from the papers' formulas."""
    result = []
    for x, t in zip(input.reshape(-1, input.shape[-1]), target.reshape(-1, input.shape[-1]), strict=True):
        total = 0.0
        for resolution in resolutions:
            found, right = magnitudes(x.numpy(), *resolution), magnitudes(t.numpy(), *resolution)
            logarithms = np.abs(np.log(found) - np.log(right)).mean() if "log" in weights else 0.0
            values = {
                "convergence": np.linalg.norm(right - found) / np.linalg.norm(right),
                "log": logarithms,
                "linear": np.abs(found - right).mean(),
            }
            total += sum(weight * values[name] for name, weight in weights.items())
        result.append(total / len(resolutions))
    return torch.tensor(result, dtype=torch.float64).reshape(input.shape[:-1])


@pytest.mark.parametrize("shape", [(3, 100), (2, 2, 33)], ids=str)
@pytest.mark.parametrize("resolutions", [[(32, 8, 24)], SMALL, [(15, 20, 9), (8, 3, 5)]], ids=str)
@pytest.mark.parametrize(
    "terms", [{"convergence": 1, "log": 1}, {"convergence": 2}, {"log": 0.5, "linear": 3}], ids=str
)
def test_it_is_the_papers(shape, resolutions, terms):
    """Each signal has the mean over resolutions of what is compared, with its weight."""
    input, target = signals(*shape)
    loss = STFTLoss(resolutions=resolutions, terms=terms, reduction="none")
    assert_close(loss(input, target), by_hand(input, target, resolutions, terms), rtol=1e-6, atol=1e-8)


def test_a_batch_is_the_mean_of_its_signals():
    """Four signals of unequal loudness cost the mean of what each costs alone."""
    input, target = signals(4, 100)
    gains = torch.tensor([[1e-3], [1.0], [10.0], [1e3]], dtype=torch.float64)
    input, target = gains * input, gains * target
    loss = STFTLoss(resolutions=SMALL)
    alone = torch.stack([loss(input[[index]], target[[index]]) for index in range(4)])
    assert_close(loss(input, target), alone.mean())


@pytest.mark.parametrize("gain", [1e-6, 1e6])
def test_common_loudness_does_not_matter(gain):
    """Input and target louder by as much cost the same, but for magnitudes as they are, which scale."""
    input, target = signals(2, 100, dtype=torch.float32)
    loss = STFTLoss(resolutions=SMALL)
    assert_close(loss(gain * input, gain * target), loss(input, target))
    linear = STFTLoss(resolutions=SMALL, terms={"linear": 1})
    assert_close(linear(gain * input, gain * target), gain * linear(input, target))


@pytest.mark.parametrize("level", [0.0, 1e-6])
def test_silence_can_be_learned_from(level):
    """The gradient of silence is finite; that of a little noise is never zero, and a step along it helps."""
    noise, target = signals(1, 4000, dtype=torch.float32)
    loss = STFTLoss()
    slope = gradient(loss, level * noise, target)
    assert slope.isfinite().all()
    if level:
        assert (slope != 0).all()
        moved = level * noise - 1e-6 * slope / slope.abs().max()
        assert loss(moved, target) < loss(level * noise, target)


@pytest.mark.parametrize("terms", [{"convergence": 1}, {"log": 1}, {"linear": 1}], ids=str)
@pytest.mark.parametrize("target", ["silent", "constant", "noise"])
def test_a_perfect_input(terms, target):
    """A perfect input costs exactly zero, with a gradient of exactly zero, silent or not."""
    signal = {"silent": torch.zeros(1, 64), "constant": torch.full((1, 64), 0.3)}.get(
        target, signals(1, 64, dtype=torch.float32)[1]
    )
    loss = STFTLoss(resolutions=SMALL, terms=terms)
    assert loss(signal, signal) == 0
    assert (gradient(loss, signal, signal) == 0).all()


def test_a_silent_target():
    """A silent target has no convergence; an input costs by the logarithm, the less the quieter it is."""
    noise, _ = signals(1, 64, dtype=torch.float32)
    silence = torch.zeros_like(noise)
    assert STFTLoss(resolutions=SMALL, terms={"convergence": 1})(noise, silence) == 0
    loss = STFTLoss(resolutions=SMALL)
    costs = [loss(level * noise, silence).item() for level in (1e-9, 1e-6, 1e-3, 1.0)]
    assert costs == sorted(costs)
    assert costs[-1] < -math.log(1e-8)
    assert gradient(loss, 1e-6 * noise, silence).isfinite().all()


def test_it_is_the_same_twice():
    """Value and gradient are bitwise the same at every call."""
    input, target = signals(2, 3000, dtype=torch.float32)
    loss = STFTLoss()
    assert torch.equal(loss(input, target), loss(input, target))
    assert torch.equal(gradient(loss, input, target), gradient(loss, input, target))


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_signals_shorter_than_a_window(length):
    """Short signals go on in mirrors of mirrors, as NumPy has them."""
    input, target = signals(2, length)
    input = input + 1
    resolutions = [(64, 16, 50)]
    expected = by_hand(input, target, resolutions, {"convergence": 1, "linear": 1})
    loss = STFTLoss(resolutions=resolutions, terms={"convergence": 1, "linear": 1}, reduction="none")
    assert_close(loss(input, target), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("padding", [1, 7, 64])
def test_how_long_a_signal_is_padded_does_not_matter(padding):
    """What is masked behind a signal changes neither value nor gradient, however much of it there is."""
    input, target = signals(2, 50)
    padded = [torch.cat([each, torch.full((2, padding), torch.nan)], 1) for each in (input, target)]
    mask = torch.arange(50 + padding).expand(2, -1) < 50
    reference = [torch.cat([each, torch.zeros(2, 30)], 1) for each in (input, target)]
    loss = STFTLoss(resolutions=SMALL)
    expected = loss(*reference, mask=torch.arange(80).expand(2, -1) < 50)
    assert_close(loss(*padded, mask=mask), expected)
    slope = gradient(loss, *padded, mask=mask)
    assert (slope[:, 50:] == 0).all()
    assert_close(slope[:, :50], gradient(loss, *reference, mask=torch.arange(80).expand(2, -1) < 50)[:, :50])


def test_frames_count_by_their_centres():
    """Under a mask the mean is over the frames whose centre is not masked."""
    input, target = signals(1, 64)
    mask = torch.ones(1, 64, dtype=torch.bool)
    mask[0, 20:30] = False
    silent = [torch.where(mask, each, 0)[0].numpy() for each in (input, target)]
    found, right = (magnitudes(each, 16, 4, 16) for each in silent)
    counts = np.append(mask[0, ::4].numpy(), True)
    expected = np.abs(found - right)[counts].mean()
    loss = STFTLoss(resolutions=[(16, 4, 16)], terms={"linear": 1})
    assert_close(loss(input, target, mask=mask).item(), expected, rtol=1e-6, atol=0)


def test_bands():
    """Bands are triangles between corners that are equally far apart on Slaney's scale, of equal area."""
    like = torch.empty(0, dtype=torch.float64)
    bank = mel_bands(10, 512, 16000.0, like).numpy()

    def hertz(mel):
        return 200 / 3 * mel if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    top = 15 + 27 * math.log(8) / math.log(6.4)
    corners = [hertz(top * index / 11) for index in range(12)]
    places = np.arange(257) * 16000 / 512
    for band in range(10):
        low, middle, high = corners[band : band + 3]
        triangle = np.interp(places, [low, middle, high], [0, 1, 0]) * 2 / (high - low)
        assert_close(bank[:, band], triangle, rtol=1e-9, atol=1e-12)
    assert_close(mel_bands(3, 64, 1500.0, like).sum().isfinite().item(), True)


def test_a_weighting():
    """Gains in decibels are those of IEC 61672, and nothing is heard of a constant."""
    hertz = torch.tensor([0.0, 31.5, 125.0, 1000.0, 4000.0, 16000.0], dtype=torch.float64)
    decibels = 20 * a_weights(hertz).log10()
    assert decibels[0] == -math.inf
    expected = torch.tensor([-39.4, -16.1, 0.0, 1.0, -6.6], dtype=torch.float64)
    assert_close(decibels[1:], expected, rtol=0, atol=0.15)


def test_bands_and_weights_of_magnitudes():
    """Frequencies are weighted, then brought together in bands, then compared."""
    input, target = signals(1, 200)
    like = torch.empty(0, dtype=torch.float64)
    gains = a_weights(frequencies(64, 8000.0, like)).numpy()
    bank = mel_bands(6, 64, 8000.0, like).numpy()
    found, right = (magnitudes(each[0].numpy(), 64, 16, 64) * gains @ bank for each in (input, target))
    loss = STFTLoss(resolutions=[(64, 16, 64)], terms={"log": 1}, mel=6, weighting="A", sample_rate=8000)
    expected = np.abs(np.log(found) - np.log(right)).mean()
    assert_close(loss(input, target).item(), expected, rtol=1e-6, atol=0)


def test_no_time_and_no_signal():
    """Signals without a step, and batches without a signal, cost nothing."""
    assert STFTLoss()(torch.zeros(2, 0), torch.zeros(2, 0)) == 0
    assert STFTLoss()(torch.zeros(0, 2, 9), torch.zeros(0, 2, 9)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolutions": []}, "resolutions must be a sequence of"),
        ({"resolutions": [(8, 2)]}, "resolutions must be a sequence of"),
        ({"resolutions": [(8, 2, 9)]}, "no window longer than its transform"),
        ({"resolutions": [(8, 0, 8)]}, "all above zero"),
        ({"resolutions": 8}, "resolutions must be a sequence of"),
        ({"terms": {}}, "terms must be a mapping of 'convergence', 'log', 'linear'"),
        ({"terms": {"phase": 1}}, "terms must be a mapping"),
        ({"terms": {"log": 0}}, "to finite numbers > 0"),
        ({"terms": ["log"]}, "terms must be a mapping"),
        ({"mel": 80}, "sample_rate must be given with mel or weighting"),
        ({"weighting": "A"}, "sample_rate must be given with mel or weighting"),
        ({"sample_rate": 16000}, "and only then"),
        ({"mel": 128, "sample_rate": 44100}, "mel must leave a frequency in each band"),
    ],
    ids=str,
)
def test_options_go_together(options, message):
    """What is out of bounds, or does not go together, raises an error that says so."""
    with pytest.raises((ValueError, TypeError), match=message):
        STFTLoss(**options)
