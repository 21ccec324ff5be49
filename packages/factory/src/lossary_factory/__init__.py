"""From a configuration file to a validated, built loss. Names only: a config never runs code.

>>> from lossary_registry import Registry
>>> class Loss: ...
>>> losses = Registry(Loss, "losses")
>>> @losses.register
... class Focal(Loss):
...     def __init__(self, gamma: float = 2.0) -> None:
...         self.gamma = gamma
>>> build({"name": "Focal", "params": {"gamma": 1}}, registry=losses).gamma
1.0
"""

from __future__ import annotations

from ._api import build, check, load, validate
from ._export import describe, schema, to_config
from ._manifest import make_manifest
from ._problems import CollectionError, ConfigError, ConfigWarning, FactoryError, Problem, UnwritableError
from ._spec import LossSpec

__version__ = "0.1.0"

__all__ = [
    "CollectionError",
    "ConfigError",
    "ConfigWarning",
    "FactoryError",
    "LossSpec",
    "Problem",
    "UnwritableError",
    "build",
    "check",
    "describe",
    "load",
    "make_manifest",
    "schema",
    "to_config",
    "validate",
]
