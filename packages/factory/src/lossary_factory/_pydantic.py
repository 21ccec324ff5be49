"""``LossSpec`` as the type of a field in models of pydantic, which this package does not need otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, core_schema

from ._problems import ConfigError, UnwritableError

if TYPE_CHECKING:
    from collections.abc import Callable


def spec_schema(spec_class: type, read: Callable[[object], object]) -> core_schema.CoreSchema:
    """Return how pydantic reads and writes specs: as configs, which ``read`` checks."""

    def checked(config: object) -> object:
        if isinstance(config, spec_class):
            return config
        try:
            return read(config)
        except ConfigError as error:
            # The whole report, and each problem as data, with its path within the field.
            context = {"report": str(error), "problems": [problem.to_dict() for problem in error.problems]}
            raise PydanticCustomError("loss_config", "{report}", context) from None

    return core_schema.no_info_plain_validator_function(
        checked,
        serialization=core_schema.plain_serializer_function_ser_schema(_written),
    )


def _written(spec: Any) -> Any:  # noqa: ANN401  # what it is written as, it knows itself
    try:
        return spec.to_dict()
    except UnwritableError as error:
        raise ValueError(str(error)) from error
