"""Curves drawn as a picture, by matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._curve import Curve

FORMATS = ("png", "svg", "pdf")


def picture(curves: Sequence[Curve], form: str) -> bytes:
    """Return a picture of curves, one above the other.

    Args:
        curves: One or more.
        form: One of ``FORMATS``.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # an extra

    figure = Figure(figsize=(7, 2.6 * len(curves)), layout="constrained")
    for axes, curve in zip(figure.subplots(len(curves), squeeze=False)[:, 0], curves, strict=True):
        axes.plot(curve.x, curve.y)
        axes.set_title(curve.title, fontsize="medium")
        axes.set_xlabel(curve.x_label)
        axes.grid(visible=True, alpha=0.3)
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=150)
    return stream.getvalue()
