"""What losses of several libraries are compared on: data that all of them are defined on."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = ["ARGUMENTS", "SAMPLES"]

BATCH, CLASSES, SPACE = 2, 4, (5, 6)
SHAPE = (BATCH, CLASSES, *SPACE)
IGNORED = 255

Sample = tuple[Tensor | list[Tensor], Tensor]


def _random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=_random(seed), dtype=torch.float64)


def _uniform(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=_random(seed), dtype=torch.float64)


def _bits(*shape: int) -> Tensor:
    return (_uniform(*shape) < 0.4).double()


def _labels(*shape: int, classes: int = CLASSES) -> Tensor:
    """Draw labels of which every sample has each, since libraries disagree about classes that are absent."""
    labels = torch.randint(0, classes, shape, generator=_random(1))
    labels.flatten(1)[:, :classes] = torch.arange(classes)
    return labels


def _absent() -> Sample:
    labels = _labels(BATCH, *SPACE)
    return _normal(*SHAPE), torch.where(labels == CLASSES - 1, 0, labels)


def _ignored() -> Sample:
    labels = _labels(BATCH, *SPACE)
    labels[:, -1, 1:] = IGNORED
    return _normal(*SHAPE), labels


def _unequal() -> Sample:
    labels = _labels(BATCH, *SPACE)
    labels[1] = labels[1].clamp(max=CLASSES - 3)
    return _normal(*SHAPE), labels


def _ignored_channel() -> Sample:
    bits = _bits(BATCH, 1, *SPACE)
    bits[:, :, -1, 1:] = IGNORED
    return _normal(BATCH, 1, *SPACE), bits


def _ignored_bits() -> Sample:
    bits = _bits(*SHAPE)
    bits[:, :, -1, 1:] = IGNORED
    return _normal(*SHAPE), bits


def _levels() -> Sample:
    return [_normal(BATCH, CLASSES, size, size) for size in (8, 4, 2)], _labels(BATCH, 8, 8)


def _boxes(side: float = 1.0) -> Sample:
    corners, sides = _uniform(2, 7, 2), 0.2 + _uniform(2, 7, 2, seed=2)
    return tuple(torch.cat([side * corners, side * (corners + sides)], dim=-1).unbind())


def _images(noise: float = 0.2, offset: float = 0.0, space: tuple[int, int] = (16, 18)) -> Sample:
    target = _uniform(BATCH, 3, *space) + offset
    return target + noise * _normal(BATCH, 3, *space), target


def _signals(size: float = 1.0, steps: int = 50) -> Sample:
    target = _normal(BATCH, 2, steps, seed=1)
    return size * (0.7 * target + 0.3 * _normal(BATCH, 2, steps)), size * target


def _embeddings() -> Sample:
    return [_normal(7, 4), _normal(7, 4, seed=1)], torch.zeros(7, dtype=torch.long)


SAMPLES: Mapping[str, Callable[[], Sample]] = {
    "labels": lambda: (_normal(*SHAPE), _labels(BATCH, *SPACE)),
    "labels, one absent": _absent,
    "labels, some ignored": _ignored,
    "labels, unequally many": _unequal,
    "labels of two classes": lambda: (_normal(BATCH, 2, *SPACE), _labels(BATCH, *SPACE, classes=2)),
    "labels at several levels": _levels,
    "binary": lambda: (_normal(*SHAPE), _bits(*SHAPE)),
    "binary, some ignored": _ignored_bits,
    "binary, one channel": lambda: (_normal(BATCH, 1, *SPACE), _bits(BATCH, 1, *SPACE)),
    "binary, one channel, some ignored": _ignored_channel,
    "soft": lambda: (_normal(*SHAPE), _uniform(*SHAPE)),
    "distributions": lambda: (_normal(*SHAPE), _normal(*SHAPE, seed=1).softmax(1)),
    "flat labels": lambda: (_normal(7, CLASSES), torch.arange(7) % CLASSES),
    "flat binary": lambda: (_normal(7, CLASSES), _bits(7, CLASSES)),
    "flat soft": lambda: (_normal(7, CLASSES), _uniform(7, CLASSES)),
    "flat distributions": lambda: (_normal(7, CLASSES), _normal(7, CLASSES, seed=1).softmax(1)),
    "values": lambda: (_normal(*SHAPE), _normal(*SHAPE, seed=1)),
    "depths": lambda: (0.5 + _uniform(1, *SPACE, seed=0), 0.5 + _uniform(1, *SPACE)),
    "boxes": _boxes,
    "boxes of side 1e-4": lambda: _boxes(1e-4),
    "images": _images,
    "images of tiny differences far from zero": lambda: _images(noise=1e-4, offset=1000.0),
    "large images": lambda: _images(space=(176, 176)),
    "fields of displacements": lambda: (_normal(BATCH, 2, 7, 8), _normal(BATCH, 2, 7, 8, seed=1)),
    "signals": _signals,
    "one signal": lambda: tuple(each[:1, :1] for each in _signals(steps=3000)),
    "quiet signals": lambda: _signals(1e-6),
    "embeddings": _embeddings,
    "labelled embeddings": lambda: (_normal(8, 4), torch.tensor([0, 1, 0, 2, 2, 1, 0, 2])),
    "hazards": lambda: (_normal(8), torch.tensor([3.0, 1.0, 4.0, 7.0, 5.0, 9.0, 2.0, 6.0])),
    "hazards, some events at one time": lambda: (
        _normal(8),
        torch.tensor([3.0, 1.0, 4.0, 1.0, 5.0, 4.0, 2.0, 4.0]),
    ),
    "ensembles": lambda: (_normal(*SHAPE), _normal(BATCH, *SPACE, seed=1)),
    "counts": lambda: (_normal(*SHAPE), torch.floor(5 * _uniform(*SHAPE))),
    "hazards in bins": lambda: (_normal(8, 5), torch.arange(8) % 5),
    "ordinal": lambda: (_normal(7, CLASSES), torch.arange(7) % (CLASSES + 1)),
    "lists": lambda: (_normal(5, 6), _uniform(5, 6)),
    "answers": lambda: (10 * _normal(6), _bits(6)),
    "pairs of log-probabilities, the first preferred": lambda: (
        -_uniform(6, 2),
        torch.zeros(6, dtype=torch.long),
    ),
    "tokens": lambda: (-_uniform(5, 6), _normal(5, 6)),
    "pairs of scores, the first preferred": lambda: (_normal(6, 2), torch.zeros(6, dtype=torch.long)),
    "two networks, flat": lambda: (_normal(6, CLASSES), _normal(6, CLASSES, seed=4)),
    "two networks": lambda: (3 * _normal(*SHAPE), 3 * _normal(*SHAPE, seed=4)),
    "pairs of scores": lambda: (10 * _normal(6, 2), _labels(6, 2, classes=2)[:, 1]),
}
"""Input and target, by what the target holds."""

ARGUMENTS: Mapping[str, object] = {
    "baseline": torch.tensor(1.5, dtype=torch.float64),
    "before": -_uniform(5, 6, seed=3),
    "counts": [50, 20, 5, 1],
    "event": torch.tensor([False, True, True, True, True, True, False, True]),
    "own_negatives": _normal(7, 2, 4, seed=3),
    "queue": _normal(9, 4, seed=2),
    "reference": 10 * _normal(6, 2, seed=1),
    "kept": torch.arange(6) < torch.tensor([[4], [1], [6], [2], [5]]),
    "old": -_uniform(5, 6, seed=2),
    "log_snr": torch.tensor([-1.0, 3.0], dtype=torch.float64),
    "margin": _uniform(6),
    "mask": _uniform(BATCH, *SPACE) < 0.7,
    "var": _uniform(*SHAPE) + 0.1,
    "w": torch.tensor([1.0, 2.0, 0.5, 0.25], dtype=torch.float64),
}
"""What else expressions use."""
