"""The conformance suite: what every loss of the collection promises, to be held against any loss.

:func:`check_loss` raises where a promise is broken; :func:`examine_loss` reports. Under pytest, each rule is
a test of its own: see :mod:`lossary_losses.testing.plugin`. The data are of the kinds in
:data:`kind_registry`, to which a kind of your own can be added: a :class:`Kind`.
"""

from lossary_losses.testing.examination import Trial, check_loss, examine_loss, trials
from lossary_losses.testing.example import Example, example_of
from lossary_losses.testing.kinds import Kind, find_kind, kind_registry
from lossary_losses.testing.report import ConformanceError, Report, Result
from lossary_losses.testing.rule import rule_registry
from lossary_losses.testing.sample import Sample

__all__ = [
    "ConformanceError",
    "Example",
    "Kind",
    "Report",
    "Result",
    "Sample",
    "Trial",
    "check_loss",
    "examine_loss",
    "example_of",
    "find_kind",
    "kind_registry",
    "rule_registry",
    "trials",
]
