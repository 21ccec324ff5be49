"""What is said of other libraries' losses is true of the versions that are pinned."""

from pathlib import Path

import pytest
from migrations import CALLABLES
from parity import ALONE, RECORDS, page
from parity_record import compute, gap

from lossary_losses import loss_registry

# Other libraries may warn as they please.
pytestmark = pytest.mark.filterwarnings("ignore")

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
DIFFERENT = 1e-3

EQUAL = [each for each in RECORDS if each.agree]
UNEQUAL = [each for each in RECORDS if not each.agree]


@pytest.mark.parametrize("record", EQUAL, ids=lambda record: record.name)
def test_value_and_gradient_are_equal(record):
    """With the conversion applied, ours and the other library's give the same value and gradient."""
    value, gradient = gap(record)
    assert value < record.tolerance
    assert gradient < 10 * record.tolerance


@pytest.mark.parametrize("record", UNEQUAL, ids=lambda record: record.name)
def test_what_has_no_conversion_differs(record):
    """Where we say that no conversion helps, values or gradients differ, unless the library has changed."""
    assert max(gap(record)) > DIFFERENT


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_there_is_something_to_compare(record):
    """Neither value nor gradient is zero or infinite, where all losses would agree."""
    value, gradients = compute(record.ours, record.data)
    assert value != 0
    assert value.isfinite()
    assert all(each.isfinite().all() and each.any() for each in gradients)


def test_every_loss_is_compared():
    """Each registered loss has a record, or a reason for having none, and no loss has both."""
    compared = {each.loss for each in RECORDS}
    assert compared | set(ALONE) == set(loss_registry.list())
    assert not compared & set(ALONE)


def test_page_is_current():
    """The page says what the records say: else run ``tests/peers/parity.py --output docs/parity.md``."""
    assert PAGE.read_text(encoding="utf-8") == page(RECORDS, ALONE, CALLABLES)
