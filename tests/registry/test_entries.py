"""What a registry knows about a name."""

import py_compile
import sys
from pathlib import Path
from subprocess import run

import pytest

import lossary_registry
from lossary_registry import Entry, UnknownNameError


@pytest.fixture
def entry(shapes, circle):
    shapes.register(circle, name="circle", aliases=["round"], tags=["flat"], metadata={"sides": 0})
    return shapes.entry("circle")


def test_an_entry_tells_what_was_given(entry):
    """Name, aliases, tags, metadata and registry are attributes."""
    assert (entry.name, entry.aliases, entry.tags, dict(entry.metadata), entry.registry) == (
        "circle",
        ("round",),
        ("flat",),
        {"sides": 0},
        "shapes",
    )


def test_an_entry_names_all_its_names(entry):
    """``names`` gives the canonical name first."""
    assert entry.names() == ("circle", "round")


def test_the_target_is_where_the_class_is_defined(entry, circle):
    """``target`` is ``module:qualname``."""
    assert entry.target == f"{circle.__module__}:Circle"


def test_an_eager_entry_is_resolved_and_available(entry):
    """What is at hand needs nothing else."""
    assert (entry.is_resolved, entry.available, entry.failure, entry.requires, entry.install) == (
        True,
        True,
        "",
        (),
        "",
    )


def test_no_distribution_offers_what_the_program_registers(entry):
    """Only plugins have a distribution."""
    assert entry.distribution == ""


def test_load_returns_the_object(entry, circle):
    """An entry leads to its object."""
    assert entry.load() is circle


def test_where_is_the_line_of_a_direct_call(shapes, circle):
    """``where`` is the file and line that called ``register``."""
    line = sys._getframe().f_lineno + 1
    shapes.register(circle)

    assert shapes.entry("Circle").where == (__file__, line)


def test_where_is_the_line_of_a_decorator(shapes, shape):
    """``where`` is the line of the decorator's call."""
    line = sys._getframe().f_lineno + 2

    @shapes.register(tags=["flat"])
    class Ring(shape): ...

    assert shapes.entry("Ring").where == (__file__, line)


def test_where_is_the_line_of_a_decorator_without_parentheses(shapes, shape):
    """Without parentheses ``where`` is the decorator's line, or, before Python 3.11, that of the class."""
    line = sys._getframe().f_lineno + 2

    @shapes.register
    class Ring(shape): ...

    assert shapes.entry("Ring").where == (__file__, line + (sys.version_info < (3, 11)))


def test_where_is_known_in_a_program_without_sources(tmp_path):
    """Compiled files that were moved keep the paths of their sources, and no place is taken for another."""
    source = Path(lossary_registry.__file__).parent
    target = tmp_path / "lossary_registry"
    target.mkdir()
    compiled = Path("build", "lossary_registry")
    for file in source.glob("*.py"):
        py_compile.compile(file, target / f"{file.stem}.pyc", dfile=str(compiled / file.name))
    script = tmp_path / "program.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lossary_registry import Registry\n"
        "registry = Registry(name='things')\n"
        "registry.register(int)\n"
        "print(registry.entry('int').where, registry._module, registry.entry.__code__.co_filename)\n"
    )
    command = [sys.executable, "-IS", str(script), str(tmp_path)]
    result = run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own

    assert result.stdout == f"{(str(script), 4)} __main__ {compiled / '_base.py'}\n"


def test_where_is_known_without_a_caller_in_python(shapes, circle):
    """A thread that runs ``register`` itself has no frame outside of the package, and still registers."""
    import _thread  # noqa: PLC0415 - threading would call it from a frame of its own
    import time  # noqa: PLC0415

    _thread.start_new_thread(shapes.register, (circle,))
    deadline = time.monotonic() + 10
    while "Circle" not in shapes and time.monotonic() < deadline:
        time.sleep(0.001)

    assert shapes.entry("Circle").where[0].endswith("_registry.py")


def test_an_instruction_without_a_line_is_told_by_its_function(shapes, circle):
    """Code that a tool made may have no line numbers; then the place is where its function begins."""
    code = compile("registry.register(item)", "made.py", "exec")
    code = code.replace(co_linetable=b"")
    exec(code, {"registry": shapes, "item": circle})  # noqa: S102

    assert shapes.entry("Circle").where == ("made.py", 1)


@pytest.mark.parametrize(
    "change", [lambda entry: setattr(entry, "name", "other"), lambda entry: delattr(entry, "name")]
)
def test_an_entry_is_immutable(entry, change):
    """A record cannot be changed behind its registry's back."""
    with pytest.raises(AttributeError, match="Entry is immutable"):
        change(entry)


def test_metadata_is_read_only(entry):
    """The mapping can be read, and not written."""
    with pytest.raises(TypeError):
        entry.metadata["sides"] = 1


def test_metadata_is_copied(shapes, circle):
    """What the caller does to the mapping later stays with the caller."""
    mine = {"sides": 0}
    shapes.register(circle, metadata=mine)
    mine["sides"] = 5

    assert shapes.entry("Circle").metadata == {"sides": 0}


def test_entries_are_equal_by_what_they_say(shapes, circle, square):
    """Two records of the same are equal and hash alike."""
    shapes.register(circle, name="it")
    first = shapes.entry("it")
    shapes.register(square, name="it", force=True)
    other = shapes.entry("it")

    assert first == first._replace()
    assert hash(first) == hash(first._replace())
    assert first != other
    assert first != "it"


def test_the_repr_of_an_entry(entry, circle):
    """One line: the name, where it leads, and its tags."""
    assert repr(entry) == f"<Entry circle -> {circle.__module__}:Circle tags=flat>"


def test_the_repr_of_an_entry_without_tags(shapes, circle):
    """What there is not is not shown."""
    shapes.register(circle)

    assert repr(shapes.entry("Circle")) == f"<Entry Circle -> {circle.__module__}:Circle>"


def test_the_entry_of_an_unknown_name(shapes):
    """Asking for a record that is not there is a KeyError."""
    with pytest.raises(UnknownNameError):
        shapes.entry("circle")


def test_a_snapshot_is_a_mapping_of_names_to_entries(shapes, entry):
    """A snapshot leaves aliases out, and cannot be written."""
    snapshot = shapes.snapshot()

    assert dict(snapshot) == {"circle": entry}
    with pytest.raises(TypeError):
        snapshot["other"] = entry


def test_a_snapshot_does_not_move(shapes, entry, square):
    """What is registered later is not in it."""
    snapshot = shapes.snapshot()
    shapes.register(square)

    assert [*snapshot] == ["circle"]


def test_version_grows_with_every_change(shapes, circle):
    """Registering and unregistering both count; looking around does not."""
    versions = [shapes.version]
    shapes.register(circle)
    versions.append(shapes.version)
    shapes.get("Circle")
    shapes.list()
    shapes.snapshot()
    versions.append(shapes.version)
    shapes.unregister("Circle")
    versions.append(shapes.version)

    assert versions == [0, 1, 1, 2]


def test_entries_are_public():
    """The record's class has a public name, for annotations."""
    assert Entry.__module__.startswith("lossary_registry")
