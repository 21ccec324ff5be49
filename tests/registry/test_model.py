"""Random sequences of everything that changes a registry, against a plain dictionary."""

import itertools
import sys
import types

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lossary_registry import DuplicateNameError, FrozenRegistryError, Registry, UnknownNameError


class Base:
    """What the machine registers subclasses of."""


# One set for names and aliases, small enough that they collide often.
NAMES = st.sampled_from("abcdef")
ALIASES = st.lists(NAMES, max_size=2, unique=True)
TAGS = st.lists(st.sampled_from(["red", "round", "big"]), max_size=2, unique=True)


class Model:
    """What a registry should hold: records by canonical name, in order."""

    def __init__(self):
        self.records = {}
        self.frozen = False

    def holder(self, key):
        for name, record in self.records.items():
            if key == name or key in record["aliases"]:
                return name
        return None

    def copy(self):
        other = Model()
        other.records = {name: {**record} for name, record in self.records.items()}
        other.frozen = self.frozen
        return other


def without(record, keys):
    return {**record, "aliases": [alias for alias in record["aliases"] if alias not in keys]}


class Override:
    """What the model knows of a running override."""

    def __init__(self, manager, name, previous):
        self.manager = manager
        self.name = name
        self.previous = previous
        self.mark = object()

    def stand_in(self, model, item):
        model.records[self.name] = {**model.records[self.name], "item": item, "mark": self.mark}

    def leave(self, model):
        stand_in = model.records.get(self.name)
        if stand_in is None or stand_in["mark"] is not self.mark:
            return None
        if self.previous is None:  # what it stood for went with a block that has ended
            del model.records[self.name]
            return stand_in
        taken = [key for key in self.previous["aliases"] if model.holder(key) not in (None, self.name)]
        model.records[self.name] = without(self.previous, taken)
        return stand_in


class Block:
    """What the model knows of a running isolated block."""

    def __init__(self, manager, before):
        self.manager = manager
        self.before = before


class RegistryMachine(RuleBasedStateMachine):
    """Does the same to a registry and to the model, and compares them after each step."""

    def __init__(self):
        super().__init__()
        self.registry = Registry(Base, "machine")
        self.model = Model()
        self.scopes = []
        self.module = types.ModuleType("machine_module")
        sys.modules["machine_module"] = self.module

    def teardown(self):
        for scope in self.scopes:
            scope.manager.__exit__(None, None, None)
        del sys.modules["machine_module"]

    def new_class(self):
        # Local classes are never taken for the same definition, so every collision is a real one.
        return type("<locals>.Some", (Base,), {})

    def change(self, action, *, conflict):
        """Run an action that has to fail if the registry is frozen or names collide, and tell if it ran."""
        before = self.registry.version, [*self.registry.snapshot().items()]
        expected = FrozenRegistryError if self.model.frozen else conflict
        if expected is None:
            action()
            return True
        try:
            action()
        except expected:
            assert before == (self.registry.version, [*self.registry.snapshot().items()])
            return False
        raise AssertionError(f"{expected.__name__} was not raised")

    def put(self, name, record):
        """Do in the model what a registration does: take the names from whoever holds them."""
        keys = [name, *record["aliases"]]
        for key in keys:
            holder = self.model.holder(key)
            if holder is None or holder == name:
                continue
            if holder in keys:
                del self.model.records[holder]
            else:
                self.model.records[holder] = without(self.model.records[holder], keys)
        self.model.records[name] = record

    @rule(name=NAMES, aliases=ALIASES, tags=TAGS, force=st.booleans())
    def register(self, name, aliases, tags, force):
        """Register a class, by force or only if all of its names are free."""
        item = self.new_class()
        aliases = [alias for alias in aliases if alias != name]
        taken = any(self.model.holder(key) is not None for key in (name, *aliases))
        done = self.change(
            lambda: self.registry.register(item, name=name, aliases=aliases, tags=tags, force=force),
            conflict=DuplicateNameError if taken and not force else None,
        )
        if done:
            self.put(name, {"aliases": aliases, "tags": tags, "item": item, "mark": object()})

    @rule(name=NAMES, aliases=ALIASES, tags=TAGS)
    def register_lazy(self, name, aliases, tags):
        """Announce a class that a module has."""
        attribute = f"Lazy{len(vars(self.module))}"
        item = type(attribute, (Base,), {"__module__": "machine_module"})
        aliases = [alias for alias in aliases if alias != name]
        taken = any(self.model.holder(key) is not None for key in (name, *aliases))
        setattr(self.module, attribute, item)
        done = self.change(
            lambda: self.registry.register_lazy(
                name, f"machine_module:{attribute}", aliases=aliases, tags=tags
            ),
            conflict=DuplicateNameError if taken else None,
        )
        if done:
            self.put(name, {"aliases": aliases, "tags": tags, "item": item, "mark": object()})

    @rule(key=NAMES)
    def unregister(self, key):
        """Take something out through any of its names."""
        holder = self.model.holder(key)
        done = self.change(
            lambda: self.registry.unregister(key), conflict=UnknownNameError if holder is None else None
        )
        if done:
            del self.model.records[holder]

    @rule(key=NAMES)
    def look_up(self, key):
        """Look something up, which loads it if it is lazy."""
        holder = self.model.holder(key)
        expected = None if holder is None else self.model.records[holder]["item"]
        assert self.registry.get(key, None) is expected

    @rule(key=NAMES)
    def begin_override(self, key):
        """Let a name lead elsewhere."""
        item = self.new_class()
        holder = self.model.holder(key)
        manager = self.registry.override(key, item)
        done = self.change(manager.__enter__, conflict=UnknownNameError if holder is None else None)
        if done:
            override = Override(manager, holder, self.model.records[holder])
            override.stand_in(self.model, item)
            self.scopes.append(override)

    @rule(empty=st.booleans())
    def begin_isolated(self, empty):
        """Begin a block that undoes everything."""
        manager = self.registry.isolated(empty=empty)
        self.scopes.append(Block(manager, self.model.copy()))
        manager.__enter__()
        self.model.frozen = False
        if empty:
            self.model.records = {}

    @precondition(lambda self: self.scopes)
    @rule(data=st.data())
    def end(self, data):
        """End any of the blocks and overrides that run, whichever began first."""
        position = data.draw(st.integers(0, len(self.scopes) - 1))
        ended = self.scopes.pop(position)
        above = self.scopes[position:]
        ended.manager.__exit__(None, None, None)
        if isinstance(ended, Override):
            for state in (self.model, *[scope.before for scope in above if isinstance(scope, Block)]):
                ended.leave(state)
            for scope in above:
                if isinstance(scope, Override) and scope.previous and scope.previous["mark"] is ended.mark:
                    scope.previous = ended.previous
            return
        overrides = [*itertools.takewhile(lambda scope: isinstance(scope, Override), above)]
        state = above[len(overrides)].before if len(overrides) < len(above) else self.model
        stand_ins = [override.leave(state) for override in reversed(overrides)]
        state.records, state.frozen = ended.before.copy().records, ended.before.frozen
        for override, stand_in in zip(overrides, reversed(stand_ins), strict=True):
            override.previous = state.records.get(override.name)
            if stand_in and override.previous:
                override.stand_in(state, stand_in["item"])

    @precondition(lambda self: any(isinstance(scope, Block) for scope in self.scopes))
    @rule()
    def freeze(self):
        """Freeze the registry, for as long as a block lasts."""
        self.registry.freeze()
        self.model.frozen = True

    @invariant()
    def names_agree(self):
        """The names are those of the model, in order and sorted."""
        assert [*self.registry] == [*self.model.records]
        assert self.registry.list() == sorted(self.model.records)
        assert len(self.registry) == len(self.model.records)

    @invariant()
    def every_name_leads_where_it_should(self):
        """Each name and alias leads to its record, and no other name is known."""
        for key in "abcdef":
            holder = self.model.holder(key)
            assert (key in self.registry) == (holder is not None)
            if holder is not None:
                entry = self.registry.entry(key)
                assert entry.name == holder
                assert [*entry.aliases] == self.model.records[holder]["aliases"]
                assert entry.load() is self.model.records[holder]["item"]

    @invariant()
    def tags_agree(self):
        """The tag index is what a scan of the records gives."""
        for tag in ("red", "round", "big"):
            expected = sorted(name for name, record in self.model.records.items() if tag in record["tags"])
            assert self.registry.filter_by_tag(tag) == expected

    @invariant()
    def ready_objects_agree(self):
        """The dictionary that answers look-ups holds nothing that the records do not."""
        for key, item in self.registry._objects.items():
            assert self.model.records[self.model.holder(key)]["item"] is item


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
