"""What ``lossary migrate`` goes by is true of the versions that are pinned."""

import inspect

import pytest
from migration_check import call_in, gap, migrated, resolve
from migrations import CALLABLES, FILE, data_of, text_of
from parity import RECORDS

from lossary_factory import check
from lossary_factory._migration import read_records
from lossary_factory._migration.rules import same
from lossary_losses import loss_registry
from lossary_losses.errors import InputValueError

# Other libraries may warn as they please.
pytestmark = pytest.mark.filterwarnings("ignore")

EQUAL, DIFFERENT = 1e-5, 1e-3

MIGRATIONS = read_records(data_of(CALLABLES))
NAMES = {name for record in MIGRATIONS.records for name in record.names}
CHECKS = [expression for each in CALLABLES for expression in each.expressions()]
PARITY = [record for record in RECORDS if call_in(record.theirs, NAMES)]


def _described(case):
    return f"{case[1]}, {case[0]}"


@pytest.mark.parametrize(("data", "expression", "is_special"), CHECKS, ids=[*map(_described, CHECKS)])
def test_what_migrates_is_equal_and_what_differs_is_said(data, expression, is_special):
    """What migrates without a word gives the same value and gradient; what is said to differ does."""
    call = call_in(expression, NAMES)
    migration = migrated(call, MIGRATIONS)
    assert all(finding.can_be_accepted for finding in migration.findings), migration.findings
    assert check(migration.config, registry=loss_registry) == []
    value, gradient = gap(call, data, migration.config)
    if not migration.findings:
        assert not is_special
        assert value < EQUAL
        assert gradient < 10 * EQUAL
    elif not is_special:
        assert max(value, gradient) > DIFFERENT, [str(finding.problem) for finding in migration.findings]


@pytest.mark.parametrize("record", PARITY, ids=lambda record: record.name)
def test_records_of_parity_migrate(record):
    """Theirs, migrated, is equal or said to differ; soft targets, of which no config tells, are spoken of."""
    call = call_in(record.theirs, NAMES)
    migration = migrated(call, MIGRATIONS)
    if any(not finding.can_be_accepted for finding in migration.findings):
        return
    try:
        value, gradient = gap(call, record.data, migration.config)
    except InputValueError:
        return  # ours refuses the target, and so gives no other number
    is_equal = value < EQUAL and gradient < 10 * EQUAL
    assert is_equal or migration.findings or (record.data == "soft" and migration.notes)


def test_every_record_is_checked():
    """Each case of each callable, and each parameter that it has a rule for, is part of a comparison."""
    unchecked = {each.name: each.unchecked for each in CALLABLES}
    known = {
        (record.name, number, name)
        for record in MIGRATIONS.records
        for number, case in enumerate(record.cases)
        for name, rule in case.rules.items()
        if name not in unchecked[record.name] and name not in case.when and not rule.is_dropped
    }
    cases = {(record.name, number) for record in MIGRATIONS.records for number, _ in enumerate(record.cases)}
    for expression in [*(each[1] for each in CHECKS), *(each.theirs for each in PARITY)]:
        call = call_in(expression, NAMES)
        record = MIGRATIONS.find(call.name)
        config = call.config()
        order = list(record.parameters)
        given = {**dict(zip(order, config.pop("_args_", ()), strict=False)), **config}
        values = {name: given.get(name, about.default) for name, about in record.parameters.items()}
        case = record.case_of(values)
        if case is None:
            continue
        number = record.cases.index(case)
        cases.discard((record.name, number))
        for name in record.parameters:
            if record.parameters[name].is_required or not same(values[name], record.parameters[name].default):
                known.discard((record.name, number, name))
    assert not cases
    assert not known


@pytest.mark.parametrize("record", MIGRATIONS.records, ids=lambda record: record.name)
def test_names_and_parameters_are_those_of_the_library(record):
    """What a callable is called and takes is what it is called and takes in the version that is pinned."""
    if record.library == "mmseg":
        pytest.skip("it is known from its documentation")
    made = resolve(record.name)
    assert record.name.rpartition(".")[2] == made.__name__
    assert {f"{made.__module__}.{made.__name__}"} <= {*record.names}
    taken = inspect.signature(made).parameters
    taken = {name: about.default for name, about in taken.items() if about.kind != about.VAR_KEYWORD}
    if not inspect.isclass(made):
        taken = {name: default for name, default in taken.items() if name not in ("inputs", "targets")}
    taken.pop("loss_args", None)
    assert list(taken) == list(record.parameters)
    for name, default in taken.items():
        about = record.parameters[name]
        assert about.is_required == (default is inspect.Parameter.empty)
        assert about.is_required or about.default == getattr(default, "value", default)


def test_what_is_shipped_is_current():
    """The file says what the records say: else run ``tests/peers/migrations.py``."""
    assert FILE.read_text(encoding="utf-8") == text_of(CALLABLES)
