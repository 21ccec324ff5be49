"""What stands out in a report, in words."""

from collections.abc import Iterator, Mapping, Sequence

from lossary_losses.insight.parts import ClassPull, Conflict, Health, TermPull

__all__ = ["of_classes", "of_health", "of_samples", "of_terms"]

_UNEVEN = 0.2
"""How far a share of the value and one of the pull are apart that is worth a word."""
_OPPOSED = -0.1
_MOST = 0.5


def of_health(health: Health, norm: float) -> Iterator[str]:
    """Say what is wrong with a gradient of a length."""
    for where, count in health.non_finite.items():
        if count:
            yield f"NaN or infinite in the {where}: {count}"
    counted = health.elements - health.excluded
    if not counted:
        yield "nothing counts: every element is excluded"
    elif not norm:
        yield "nothing pulls: the gradient is zero everywhere"
    elif health.dead > _MOST * counted:
        yield f"{health.dead / counted:.0%} of what counts has no gradient to speak of"
    if health.saturated:
        yield f"{health.saturated} elements are wrong and have no gradient to speak of: they are saturated"
    if health.largest > _MOST and counted > 1:
        yield f"a single element has {health.largest:.0%} of the pull"


def of_terms(terms: Mapping[str, TermPull], conflicts: Sequence[Conflict]) -> Iterator[str]:
    """Say which terms pull less, more or otherwise than their value lets expect."""
    for name, term in terms.items():
        if term.pull < 0:
            yield f"{name} works against the sum: its pull is {term.pull:.0%}"
        elif abs(term.share - term.pull) > _UNEVEN:
            yield f"{name} has {term.share:.0%} of the value and {term.pull:.0%} of the pull"
    for each in conflicts:
        if each.cosine < _OPPOSED:
            yield f"{each.first} and {each.second} pull in opposite directions: cosine {each.cosine:.2f}"


def of_classes(classes: Mapping[str, ClassPull], norm: float) -> Iterator[str]:
    """Say which classes pull alone, or not at all."""
    for name, each in classes.items():
        if each.counted and not each.pull and norm:
            yield f"class {name} is in the target and pulls nothing"
        elif each.pull > _MOST and len(classes) > 1:
            yield f"class {name} has {each.pull:.0%} of the pull"


def of_samples(samples: Sequence[float]) -> Iterator[str]:
    """Say which sample pulls nearly alone."""
    for index, share in enumerate(samples):
        if share > _MOST and len(samples) > 1:
            yield f"sample {index} of {len(samples)} has {share:.0%} of the pull"
