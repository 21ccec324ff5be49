"""A model of pydantic with a loss: the field is a checked config, and errors read as the factory writes them.

python docs/examples/interop/pydantic_model.py
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from lossary_factory import LossSpec  # noqa: TC001  # pydantic reads the annotation


class Training(BaseModel):
    """A training, with a loss that was checked and is not built yet."""

    epochs: int
    loss: LossSpec[Any]


if __name__ == "__main__":
    training = Training.model_validate(
        {"epochs": 3, "loss": {"name": "focal_loss", "params": {"gamma": 1.5}}},
    )
    print(training.loss.build())
    print(training.model_dump_json())
    try:
        Training.model_validate({"epochs": 3, "loss": {"name": "focal_loss", "params": {"gama": 1.5}}})
    except ValidationError as error:
        print(error)
