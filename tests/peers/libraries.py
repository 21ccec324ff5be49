"""Other libraries' losses, imported without what those libraries need for all else."""

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

__all__ = ["losses_of"]


def losses_of(module: str) -> ModuleType:
    """Import a module of losses, such as ``"timm.loss"``, without running the ``__init__`` of what holds it.

    Those of timm and of segmentation-models-pytorch import torchvision, which refuses any torch but the build
    that it was made for; their losses need neither, and those of torchvision do without its compiled part.
    """
    parts = module.split(".")
    for end in range(1, len(parts)):
        _stand_in(".".join(parts[:end]))
    return importlib.import_module(module)


def _stand_in(package: str) -> None:
    """Put a package of the same folder, whose ``__init__`` has not run, where imports look for it."""
    if package in sys.modules:
        return
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"no package {package!r} is installed", name=package)
    bare = ModuleType(package)
    bare.__path__ = list(spec.submodule_search_locations)
    bare.__spec__ = ModuleSpec(package, None, is_package=True)
    sys.modules[package] = bare
    parent, _, name = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], name, bare)
