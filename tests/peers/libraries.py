"""Other libraries' losses, imported without what those libraries need for all else."""

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

__all__ = ["losses_of"]


def losses_of(module: str) -> ModuleType:
    """Import a module of losses, such as ``"timm.loss"``, without running its package's ``__init__``.

    Those of timm and of segmentation-models-pytorch import torchvision, which refuses any torch but the build
    that it was made for; their losses need neither.
    """
    package = module.partition(".")[0]
    if package not in sys.modules:
        spec = find_spec(package)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError(f"no package {package!r} is installed", name=package)
        bare = ModuleType(package)
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = ModuleSpec(package, None, is_package=True)
        sys.modules[package] = bare
    return importlib.import_module(module)
