"""A figure of a report; matplotlib is asked for here alone."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import Any

from torch import Tensor

from lossary_losses.errors import MissingPackageError
from lossary_losses.insight.parts import ClassPull, TermPull

__all__ = ["draw"]

_PANEL = 4.5
"""The width of one panel, in inches."""
_PLANE = 2


def draw(
    path: str | PathLike[str],
    *,
    title: str,
    terms: Mapping[str, TermPull],
    classes: Mapping[str, ClassPull],
    samples: Sequence[float],
    matrix: Sequence[Sequence[float]] | None,
    positions: Tensor | None,
) -> None:
    """Draw what there is: bars of the terms, or of the classes or samples; the matrix; a map."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - only where a figure is asked for
    except ImportError as error:
        raise MissingPackageError("matplotlib", "for the figure of a report", extra="figures") from error
    panels: list[Callable[[Any], None]] = [partial(_draw_bars, terms, classes, samples)]
    if matrix is not None:
        panels.append(partial(_draw_matrix, matrix))
    if positions is not None and len(positions):
        panels.append(partial(_draw_map, positions[0]))
    figure = Figure(figsize=(_PANEL * len(panels), _PANEL), layout="constrained")
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        panel(axes)
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, dpi=120)


def _draw_bars(
    terms: Mapping[str, TermPull],
    classes: Mapping[str, ClassPull],
    samples: Sequence[float],
    axes: Any,  # noqa: ANN401 - matplotlib's, which is not always there
) -> None:
    if terms:
        shares = {f"{name}, value": term.share for name, term in terms.items()}
        pulls = {f"{name}, pull": term.pull for name, term in terms.items()}
        axes.barh(list(shares), list(shares.values()), color="0.6")
        axes.barh(list(pulls), list(pulls.values()))
        axes.set_title("terms")
    elif classes:
        axes.barh(list(classes), [each.pull for each in classes.values()])
        axes.set_title("pull of each true class")
    else:
        axes.bar(range(len(samples)), samples)
        axes.set_title("pull of each sample")


def _draw_matrix(matrix: Sequence[Sequence[float]], axes: Any) -> None:  # noqa: ANN401 - as above
    bound = max((abs(entry) for row in matrix for entry in row), default=0.0) or 1.0
    axes.imshow(matrix, cmap="RdBu", vmin=-bound, vmax=bound)
    axes.set(title="pull at each logit", xlabel="logit", ylabel="true class")


def _draw_map(shares: Tensor, axes: Any) -> None:  # noqa: ANN401 - as above
    while shares.ndim > _PLANE:  # the middle of a volume
        shares = shares[len(shares) // 2]
    axes.imshow(shares.reshape(-1, shares.shape[-1]).tolist(), cmap="viridis")
    axes.set_title("pull of each position, sample 0")
