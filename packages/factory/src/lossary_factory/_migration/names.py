"""What a name in another tool's config means: a callable of a library, a loss of ours, or nothing known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import ConfigPath, listing, show_key

from .records import Record, Records

if TYPE_CHECKING:
    from lossary_registry import Registry

    from .findings import Findings


@attrs.frozen
class Own:
    """A loss of ours.

    Attributes:
        name: Its canonical name.
        change: Why it is none of which anything is known, where that is so.
        is_certain: Whether the very name, or its import path, was written.
    """

    name: str
    change: str = ""
    is_certain: bool = True


Meaning = Own | Record | None


@attrs.define
class Names:
    """Looks names up; nothing is found by nearness of spelling.

    Attributes:
        registry: The losses of ours.
        records: What is known of other libraries.
        library: The library that names without one belong to, where somebody said so.
        findings: Where it is noted what a name cannot be.
    """

    registry: Registry[Any]
    records: Records
    findings: Findings
    library: str | None = None
    own: dict[str, str] = attrs.field(init=False, factory=dict)
    folded: dict[str, str] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        for name in self.registry.list():
            for alias in self.registry.entry(name).names():
                self.own[alias] = name
                self.folded.setdefault(fold(alias), name)

    def meaning(self, written: str, path: ConfigPath) -> Meaning:
        """Return what a name means; None where that was noted as a finding."""
        record = self.records.find(written)
        if record is not None:
            return record
        if written in self.own and (self.library is None or written == self.own[written]):
            return Own(self.own[written], is_certain=written == self.own[written])
        if "." in written:
            return self._dotted(written, path)
        if self.library is not None:
            return self._of_library(written, self.library, path)
        if fold(written) in self.folded:
            return Own(self.folded[fold(written)], is_certain=False)
        self._complain(written, path)
        return None

    def others(self, own: str, parameter: str | None = None) -> list[str]:
        """Name the callables of libraries that are called as a loss of ours is, and take a parameter."""
        known = {fold(name) for name, canonical in self.own.items() if canonical == own}
        return [
            record.name
            for record in self.records.records
            if fold(record.short_name) in known and (parameter is None or parameter in record.parameters)
        ]

    def _dotted(self, written: str, path: ConfigPath) -> Meaning:
        top, _, rest = written.partition(".")
        word = rest.rpartition(".")[2] or rest
        own = self.folded.get(fold(word))
        if own is not None and top == self.registry.entry(own).target.partition(".")[0].partition(":")[0]:
            return Own(own)
        if self.records.is_library(written):
            self._complain(written, path)
            return None
        if own is not None:
            return Own(own, f"nothing is known of {show_key(written)}; ours of that name is {own}")
        self._complain(written, path)
        return None

    def _of_library(self, written: str, library: str, path: ConfigPath) -> Meaning:
        found = self.records.called(written, library)
        if len(found) == 1:
            return found[0]
        self._complain(f"{library}.{written}", path)
        return None

    def _complain(self, written: str, path: ConfigPath) -> None:
        word = written.rpartition(".")[2]
        hint = self._candidates(word)
        message = f"nothing is known of {show_key(written)}, and what it is called says nothing of its number"
        self.findings.refuse("unknown-loss", message, path, hint=hint)

    def _candidates(self, word: str) -> str:
        called = self.records.called(word)
        if called:
            names = listing(record.name for record in called)
            libraries = listing(dict.fromkeys(record.library for record in called))
            return f"known by this name: {names}; write that, or say which with --from ({libraries})"
        core = fold(word).removesuffix("loss")
        parts = {name: fold(name).removesuffix("loss") for name in self.registry.list()}
        near = [name for name, part in parts.items() if core and (part in core or core in part)]
        akin = f"called much like it, which need not mean the same: {listing(near)}\n" if near else ""
        return f"{akin}write the loss that is meant by its name, of which 'lossary list' has all"


def fold(name: str) -> str:
    """Return a name without case and separators."""
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
