"""The conformance suite: what every loss of the collection promises, to be held against any loss.

:func:`check_loss` raises where a promise is broken; :func:`examine_loss` reports. Under pytest, each rule is
a test of its own: see :mod:`lossary_losses.testing.plugin`.
"""

from lossary_losses.testing.examination import Trial, check_loss, examine_loss, trials
from lossary_losses.testing.report import ConformanceError, Report, Result
from lossary_losses.testing.rule import rule_registry

__all__ = [
    "ConformanceError",
    "Report",
    "Result",
    "Trial",
    "check_loss",
    "examine_loss",
    "rule_registry",
    "trials",
]
