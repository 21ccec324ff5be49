"""jsonargparse makes a command of a function; its config is handed to the factory as it stands.

python docs/examples/interop/jsonargparse_app.py --loss focal_loss
python docs/examples/interop/jsonargparse_app.py --config docs/examples/interop/jsonargparse.yaml
"""

from __future__ import annotations

from typing import Any, Union

from jsonargparse import auto_cli

from lossary_factory import build


def train(loss: Union[str, dict[str, Any]], epochs: int = 1) -> None:  # noqa: UP007  # as jsonargparse reads it
    """Build the loss.

    Args:
        loss: The name of a loss, or its config.
        epochs: How long to train.
    """
    print(f"{epochs} epochs with {build(loss)}")


if __name__ == "__main__":
    auto_cli(train, as_positional=False)
