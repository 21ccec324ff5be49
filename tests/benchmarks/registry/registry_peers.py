"""One way to use each registry of the comparison: register, get, list the names."""

from __future__ import annotations

import importlib
import itertools
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_count = itertools.count()


class Peer:
    """What the benchmark does with a registry, as plainly as that registry allows."""

    def __init__(
        self,
        register: Callable[[str, type], object],
        get: Callable[[str], object],
        names: Callable[[], Iterable[str]],
    ) -> None:
        self.register = register
        self.get = get
        self.names = names


def plain_dict() -> Peer:
    entries: dict[str, type] = {}
    return Peer(entries.__setitem__, entries.get, lambda: list(entries))


def bare_method() -> Peer:
    """The least that a registry can be: a method around a dictionary."""

    class Bare:
        def __init__(self) -> None:
            self._d: dict[str, type] = {}

        def register(self, name: str, item: type) -> None:
            self._d[name] = item

        def get(self, name: str) -> type:
            return self._d[name]

        def names(self) -> list[str]:
            return list(self._d)

    bare = Bare()
    return Peer(bare.register, bare.get, bare.names)


def lossary_registry() -> Peer:
    registry: Any = importlib.import_module("lossary_registry").Registry(object, "bench")
    return Peer(lambda name, item: registry.register(item, name=name), registry.get, registry.list)


def catalogue() -> Peer:
    registry = importlib.import_module("catalogue").create("bench", str(next(_count)))
    return Peer(
        lambda name, item: registry.register(name, func=item), registry.get, lambda: list(registry.get_all())
    )


def class_registry() -> Peer:
    registry = importlib.import_module("class_registry").ClassRegistry()
    return Peer(lambda name, item: registry.register(name)(item), registry.get_class, lambda: list(registry))


def autoregistry() -> Peer:
    registry = importlib.import_module("autoregistry").Registry()
    return Peer(registry.__setitem__, registry.__getitem__, lambda: list(registry))


def fvcore() -> Peer:
    registry = importlib.import_module("fvcore.common.registry").Registry("bench")

    def register(name: str, item: type) -> None:
        item.__name__ = name  # it knows no other name than the class's own
        registry.register(item)

    return Peer(register, registry.get, lambda: [name for name, _ in registry])


def mmengine() -> Peer:
    registry = importlib.import_module("mmengine.registry").Registry("bench", locations=[])
    logging.getLogger("mmengine").setLevel(logging.CRITICAL)
    return Peer(
        lambda name, item: registry.register_module(module=item, name=name),
        registry.get,
        lambda: list(registry.module_dict),
    )


def stevedore() -> Peer:
    extension = importlib.import_module("stevedore.extension")
    manager = extension.ExtensionManager.make_test_instance([])

    def register(name: str, item: type) -> None:
        manager.extensions.append(extension.Extension(name, None, item, None))

    return Peer(register, lambda name: manager[name].plugin, lambda: list(manager.names()))


def pluggy() -> Peer:
    manager = importlib.import_module("pluggy").PluginManager("bench")
    return Peer(
        lambda name, item: manager.register(item, name),
        manager.get_plugin,
        lambda: [name for name, _ in manager.list_name_plugin()],
    )


BASELINES = (plain_dict, bare_method)
PEERS = (lossary_registry, class_registry, fvcore, autoregistry, catalogue, mmengine, stevedore, pluggy)
