"""Hold the losses of several libraries to the rules of the suite, and write down who keeps which.

    python tests/peers/scoreboard.py [--only FAMILY] [--output docs/scoreboard.md]

Rules about names and docstrings are left out: no other library promised ours.
"""
# ruff: noqa: T201 - it prints

import argparse
import warnings
from importlib.metadata import version
from pathlib import Path

import attrs
from candidates import FAMILIES, Family

from lossary_losses import Claims
from lossary_losses.testing import Report, examine_loss, rule_registry

MARKS = {"passed": "yes", "failed": "**no**", "missing": "not offered", "exempt": "exempt"}
HOUSE_RULES = {"signature", "documentation", "state", "distribution"}
"""What the rules are about that other libraries never meant to keep."""

DISTRIBUTIONS = {"smp": "segmentation-models-pytorch"}


def rules() -> list[str]:
    """Give the rules that say something about any library's loss."""
    return [name for name in rule_registry if not HOUSE_RULES & set(rule_registry.entry(name).tags)]


def examine(family: Family) -> dict[str, Report]:
    """Try the rules on every candidate of a family."""
    reports = {}
    for library, build in family.candidates:
        reports[library] = examine_loss(_claiming(build, family.claims), only=rules())
    return reports


def _claiming(build: object, claims: Claims) -> object:
    """Give a builder the claims of its family; our own classes have theirs."""
    if not isinstance(build, type):
        build.claims = claims  # type: ignore[attr-defined]
        return build
    own = attrs.evolve(build.claims, targets=claims.targets)
    return type(build.__name__, (build,), {"claims": own})


def table(name: str, reports: dict[str, Report]) -> str:
    """Lay out a family: a rule in each line, a library in each column."""
    libraries = list(reports)
    lines = [
        f"## {name}",
        "",
        f"| rule | {' | '.join(libraries)} |",
        "|---" * (len(libraries) + 1) + "|",
    ]
    status = {
        library: {each.rule: each.status for each in report.results} for library, report in reports.items()
    }
    tried = [rule for rule in rules() if any(rule in results for results in status.values())]
    for rule in tried:
        marks = [MARKS.get(status[library].get(rule, ""), "") for library in libraries]
        lines.append(f"| {rule.replace('_', ' ')} | {' | '.join(marks)} |")
    kept = [
        f"{len(report.having('passed'))} of {len(tried) - len(report.having('exempt'))}"
        for report in reports.values()
    ]
    return "\n".join([*lines, f"| **kept** | {' | '.join(kept)} |", ""])


def main() -> None:
    """Examine, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--only", choices=FAMILIES, action="append")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = []
    for name in arguments.only or FAMILIES:
        reports = examine(FAMILIES[name])
        tables.append(table(name, reports))
        print(tables[-1], flush=True)
        for library, report in reports.items():
            print(f"--- {library}: {report}\n", flush=True)
    if arguments.output:
        arguments.output.write_text("\n".join([_heading(), *tables]), encoding="utf-8")


def _heading() -> str:
    libraries = {candidate.library for family in FAMILIES.values() for candidate in family.candidates}
    versions = [
        f"{each} {version(DISTRIBUTIONS.get(each, each))}" for each in sorted(libraries - {"lossary"})
    ]
    return "\n".join(
        [
            "# Scoreboard",
            "",
            "Who keeps which rule of the [conformance suite](guides/your-own-loss.md), by family of losses.",
            "Written by `nox -s scoreboard`, with " + ", ".join(versions) + ".",
            "",
            "What a loss does not offer, such as a mask, is no mistake of its own. Rules about names,",
            "docstrings, state and process groups are left out: no other library promised ours.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
