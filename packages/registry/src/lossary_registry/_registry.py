"""Registries of classes, and of functions."""

from __future__ import annotations

from lossary_registry._base import MISSING, BaseRegistry
from lossary_registry._errors import NotAcceptedError
from lossary_registry._registration import Acceptance, checked_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Generic, Type, TypeVar, overload  # noqa: UP035 - pyrefly reads a base type[T] as type[Any]

    from lossary_registry._base import Aliases
    from lossary_registry._entry import Deprecated

    T = TypeVar("T")
    Item = TypeVar("Item")
    # Of the method, not of the class: a decorator typed with T would widen what it decorates to T.
    Class = TypeVar("Class", bound=type)
    Function = TypeVar("Function", bound=Callable[..., object])
else:
    from lossary_registry._typing import Generic, Item, T, Type, overload


class Registry(BaseRegistry[Type[T]], Generic[T]):
    """Maps names to subclasses of a base class: ``Registry[Shape]`` gives ``type[Shape]``.

    Every method may be called from any thread at any time; looking a name up takes no lock.

    Args:
        base_class: What every registered class has to derive from: a class, an ABC, or a Protocol, which is
            checked by structure if it is runtime-checkable. Without one, every callable is accepted.
        name: What messages call the registry; the base class's name where none is given.
        check: Called with the name and the object before each registration. It raises TypeError or ValueError
            in order to refuse.
        tags: A closed vocabulary: any other tag is an error that names the nearest one.
        parent: A registry that is asked for whatever this one does not know. Nothing is copied from it.
        entry_points: The group in which installed distributions offer plugins for this registry. It is
            scanned at the first miss or listing; a plugin is imported when it is asked for by name.

    >>> class Shape: ...
    >>> shapes = Registry(Shape, "shapes")
    >>> @shapes.register(tags=["round"])
    ... class Circle(Shape): ...
    >>> shapes.get("Circle") is Circle
    True
    """

    def __init__(
        self,
        base_class: type[T] | None = None,
        name: str | None = None,
        *,
        check: Callable[[str, Any], object] | None = None,
        tags: Iterable[str] | None = None,
        parent: Registry[T] | None = None,
        entry_points: str | None = None,
    ) -> None:
        if name is None:
            name = getattr(base_class, "__name__", "Registry")
        name = checked_name(name, "registry name")
        _check_parent(parent, Registry)
        if base_class is None and parent is not None:
            base_class = parent.base_class
        acceptance = Acceptance(name, base_class, check)
        if parent is not None and base_class is not parent.base_class:
            _refuse_wider(parent, acceptance)
        super().__init__(acceptance, tags=tags, parent=parent, entry_points=entry_points)

    @property
    def base_class(self) -> type[T] | None:
        """What every registered class derives from."""
        return self._acceptance.base_class

    @overload
    def register(
        self,
        item: Class,
        /,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        deprecated: Deprecated | None = None,
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Class: ...
    @overload
    def register(
        self,
        item: str = ...,
        /,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        deprecated: Deprecated | None = None,
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Callable[[Class], Class]: ...
    def register(
        self,
        item: Any = MISSING,
        /,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        deprecated: Deprecated | None = None,
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Any:
        """Register a class or function: ``@register``, ``@register("name", ...)`` or ``register(item, ...)``.

        The same object again changes nothing. A definition that ran again (a notebook cell, a reload)
        replaces what it made before. Anything else that wants a name which is taken is refused.
        As a decorator it has to stand above those that make a new class, such as ``@dataclass(slots=True)``.

        Args:
            item: What to register; or its name, before the decorator's call.
            name: The name to register it under; its ``__name__`` where none is given.
            tags: Words to find it by.
            aliases: Other names for it; a mapping gives each a ``Deprecated``, or None.
            deprecated: Makes every look-up of the name itself warn.
            metadata: Anything worth keeping with it.
            force: Replace whatever holds the name, and take the aliases from whatever holds them.

        Returns:
            The item itself, or the decorator.

        Raises:
            NotAcceptedError: It is not what this registry holds.
            DuplicateNameError: The name or an alias is taken by something else.
            InvalidNameError: The name, an alias or a tag is empty, or not printable.
            UnknownTagError: A tag is not in the registry's vocabulary.
            FrozenRegistryError: The registry is frozen.
        """
        return self._register(
            item,
            name,
            tags=tags,
            aliases=aliases,
            deprecated=deprecated,
            metadata=metadata,
            force=force,
        )

    def instantiate(self, name: str, /, *args: Any, **kwargs: Any) -> T:
        """Look a class up and make an instance; every keyword, ``name=`` too, goes to its constructor."""
        return self.get(name)(*args, **kwargs)


class FunctionRegistry(BaseRegistry[Item]):
    """Maps names to functions, or to other things that can be called.

    ``FunctionRegistry[Callable[[float], float]]`` gives such functions. All else is as in :class:`Registry`.

    Args:
        name: What messages call the registry.
        check: Called with the name and the object before each registration. It raises TypeError or ValueError
            in order to refuse.
        tags: A closed vocabulary: any other tag is an error that names the nearest one.
        parent: A registry that is asked for whatever this one does not know. Nothing is copied from it.
        entry_points: The group in which installed distributions offer plugins for this registry.

    >>> from collections.abc import Callable
    >>> activations = FunctionRegistry[Callable[[float], float]]("activations")
    >>> @activations.register(tags=["piecewise"])
    ... def relu(x: float) -> float:
    ...     return max(x, 0.0)
    >>> activations.get("relu")(-1.0)
    0.0
    """

    def __init__(
        self,
        name: str = "FunctionRegistry",
        *,
        check: Callable[[str, Any], object] | None = None,
        tags: Iterable[str] | None = None,
        parent: FunctionRegistry[Item] | None = None,
        entry_points: str | None = None,
    ) -> None:
        name = checked_name(name, "registry name")
        _check_parent(parent, BaseRegistry)
        super().__init__(Acceptance(name, None, check), tags=tags, parent=parent, entry_points=entry_points)

    @overload
    def register(
        self,
        item: Function,
        /,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        deprecated: Deprecated | None = None,
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Function: ...
    @overload
    def register(
        self,
        item: str = ...,
        /,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        deprecated: Deprecated | None = None,
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Callable[[Function], Function]: ...
    def register(
        self,
        item: Any = MISSING,
        /,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        deprecated: Deprecated | None = None,
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Any:
        """Register a function: ``@register``, ``@register("name", ...)`` or ``register(function, ...)``.

        All is as in :meth:`Registry.register`.
        """
        return self._register(
            item,
            name,
            tags=tags,
            aliases=aliases,
            deprecated=deprecated,
            metadata=metadata,
            force=force,
        )


def _check_parent(parent: object, kind: type) -> None:
    if parent is not None and not isinstance(parent, kind):
        raise NotAcceptedError(
            f"the parent of a registry is a {kind.__name__.removeprefix('Base')}, not {parent!r}"
        )


def _refuse_wider(parent: Registry[Any], acceptance: Acceptance) -> None:
    """Refuse a parent that could answer with what does not belong to its child."""
    problem = acceptance.find_problem(parent.base_class)
    if problem:
        raise NotAcceptedError(
            f"{parent.name} cannot be the parent of {acceptance.registry}: of what it holds, {problem}"
        )
