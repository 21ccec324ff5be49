"""A pytest plugin: one test for each rule of the suite and each kind of target.

Turn it on with ``pytest_plugins = ["lossary_losses.testing.plugin"]`` in a ``conftest.py``, mark a test with
the loss, and run what the fixture gives::

    @pytest.mark.check_loss(loss=AreaLoss, targets=["binary"], exempt={"one_signature": "it takes no weight"})
    def test_keeps_the_contract(loss_trial):
        loss_trial()

The marker takes what :func:`lossary_losses.testing.check_loss` takes, all by keyword, since pytest would take
a class that stands alone for what is to be marked. It may be given several times.
"""

from collections.abc import Callable

import pytest

from lossary_losses.testing.examination import Trial, trials

__all__ = ["loss_trial", "pytest_configure", "pytest_generate_tests"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "check_loss(loss, *, options, targets, input, channels, exempt, only): a loss to examine"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each trial of the losses that a test is marked with."""
    if "loss_trial" not in metafunc.fixturenames:
        return
    node = metafunc.definition
    found = [trial for marker in node.iter_markers("check_loss") for trial in _marked(marker, node.nodeid)]
    if not found:
        raise pytest.Collector.CollectError(
            f"{node.nodeid} uses loss_trial: mark it with check_loss(loss=...)"
        )
    metafunc.parametrize("loss_trial", found, ids=[each.name for each in found], indirect=True)


def _marked(marker: pytest.Mark, test: str) -> list[Trial]:
    """Give the trials of a marker; what is wrong with it is said without the way it took through pytest."""
    if marker.args or "loss" not in marker.kwargs:
        raise pytest.Collector.CollectError(f"{test}: check_loss takes loss=..., and all else, by keyword")
    try:
        return trials(**marker.kwargs)
    except (TypeError, ValueError) as error:
        raise pytest.Collector.CollectError(f"{test}: {error}") from error


@pytest.fixture
def loss_trial(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Give one rule and one loss: to be called."""
    trial: Trial = request.param

    def run() -> None:
        __tracebackhide__ = True
        result = trial.run()
        if result.broken:
            pytest.fail(f"{trial.subject.name}, {result}", pytrace=False)
        if result.status == "exempt":
            pytest.skip(f"{result.rule} does not apply: {result.detail}")

    return run
