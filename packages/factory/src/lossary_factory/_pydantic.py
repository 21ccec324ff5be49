"""``LossSpec`` as the type of a field in models of pydantic, which this package does not need otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, core_schema

from ._api import validate
from ._problems import ConfigError, UnwritableError
from ._spec import LossSpec

if TYPE_CHECKING:
    from ._api import Config


def spec_schema() -> core_schema.CoreSchema:
    """Return how pydantic reads and writes specs: as configs, checked against the installed collection."""
    return core_schema.no_info_plain_validator_function(
        _read,
        serialization=core_schema.plain_serializer_function_ser_schema(_written),
    )


def _read(config: LossSpec[Any] | Config) -> LossSpec[Any]:
    if isinstance(config, LossSpec):
        return config
    try:
        return validate(config)
    except ConfigError as error:
        # The whole report, and each problem as data, with its path within the field.
        context = {"report": str(error), "problems": [problem.to_dict() for problem in error.problems]}
        raise PydanticCustomError("loss_config", "{report}", context) from None


def _written(spec: LossSpec[Any]) -> dict[str, Any]:
    try:
        return spec.to_dict()
    except UnwritableError as error:
        raise ValueError(str(error)) from error
