"""Running the rules over a loss."""

import warnings
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

import attrs

from lossary_losses._core.claims import Claims
from lossary_losses.testing import rules as rules  # noqa: PLC0414 - named so that linters keep it
from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds import find_kind, targets_of
from lossary_losses.testing.report import ConformanceError, Report, Result, Status
from lossary_losses.testing.rule import BrokenRuleError, needs_of, rule_registry
from lossary_losses.testing.subject import Buildable, Subject, name_of, subject_of
from lossary_registry import nearest_names

__all__ = ["Trial", "check_loss", "examine_loss", "trials"]

_CHANNELS = 4

_Name = TypeVar("_Name", bound=str)


@attrs.frozen
class Trial:
    """One rule, to be tried on one loss with one kind of data."""

    rule: str
    subject: Subject
    data: Data
    options: Mapping[str, object]
    """What was asked for beyond what the loss claims to need."""

    @property
    def name(self) -> str:
        """A label for reports."""
        said = ",".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.subject.name}{f'({said})' if said else ''}-{self.data.target}-{self.rule}"

    @property
    def promise(self) -> str:
        """What the rule says."""
        return (rule_registry.get(self.rule).__doc__ or "").strip()

    def run(self) -> Result:
        """Try the rule."""
        needs = needs_of(self.rule)
        reason = self.subject.claims.exempt.get(self.rule)
        if reason is not None:
            return self._result("exempt", reason)
        if reason := needs.excused(self.subject):
            return self._result("exempt", reason)
        if missing := needs.missing(self.subject):
            return self._result("missing", missing)
        try:
            rule_registry.get(self.rule)(self.subject, self.data)
        except BrokenRuleError as error:
            return self._result("failed", str(error))
        except Exception as error:  # noqa: BLE001 - whatever a loss raises is what there is to report
            return self._result("failed", f"{type(error).__name__}: {_first_line(error)}".rstrip(": "))
        return self._result("passed", "")

    def _result(self, status: Status, detail: str) -> Result:
        return Result(self.rule, self.promise, self.data.target, status, detail)


def trials(
    loss: Buildable,
    *,
    options: Mapping[str, object] | None = None,
    targets: Iterable[str] | None = None,
    input: str | None = None,
    channels: int = _CHANNELS,
    exempt: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
) -> list[Trial]:
    """Give every rule that concerns a loss, to be tried one by one; for the arguments see check_loss."""
    claims = _claims(loss, targets, input, exempt)
    chosen = list(rule_registry) if only is None else _known_rules(_listed(only, "only"))
    _known_rules(claims.exempt)
    found = []
    for kind, its_options in claims.targets.items():
        subject = subject_of(loss, claims, {**claims.options, **its_options, **(options or {})})
        data = Data(find_kind(claims.input, kind), claims.input, claims.arguments, channels)
        found += [
            Trial(name, subject, data, options or {})
            for name in chosen
            if needs_of(name).concern(subject, data)
        ]
    if not found:
        raise ValueError(
            f"nothing to try: {', '.join(chosen) or 'no rule'} says nothing about {name_of(loss)} "
            f"with targets {', '.join(claims.targets)}"
        )
    return found


def examine_loss(
    loss: Buildable,
    *,
    options: Mapping[str, object] | None = None,
    targets: Iterable[str] | None = None,
    input: str | None = None,
    channels: int = _CHANNELS,
    exempt: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
) -> Report:
    """Try every rule on a loss, and report; the arguments are those of :func:`check_loss`."""
    all_trials = trials(
        loss, options=options, targets=targets, input=input, channels=channels, exempt=exempt, only=only
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = tuple(each.run() for each in all_trials)
    return Report(all_trials[0].subject.name, results)


def check_loss(
    loss: Buildable,
    *,
    options: Mapping[str, object] | None = None,
    targets: Iterable[str] | None = None,
    input: str | None = None,
    channels: int = _CHANNELS,
    exempt: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
) -> Report:
    """Hold a loss to everything that the losses of this collection promise.

    Args:
        loss: A loss class, a loss, or whatever builds one from options. A class may declare ``claims``; what
            is given here comes before them.
        options: What it is built with. Default: the options of its claims, or none.
        targets: The kinds of target that it takes. Default: those of its claims.
        input: What its input is. Default: that of its claims, or ``"logits"``.
        channels: How many classes the data have, in dimension 1. Default: 4.
        exempt: The rules that do not apply, each with the reason, which is printed.
        only: The rules to try. Default: all.

    Returns:
        What was found; ``print`` it to see what is exempt, and why.

    Raises:
        ConformanceError: A promise is not kept. It is an AssertionError that says which, and what happened.
        ValueError: There is no such rule or kind of target, no kind is known, or no rule says anything.
        TypeError: ``targets`` or ``only`` is a single string, or the loss is none and builds none.

    Example:
        >>> from lossary_losses import DiceLoss
        >>> print(check_loss(DiceLoss, targets=["labels"], only=["masked_is_cut_out", "exports"]))
        DiceLoss: 2 passed, 0 broken
    """
    report = examine_loss(
        loss, options=options, targets=targets, input=input, channels=channels, exempt=exempt, only=only
    )
    if report.broken:
        raise ConformanceError(report)
    return report


def _claims(
    loss: Buildable,
    targets: Iterable[str] | None,
    input: str | None,
    exempt: Mapping[str, str] | None,
) -> Claims:
    """Put together what a class claims and what is given beside."""
    # What functools.partial builds claims what its class does.
    claims = cast(
        "Claims | None", getattr(loss, "claims", getattr(getattr(loss, "func", None), "claims", None))
    )
    if targets is None and claims is None:
        raise ValueError(
            f"which targets does {name_of(loss)} take? Say targets=[...], some of "
            f"{', '.join(targets_of(input or 'logits'))}; or declare claims = Claims(targets=...)"
        )
    known: Mapping[str, Mapping[str, object]] = claims.targets if claims else {}
    chosen: dict[str, Mapping[str, object]] = {
        kind: known.get(kind, {}) for kind in (known if targets is None else _listed(targets, "targets"))
    }
    if claims is None:
        claims = Claims(targets=chosen, low=None, perfect=None, at_soft="elsewhere")
    return attrs.evolve(
        claims,
        targets=chosen,
        input=input or claims.input,
        exempt={**claims.exempt, **(exempt or {})},
    )


def _listed(names: Iterable[_Name], option: str) -> list[_Name]:
    """Refuse a single string, which is an iterable of letters."""
    if isinstance(names, str):
        raise TypeError(f"{option} must be a list, such as [{names!r}], got {names!r}")
    return list(names)


def _known_rules(names: Iterable[str]) -> list[str]:
    names = list(names)
    for name in names:
        if name not in rule_registry:
            near = nearest_names(name, rule_registry)
            hint = f"did you mean {near[0]!r}?" if near else f"the rules are {', '.join(rule_registry)}"
            raise ValueError(f"there is no rule {name!r}: {hint}")
    return names


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else ""
