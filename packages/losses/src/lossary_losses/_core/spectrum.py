"""Spectra of signals ``(*, T)`` over time: frame by frame, as the ear weighs them, and in its bands."""

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Resolution", "a_weights", "frame_centres", "frequencies", "mel_bands", "powers"]

Resolution = tuple[int, int, int]
"""The length of a transform, the steps from frame to frame, and the length of a window, in steps."""

_LINEAR, _LOGARITHMIC = 200 / 3, math.log(6.4) / 27
"""Slaney's scale: hertz to a mel below 1,000 Hz, and how the logarithm grows with each mel above it."""

_BREAK = 1000.0
"""The frequency at which that scale turns, and the one that a weighting leaves as it is."""

_POLES = (20.598997, 107.65265, 737.86223, 12194.217)
"""The corner frequencies of A-weighting in hertz, of which the first and the last are double."""


def powers(signal: Tensor, counted: Tensor | None, resolution: Resolution) -> Tensor:
    """Give the squared magnitudes ``(*, frames, frequencies)`` of frames under a Hann window.

    Frames are centred at every so many steps, the first one at the first; a window shorter than the transform
    is in its middle, as ``torch.stft`` has it. Where a window ends beyond the signal, the signal goes on as
    in a mirror; where its end does not count, it goes on in silence.
    """
    size, hop, window = resolution
    # Where zeros stand within a transform is a matter of phase alone, so they are left to the end.
    frames = _frames(_extended(signal, counted, *_margins(resolution)), hop, window)
    shape = torch.hann_window(window, dtype=signal.dtype, device=signal.device)
    real, imaginary = torch.view_as_real(torch.fft.rfft(frames * shape, size)).unbind(-1)
    return real.square() + imaginary.square()


def frame_centres(counted: Tensor, resolution: Resolution) -> Tensor:
    """Tell which frames are centred at a step that counts."""
    _, hop, window = resolution
    before, after = _margins(resolution)
    frames = _extended(counted, counted, before, after).unfold(-1, window, hop)
    return frames.select(-1, min(before, window - 1))


def frequencies(size: int, sample_rate: float, like: Tensor) -> Tensor:
    """Give the frequencies of a transform of a length in hertz."""
    return torch.arange(size // 2 + 1, dtype=like.dtype, device=like.device) * (sample_rate / size)


def a_weights(hertz: Tensor) -> Tensor:
    """Give the gain of A-weighting at frequencies, one at 1,000 Hz."""
    return _a_response(hertz) / _a_response(torch.full_like(hertz[:1], _BREAK))


def mel_bands(bands: int, size: int, sample_rate: float, like: Tensor) -> Tensor:
    """Give the weights ``(frequencies, bands)`` of overlapping triangles that are equally wide in mel.

    On Slaney's scale, from zero to half the sample rate, each triangle of the same area.
    """
    highest = sample_rate / 2
    if highest < _BREAK:
        top = highest / _LINEAR
    else:
        top = _BREAK / _LINEAR + math.log(highest / _BREAK) / _LOGARITHMIC
    mel = torch.linspace(0, top, bands + 2, dtype=like.dtype, device=like.device)
    above = (mel - _BREAK / _LINEAR).clamp(min=0)
    corners = torch.where(above > 0, _BREAK * (_LOGARITHMIC * above).exp(), _LINEAR * mel)
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    hertz = frequencies(size, sample_rate, like).unsqueeze(-1)
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return torch.minimum(rising, falling).clamp(min=0) * 2 / (high - low)


def _a_response(hertz: Tensor) -> Tensor:
    squared = hertz.square()
    first, second, third, fourth = (squared + pole**2 for pole in _POLES)
    return squared / first * (squared / second).sqrt() * (squared / third).sqrt() / fourth


def _frames(signal: Tensor, hop: int, window: int) -> Tensor:
    """Cut a signal into frames that overlap, put together of blocks as long as a hop.

    The gradient of blocks is a few sums, where that of ``Tensor.unfold`` is an addition at each index.
    """
    count = (signal.shape[-1] - window) // hop + 1
    parts = -(-window // hop)
    missing = (count + parts - 1) * hop - signal.shape[-1]
    blocks = functional.pad(signal, (0, missing)).unflatten(-1, (count + parts - 1, hop))  # type: ignore[no-untyped-call]
    return torch.cat([blocks.narrow(-2, part, count) for part in range(parts)], -1).narrow(-1, 0, window)


def _margins(resolution: Resolution) -> tuple[int, int]:
    """Tell by how many steps the first window begins before a signal, and the last may end behind it."""
    size, _, window = resolution
    before = (size - window) // 2
    return size // 2 - before, size // 2 - (size - window - before)


def _extended(signal: Tensor, counted: Tensor | None, before: int, after: int) -> Tensor:
    """Continue a signal as in a mirror on both sides, or in silence where its end does not count."""
    if counted is not None:
        begins, ends = counted[..., :1], counted[..., -1:]
    while before or after:
        length = signal.shape[-1]
        if length == 1:
            return signal.expand(*signal.shape[:-1], 1 + before + after)
        left, right = min(before, length - 1), min(after, length - 1)
        head = signal.narrow(-1, 1, left).flip(-1)
        tail = signal.narrow(-1, length - 1 - right, right).flip(-1)
        if counted is not None:
            head = torch.where(begins, head, torch.zeros_like(head))
            tail = torch.where(ends, tail, torch.zeros_like(tail))
        signal = torch.cat([head, signal, tail], -1)
        before, after = before - left, after - right
    return signal
