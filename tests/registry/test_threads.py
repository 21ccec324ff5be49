"""Many threads at once."""

import contextlib
import gc
import importlib
import itertools
import sys
import threading
import time

import pytest

from lossary_registry import DuplicateNameError, FrozenRegistryError, Registry, UnknownNameError
from lossary_registry._store import writing

pytestmark = pytest.mark.xdist_group("processes")

THREADS = 8
SECONDS = 1.0


@pytest.fixture(autouse=True)
def _restless():
    """Threads take turns a thousand times more often than usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run_together(*functions):
    """Run functions in a thread each, let them begin together, and return what they raised."""
    errors = []
    start = threading.Barrier(len(functions))

    def guard(function):
        start.wait(30)
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - whatever a thread raises fails the test
            errors.append(error)

    threads = [threading.Thread(target=guard, args=(function,), daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return errors


def test_nothing_is_lost_and_nothing_raises(shapes, shape):
    """While writers register and unregister, no reader fails, and no registration is lost."""
    stays = type("Stays", (shape,), {})
    shapes.register(stays, name="stays", aliases=["remains"], tags=["kept"])
    kept = [set() for _ in range(THREADS // 2)]
    deadline = time.monotonic() + SECONDS

    def write(number):
        count = 0
        while time.monotonic() < deadline:
            name = f"{number}/{count}"
            shapes.register(type("Comes", (shape,), {}), name=name, aliases=[f"alias {name}"], tags=["kept"])
            kept[number].add(name)
            if count % 2:
                shapes.unregister(name)
                kept[number].discard(name)
            count += 1

    def read():
        while time.monotonic() < deadline:
            assert shapes["stays"] is shapes["remains"] is stays
            assert shapes.get("never", None) is None
            assert "stays" in shapes.filter_by_tag("kept")
            for name, entry in shapes.snapshot().items():
                assert entry.name == name
            assert {*shapes.list()} >= {"stays"}
            assert len([*shapes]) > 0
            assert shapes.list_with_tags()["stays"] == ["kept"]

    writers = [lambda number=number: write(number) for number in range(THREADS // 2)]
    assert run_together(*writers, *[read] * (THREADS // 2)) == []
    expected = {"stays"}.union(*kept)
    assert {*shapes.list()} == expected
    assert {*shapes.filter_by_tag("kept")} == expected
    assert all(shapes[f"alias {name}"] is shapes[name] for name in expected - {"stays"})


def test_a_contended_name_has_one_winner(shapes, shape):
    """Of many threads that want one name, exactly one gets it, and all of its aliases with it."""
    for turn in range(100):
        candidates = [type(f"Candidate{number}", (shape,), {}) for number in range(THREADS)]
        winners = []

        def contend(item, turn=turn, winners=winners):
            try:
                shapes.register(
                    item, name=f"name {turn}", aliases=[f"alias {turn}", item.__name__ + str(turn)]
                )
            except DuplicateNameError:
                return
            winners.append(item)

        assert run_together(*[lambda item=item: contend(item) for item in candidates]) == []
        assert len(winners) == 1
        assert shapes[f"name {turn}"] is shapes[f"alias {turn}"] is winners[0]
        assert sum(f"{item.__name__}{turn}" in shapes for item in candidates) == 1


def test_a_replaced_name_is_never_away(shapes, shape):
    """While a name is replaced again and again, every look-up of it or of its alias finds something."""
    deadline = time.monotonic() + SECONDS
    shapes.register(shape, name="it", aliases=["also"])

    def replace():
        while time.monotonic() < deadline:
            shapes.register(type("New", (shape,), {}), name="it", aliases=["also"], force=True)

    def read():
        while time.monotonic() < deadline:
            shapes.get("it")
            shapes.get("also")
            shapes.entry("also")

    assert run_together(replace, replace, read, read) == []


def test_a_name_is_not_away_while_a_block_begins_or_ends(shapes, circle):
    """What is there before, within and after an isolated block is there in between as well."""
    shapes.register_lazy("lazy", "json:JSONDecoder")
    shapes.register(circle, name="stays")
    deadline = time.monotonic() + SECONDS

    def isolate():
        while time.monotonic() < deadline:
            with shapes.isolated():
                pass

    def read():
        while time.monotonic() < deadline:
            shapes.entry("lazy")
            shapes.get("stays")

    assert run_together(isolate, read, read) == []


def test_names_come_before_their_aliases_and_go_after_them(shapes, circle):
    """Whenever a reader looks, an alias leads to an entry whose name is there as well."""
    order = []

    class Recorder(dict):
        def __setitem__(self, key, value):
            order.append(f"+{key}")
            super().__setitem__(key, value)

        def __delitem__(self, key):
            order.append(f"-{key}")
            super().__delitem__(key)

    shapes._store.entries = Recorder()
    shapes.register(circle, name="name", aliases=["alias", "other"])
    shapes.unregister("alias")

    assert order == ["+name", "+alias", "+other", "-other", "-alias", "-name"]


def run_interrupted(action, handler, number):
    """Run an action, and a handler in the middle of it as a signal would; tell whether it came to that.

    The interpreter looks for signals when a function begins: number counts the store's.
    """
    left = number

    def trace(frame, event, _):
        nonlocal left
        left -= frame.f_code.co_filename.endswith("_store.py")
        if left == 0:
            handler()

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return left <= 0


@pytest.mark.parametrize("ask", [len, list, lambda registry: registry.get("circle")])
def test_a_signal_handler_may_register_in_the_middle_of_a_write(shape, circle, square, ask):
    """What runs within a write, in the same thread, registers and is kept, and so is the write."""
    for number in itertools.count(1):
        registry = Registry(shape, "shapes")
        registry.register(circle, name="circle", aliases=["round"])
        was_interrupted = run_interrupted(
            lambda registry=registry: ask(registry) and registry.register(square, name="round", force=True),
            lambda registry=registry: registry.register(shape, name="of the handler"),
            number,
        )
        if not was_interrupted:
            break
        assert registry.list() == ["circle", "of the handler", "round"]
        assert (registry["circle"], registry["round"]) == (circle, square)
    assert number > 5


def test_a_signal_handler_may_register_while_a_block_begins_or_ends(shape, circle):
    """A block undoes what it did, and nothing else is lost, whenever it was interrupted."""
    for number in itertools.count(1):
        registry = Registry(shape, "shapes")
        registry.register(circle, name="circle", aliases=["round"])

        def isolate(registry=registry):
            with registry.isolated(empty=True):
                registry.register(circle, name="within")

        if not run_interrupted(isolate, lambda registry=registry: registry.register(shape), number):
            break
        assert {*registry.list()} - {"Shape"} == {"circle"}
        assert registry["round"] is circle
        assert registry._store.scopes == ()
    assert number > 5


@pytest.mark.parametrize("begin", [lambda r: r.isolated(), lambda r: r.override("it", print)])
def test_no_destructor_runs_under_the_lock(begin):
    """What goes at the end of a block is destroyed when nothing holds the lock."""
    held = []

    class Dying:
        def __call__(self): ...

        def __del__(self):
            held.append(writing.lock._is_owned())

    registry = Registry(name="things")
    registry.register(len, name="it")
    with begin(registry):
        registry.register(Dying(), name="it", force=True)
        if "isolated" not in begin.__code__.co_names:
            registry.unregister("it")
    gc.collect()
    registry.list()

    assert held == [False]


def test_overrides_in_many_threads_end_with_what_was_there(shapes, shape):
    """However overrides of one name overlap, after the last has ended the first object is back."""
    original = type("Original", (shape,), {})
    shapes.register(original, name="it", aliases=["also"])
    deadline = time.monotonic() + SECONDS

    def override():
        stand_in = type("StandIn", (shape,), {})
        while time.monotonic() < deadline:
            with shapes.override("it", stand_in):
                shapes.get("also")

    assert run_together(*[override] * THREADS) == []
    assert shapes["it"] is shapes["also"] is original
    assert shapes._store.scopes == ()


def test_scopes_in_many_threads_leave_the_registry_as_it_was(shape):
    """However blocks and overrides overlap, after the last has ended all is as it was before the first."""
    parent = Registry(shape, "parent")
    original = parent.register(type("Original", (shape,), {}), name="it", aliases=["also"])
    registry = Registry(shape, "child", parent=parent)
    registry.register(original, name="own", aliases=["mine"])
    before = [*registry._store.entries.items()]
    deadline = time.monotonic() + SECONDS

    def isolate(number):
        while time.monotonic() < deadline:
            with registry.isolated(empty=number % 2 == 0):
                registry.register(type("<locals>.New", (shape,), {}), name=f"{number}", force=True)

    def override(name):
        stand_in = type("StandIn", (shape,), {})
        while time.monotonic() < deadline:
            with contextlib.suppress(UnknownNameError), registry.override(name, stand_in):
                registry.list()

    isolating = [lambda number=number: isolate(number) for number in range(4)]
    overriding = [lambda name=name: override(name) for name in ("it", "own", "mine")]
    assert run_together(*isolating, *overriding) == []
    assert [*registry._store.entries.items()] == before
    assert registry["it"] is registry["also"] is registry["own"] is registry["mine"] is original
    assert registry._store.scopes == ()
    assert {*registry._objects} == {"own", "mine"}


def test_a_lazy_entry_is_the_same_for_all(write_module):
    """Many threads that load one entry at once get one object."""
    write_module("slow_module", "import time\ntime.sleep(0.05)\nclass Cube: ...")
    registry = Registry(name="solids")
    registry.register_lazy("cube", "slow_module:Cube", aliases=["box"])
    found = []

    assert run_together(*[lambda: found.append(registry.get("box"))] * THREADS) == []
    assert {*found} == {sys.modules["slow_module"].Cube}


def test_a_look_up_and_an_import_do_not_wait_for_each_other(write_module):
    """A module that registers while a look-up of its entry imports it: no lock is held during imports.

    One thread holds the import lock and wants to write; the other looks up and wants the import lock.
    """
    for turn in range(20):
        write_module(f"host{turn}", "from lossary_registry import Registry\nsolids = Registry(name='solids')")
        write_module(
            f"racing{turn}",
            f"""
            import time
            from host{turn} import solids
            time.sleep(0.005)
            @solids.register("cube")
            class Cube: ...
            solids.list()
            solids.get("cube")
            """,
        )
        solids = importlib.import_module(f"host{turn}").solids
        solids.register_lazy("cube", f"racing{turn}:Cube")

        errors = run_together(
            lambda turn=turn: importlib.import_module(f"racing{turn}"),
            lambda solids=solids: solids.get("cube"),
        )

        assert errors == []
        assert solids["cube"] is sys.modules[f"racing{turn}"].Cube


def test_a_subclass_check_that_registers_does_not_hang():
    """The base check runs other people's code, so it runs without the lock, even from another thread."""

    class Meta(type):
        def __subclasscheck__(cls, other):
            if other is int:
                thread = threading.Thread(target=lambda: registry.register(str, name="other thread"))
                thread.start()
                thread.join(10)
            return True

    base = Meta("Base", (), {})
    registry = Registry(base)

    registry.register(int)

    assert registry.list() == ["int", "other thread"]


@pytest.fixture
def meanwhile(shapes, monkeypatch):
    """A function that lets something happen between the next decision of a writer and its application."""
    store = type(shapes._store)

    def arrange(action, step="swap"):
        original = getattr(store, step)

        def act_first(*args, **kwargs):
            monkeypatch.setattr(store, step, original)
            action()
            return original(*args, **kwargs)

        monkeypatch.setattr(store, step, act_first)

    return arrange


def test_a_writer_that_lost_a_race_decides_again(shapes, circle, square, meanwhile):
    """A decision based on what is no longer true is not applied."""
    shapes.register(circle, name="it")
    meanwhile(lambda: shapes.unregister("it"))
    shapes.register(square, name="it", force=True)

    assert shapes["it"] is square


def test_an_unregistration_that_lost_a_race(shapes, circle, meanwhile):
    """If somebody else took the entry out first, it is unknown."""
    shapes.register(circle, name="it")
    meanwhile(lambda: shapes.unregister("it"))

    with pytest.raises(UnknownNameError):
        shapes.unregister("it")


def test_a_writer_that_lost_a_race_against_freeze(shapes, circle, square, meanwhile):
    """A change that was decided before the registry froze and comes after is refused."""
    shapes.register(circle, name="it")
    meanwhile(shapes.freeze)

    with pytest.raises(FrozenRegistryError):
        shapes.register(square, name="it", force=True)
    assert shapes["it"] is circle


def test_an_override_that_lost_a_race_lies_on_what_is_there_now(shapes, circle, square, shape, meanwhile):
    """An override begun on what was just replaced begins again on the replacement."""
    shapes.register(circle, name="it")
    meanwhile(lambda: shapes.register(square, name="it", force=True))
    with shapes.override("it", shape):
        assert shapes["it"] is shape

    assert shapes["it"] is square


def test_a_block_that_begins_after_a_lost_race_comes_back_to_what_is_there_now(
    shapes, circle, square, meanwhile
):
    """What was registered while the block was about to begin was there before it."""
    shapes.register(circle, name="it")
    meanwhile(lambda: shapes.register(square, name="late"), "restore")
    with shapes.isolated(empty=True):
        assert shapes.list() == []

    assert shapes.list() == ["it", "late"]


def test_a_block_that_ends_after_a_lost_race_undoes_what_is_there_now(shapes, circle, square, meanwhile):
    """What was registered, or which other block began, while this one was about to end was done in it."""
    other = shapes.isolated()
    with shapes.isolated():
        shapes.register(circle, name="it")
        meanwhile(lambda: shapes.register(square, name="late"), "restore")
    with shapes.isolated():
        meanwhile(other.__enter__, "view")
    other.__exit__(None, None, None)

    assert (shapes.list(), shapes._store.scopes) == ([], ())


class Interrupted(dict):
    """Entries that let something happen while they are read, once, as a signal may."""

    def __init__(self, entries, **handlers):
        super().__init__(entries)
        self.handlers = handlers

    def copy(self):
        copied = Interrupted(self, **self.handlers)
        self.handlers.pop("copy", int)()
        copied.handlers.pop("copy", int)
        return copied

    def items(self):
        self.handlers.pop("items", int)()
        return super().items()


@pytest.mark.parametrize("step", ["copy", "items"])
def test_a_signal_handler_that_registers_while_an_alias_becomes_a_name(shapes, circle, square, shape, step):
    """A listing, or a new order of the names, that was made of what is no longer there is made again."""
    shapes.register(circle, name="circle", aliases=["round"])
    handler = {step: lambda: shapes.register(shape, name="of the handler")}
    shapes._store.entries = Interrupted(shapes._store.entries, **handler)
    shapes._store.cached = None

    shapes.register(square, name="round", force=True)

    assert [*shapes] == ["circle", "of the handler", "round"]
