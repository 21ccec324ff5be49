"""The same thing again, the same definition again, and something else under a taken name."""

import importlib
import importlib.util
import sys
import textwrap
import warnings

import pytest

from lossary_registry import DuplicateNameError, RegistrationWarning, Registry

CELL = """
@shapes.register(name="it", tags=[{tag!r}])
class Ring(Shape): ...
"""


@pytest.fixture
def run_cell(shapes, shape):
    """A function that runs code as a notebook does: in one namespace, each cell a file of its own."""
    namespace = {"__name__": "__main__", "shapes": shapes, "Shape": shape}

    def run(source, file="<ipython-input-1>"):
        exec(compile(source, file, "exec"), namespace)  # noqa: S102
        return namespace["Ring"]

    return run


@pytest.fixture
def silent():
    """Whatever warns fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("silent")
def test_the_same_object_again_changes_nothing(shapes, circle):
    """Registering again what is registered is silent, and no new version."""
    shapes.register(circle, tags=["flat"], aliases=["round"], metadata={"sides": 0})
    before = shapes.version

    shapes.register(circle)
    shapes.register(circle, tags=["flat"], aliases=["round"], metadata={"sides": 0})

    assert (before, ("flat",)) == (shapes.version, shapes.entry("Circle").tags)


@pytest.mark.parametrize(
    ("option", "value"),
    [("tags", ("round",)), ("metadata", {"sides": 1}), ("aliases", ("disc",))],
)
def test_the_same_object_with_another_option_replaces_and_warns(shapes, circle, option, value):
    """Two registrations that disagree about the same object may be a copy that nobody meant."""
    shapes.register(circle, tags=["flat"], aliases=["round"], metadata={"sides": 0})

    with pytest.warns(RegistrationWarning):
        shapes.register(circle, **{option: value})

    assert getattr(shapes.entry("Circle"), option) == value


class Array:
    """Compares item by item, as arrays do, and has no truth of its own unless it is told as a whole."""

    __hash__ = None

    def __init__(self, *items):
        self.items = items

    def __eq__(self, other):
        return Array(*(one == two for one, two in zip(self.items, other.items, strict=True)))

    def __bool__(self):
        raise ValueError("the truth value of an array is ambiguous")

    def all(self):
        return all(self.items)


@pytest.mark.usefixtures("silent")
def test_the_same_object_with_an_array_in_its_metadata_changes_nothing(shapes, circle):
    """Arrays are alike if all of their items are."""
    shapes.register(circle, metadata={"weights": Array(1, 2), "sides": 0})
    before = shapes.version

    shapes.register(circle, metadata={"weights": Array(1, 2), "sides": 0})

    assert shapes.version == before


@pytest.mark.parametrize(
    "other",
    [{"weights": Array(1, 3)}, {"weights": Array(1)}, {"weights": [Array(1, 2)]}, {"more": Array(1, 2)}],
)
def test_the_same_object_with_another_array_replaces_and_warns(shapes, circle, other):
    """What differs, or cannot be compared, is another option."""
    shapes.register(circle, metadata={"weights": Array(1, 2)})

    with pytest.warns(RegistrationWarning):
        shapes.register(circle, metadata=other)

    assert shapes.entry("Circle").metadata == other


@pytest.mark.usefixtures("silent")
def test_force_warns_of_nothing(shapes, circle):
    """Who forces has said what they want."""
    shapes.register(circle, tags=["flat"])
    shapes.register(circle, tags=["round"], force=True)

    assert shapes.entry("Circle").tags == ("round",)


@pytest.mark.usefixtures("silent")
def test_a_cell_that_ran_again_replaces(shapes, run_cell):
    """A notebook's second run of a cell replaces what the first made, silently."""
    run_cell(CELL.format(tag="first"))
    second = run_cell(CELL.format(tag="second"), "<ipython-input-2>")

    assert shapes["it"] is second
    assert shapes.list_with_tags() == {"it": ["second"]}


@pytest.mark.usefixtures("silent")
def test_a_cell_in_a_file_of_the_kernel_replaces(shapes, run_cell):
    """Newer kernels give each cell a temporary file, named after themselves."""
    run_cell(CELL.format(tag="first"), "/tmp/ipykernel_7/1.py")  # noqa: S108
    second = run_cell(CELL.format(tag="second"), "/tmp/ipykernel_7/2.py")  # noqa: S108

    assert shapes["it"] is second


@pytest.fixture
def shapes_module(write_module):
    """A module that registers a class in a registry of another module, which stays as it is."""
    write_module(
        "base_of_shapes",
        """
        from lossary_registry import Registry
        class Shape: ...
        shapes = Registry(Shape, "shapes")
        """,
    )
    source = textwrap.dedent(
        """
        from base_of_shapes import Shape, shapes
        @shapes.register()
        class Ring(Shape): ...
        """
    )
    return write_module("more_shapes", source), source


@pytest.mark.usefixtures("silent", "shapes_module")
def test_a_reload_replaces():
    """``importlib.reload`` of an unchanged module replaces its classes, silently."""
    module = importlib.import_module("more_shapes")
    first = module.Ring
    importlib.reload(module)

    assert first is not module.shapes["Ring"] is module.Ring


def test_a_reload_of_moved_lines_replaces_and_warns(shapes_module, write_module):
    """Lines that moved may be an edit or a copy: the class is replaced, and the warning names both lines."""
    module = importlib.import_module("more_shapes")
    _, source = shapes_module
    write_module(
        "more_shapes", "\n\n\n" + source + "\n# longer, so that no cached byte code is taken for it\n"
    )

    with pytest.warns(
        RegistrationWarning, match=r"more_shapes.py:3, is replaced by the Ring at .*more_shapes.py:6"
    ):
        importlib.reload(module)

    assert module.shapes["Ring"] is module.Ring


@pytest.mark.usefixtures("silent")
def test_one_file_under_two_module_names_replaces(shapes_module):
    """A file that is imported as a module and run as a script defines the same class twice."""
    path, _ = shapes_module
    module = importlib.import_module("more_shapes")
    spec = importlib.util.spec_from_file_location("other_shapes", path)
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)

    assert module.shapes["Ring"] is other.Ring


HELPER = """
from lossary_registry import Registry
class Base:
    def __init_subclass__(cls):
        inherited.register(cls)
inherited = Registry(Base, "inherited")
shapes = Registry(name="shapes")
def adopt(item):
    return shapes.register(item)
"""


def run_twice(write_module, source, names=("twice", "__other_main__")):
    """Import one file under two names, as ``python -m`` does with what it also imports."""
    path = write_module("twice", source)
    modules = []
    for name in names:
        spec = importlib.util.spec_from_file_location(name, path)
        modules.append(importlib.util.module_from_spec(spec))
        sys.modules[name] = modules[-1]
        spec.loader.exec_module(modules[-1])
    return modules


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    "definition",
    [
        "from helper import adopt\n@adopt\nclass Ring: ...",
        "from helper import Base\nclass Ring(Base): ...",
        "from helper import shapes\nclass Outer:\n    @shapes.register\n    class Ring: ...",
    ],
    ids=["a helper", "__init_subclass__", "a nested class"],
)
def test_one_file_under_two_module_names_replaces_whoever_registers(write_module, definition):
    """Where the class is defined decides, and not which line called ``register``."""
    write_module("helper", HELPER)
    first, second = run_twice(write_module, definition)
    rings = [getattr(module, "Outer", module).Ring for module in (first, second)]
    helper = sys.modules["helper"]
    registry = helper.shapes if "Ring" in helper.shapes else helper.inherited

    assert rings[0] is not registry["Ring"] is rings[1]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
@pytest.mark.usefixtures("silent")
def test_a_class_with_type_parameters_is_defined_where_it_stands(write_module):
    """Such a class is a level deeper in the code of its file than others are."""
    write_module("helper", HELPER)
    path = write_module("twice", "from helper import shapes\n@shapes.register\nclass Ring[T]: ...")
    for name in ("one", "other"):  # not among the imported modules
        spec = importlib.util.spec_from_file_location(name, path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))

    assert sys.modules["helper"].shapes["Ring"].__module__ == "other"


def test_two_classes_of_one_name_are_told_apart_by_their_modules(write_module):
    """Where one helper registers both, its line says nothing: the message names the modules."""
    write_module("helper", HELPER)
    for name in ("one_ring", "other_ring"):
        write_module(name, "from helper import adopt\n@adopt\nclass Ring: ...")
    importlib.import_module("one_ring")

    with pytest.raises(DuplicateNameError, match=r"by  one_ring:Ring .*\n.* now other_ring:Ring "):
        importlib.import_module("other_ring")


@pytest.mark.usefixtures("shapes_module")
def test_two_files_with_the_same_class_name_collide(write_module, shapes_module):
    """Another file's class of the same name is another class, and the message names both files."""
    module = importlib.import_module("more_shapes")
    write_module("foreign_shapes", shapes_module[1])

    with pytest.raises(DuplicateNameError) as caught:
        importlib.import_module("foreign_shapes")

    assert "more_shapes.py:3" in str(caught.value)
    assert "foreign_shapes.py:3" in str(caught.value)
    assert module.shapes["Ring"] is module.Ring


def test_two_imports_of_one_name_collide(write_module):
    """A file that registers what it imports defines nothing: two classes of one name are two classes."""
    write_module("one_ring", "class Ring: ...")
    write_module("other_ring", "class Ring: ...")
    write_module(
        "collected_rings",
        """
        import lossary_registry, one_ring, other_ring
        rings = lossary_registry.Registry(name="rings")
        rings.register(one_ring.Ring)
        rings.register(other_ring.Ring)
        """,
    )

    with pytest.raises(DuplicateNameError, match="'Ring' is already taken"):
        importlib.import_module("collected_rings")


def test_code_out_of_strings_has_no_file(shapes, shape):
    """Two modules made from strings share the name ``<string>``, and are not one file."""
    source = "@shapes.register\nclass Ring(Shape): ..."
    exec(source, {"__name__": "one", "shapes": shapes, "Shape": shape})  # noqa: S102

    with pytest.raises(DuplicateNameError):
        exec(source, {"__name__": "other", "shapes": shapes, "Shape": shape})  # noqa: S102


def test_two_definitions_in_one_file_warn(write_module):
    """A class that was copied and not renamed replaces the first, with a warning."""
    write_module(
        "copied_shapes",
        """
        from lossary_registry import Registry
        shapes = Registry(name="shapes")
        @shapes.register
        class Ring: ...
        @shapes.register
        class Ring: ...
        """,
    )

    with pytest.warns(RegistrationWarning) as caught:
        module = importlib.import_module("copied_shapes")

    assert caught[0].filename == module.__file__
    assert module.shapes["Ring"] is module.Ring


def test_a_warning_that_is_an_error_changes_nothing(shapes, circle):
    """Where warnings are errors, the failed call leaves the registry as it was."""
    shapes.register(circle, tags=["flat"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RegistrationWarning):
            shapes.register(circle, tags=["round"])

    assert shapes.entry("Circle").tags == ("flat",)


NAMELESS = {
    "a partial": "shapes.register(functools.partial(int, base=2), name='it')",
    "a lambda": "shapes.register(lambda: 1, name='it')",
    "an object": "shapes.register(Callable(), name='it')",
    "a closure": "@shapes.register('it')\n@wrap\ndef function(): ...",
    "a class of a function": "def make():\n    @shapes.register('it')\n    class Ring: ...\nmake()",
}
NAMELESS_PREAMBLE = """
import functools
from helper import shapes
class Callable:
    def __call__(self): ...
def wrap(function):
    def wrapper(): ...
    return wrapper
"""


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("source", NAMELESS.values(), ids=NAMELESS)
def test_what_has_no_name_of_its_own_is_replaced_when_its_code_runs_again(write_module, source):
    """The lines that registered it tell what it is: a reload or a second import of them replaces."""
    write_module("helper", HELPER)
    _, second = run_twice(write_module, NAMELESS_PREAMBLE + source)
    shapes = sys.modules["helper"].shapes
    entry = shapes.entry("it")
    second.__spec__.loader.exec_module(second)

    assert shapes["it"] is not entry.load()


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("source", NAMELESS.values(), ids=NAMELESS)
@pytest.mark.parametrize(
    "files",
    [("<stdin>", "<stdin>"), ("<ipython-input-1-a>", "<ipython-input-2-b>"), ("ipykernel_7/1.py",) * 2],
)
def test_what_has_no_name_of_its_own_is_replaced_when_its_cell_runs_again(source, files):
    """A notebook gives every run of a cell a file of its own, or the same."""
    registry = Registry(name="functions")
    namespace = {"__name__": "__main__", "shapes": registry}
    exec(NAMELESS_PREAMBLE.replace("from helper import shapes", ""), namespace)  # noqa: S102
    loaded = []
    for file in files:
        exec(compile(source, file, "exec"), namespace)  # noqa: S102
        loaded.append(registry["it"])

    assert loaded[0] is not loaded[1]


@pytest.mark.parametrize("source", NAMELESS.values(), ids=NAMELESS)
def test_what_has_no_name_of_its_own_is_two_where_its_code_runs_twice(write_module, source):
    """Two turns of a loop register two things, though they stand on one line."""
    write_module("helper", HELPER)
    loop = "for _ in range(2):\n" + textwrap.indent(source, "    ")

    with pytest.raises(DuplicateNameError, match="'it' is already taken"):
        run_twice(write_module, NAMELESS_PREAMBLE + loop, ["twice"])


@pytest.mark.parametrize("source", NAMELESS.values(), ids=NAMELESS)
def test_what_has_no_name_of_its_own_is_two_in_code_out_of_strings(source):
    """Two strings that were run share no file, and nothing tells whether they are one piece of code."""
    registry = Registry(name="functions")
    namespace = {"__name__": "made_up", "shapes": registry}
    exec(NAMELESS_PREAMBLE.replace("from helper import shapes", ""), namespace)  # noqa: S102
    exec(source, namespace)  # noqa: S102

    with pytest.raises(DuplicateNameError):
        exec(source, namespace)  # noqa: S102


def test_a_lambda_that_moved_is_replaced_with_a_warning(write_module):
    """Other lines of the same file may be an edit or a copy, as with a class."""
    write_module("helper", HELPER)
    run_twice(write_module, NAMELESS_PREAMBLE + NAMELESS["a lambda"], ["twice"])

    with pytest.warns(RegistrationWarning, match=r"twice.py:9, is replaced by the <lambda> at .*twice.py:11"):
        run_twice(write_module, NAMELESS_PREAMBLE + "\n\n" + NAMELESS["a lambda"], ["twice"])


def test_local_classes_are_never_the_same(shapes, shape):
    """Two classes out of one function are two classes, though module, name and line agree."""

    def make():
        @shapes.register
        class Ring(shape): ...

    make()

    with pytest.raises(DuplicateNameError):
        make()


def test_lambdas_are_never_the_same():
    """Two lambdas of one module have one qualified name, and are different."""
    registry = Registry(name="functions")
    registry.register(lambda: 1, name="it")

    with pytest.raises(DuplicateNameError):
        registry.register(lambda: 2, name="it")


def test_a_definition_under_another_name_is_no_replacement(shapes, circle):
    """The same class under a second name does not give up an alias of the first."""
    shapes.register(circle, name="one", aliases=["it"])

    with pytest.raises(DuplicateNameError, match="'it' is already taken"):
        shapes.register(circle, name="two", aliases=["it"])


def test_a_decorator_below_one_that_makes_a_new_class_is_mended_by_registering_again(shapes, shape):
    """The class that came out in the end has the name of the one registered, so it takes its place."""
    namespace = {"Shape": shape, "__name__": "__main__"}
    exec("class Ring(Shape): ...", namespace)  # noqa: S102
    first = namespace["Ring"]
    shapes.register(first)
    rebuilt = type("Ring", (shape,), {"__module__": first.__module__, "__qualname__": "Ring"})

    shapes.register(rebuilt, tags=["flat"], force=True)

    assert shapes["Ring"] is rebuilt


def test_the_first_alias_that_collides_is_named(shapes, circle, square):
    """The message names the very name that both want."""
    shapes.register(circle, name="circle", aliases=["round", "disc"])

    with pytest.raises(DuplicateNameError) as caught:
        shapes.register(square, name="square", aliases=["four", "disc"])

    assert caught.value.name == "disc"


def test_paths_in_messages_are_short_where_they_can_be(shapes, circle, square, monkeypatch, tmp_path):
    """A file below the working directory is shown relative to it."""
    monkeypatch.chdir(tmp_path)
    for item, file in ((circle, tmp_path / "one.py"), (square, "elsewhere.py")):
        code = compile("registry.register(item, name='it')", str(file), "exec")
        try:
            exec(code, {"registry": shapes, "item": item})  # noqa: S102
        except DuplicateNameError as error:
            assert error.first[1] == "one.py:1"  # noqa: PT017
            break
    else:
        pytest.fail("the second registration was not refused")
    assert sys.path
