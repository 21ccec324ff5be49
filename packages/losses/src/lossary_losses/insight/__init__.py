"""Seeing a loss: which of its parts, classes, samples and positions pull at the network."""

from lossary_losses.insight.explain import explain
from lossary_losses.insight.parts import ClassPull, Conflict, Health, TermPull
from lossary_losses.insight.report import Report
from lossary_losses.insight.watch import Watch

__all__ = ["ClassPull", "Conflict", "Health", "Report", "TermPull", "Watch", "explain"]
