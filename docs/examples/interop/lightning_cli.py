"""LightningCLI: the loss is a hyperparameter of plain data, which the module builds.

python docs/examples/interop/lightning_cli.py fit --config docs/examples/interop/lightning.yaml
"""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LightningCLI
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lossary_factory import build


class Line(LightningModule):
    """A line that is fitted with any loss."""

    def __init__(self, loss: str | dict[str, Any], learning_rate: float = 0.1) -> None:  # noqa: ARG002  # it is kept as a hyperparameter
        """Keep the config in the checkpoint, and build the loss from it."""
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Linear(1, 1)
        self.loss: nn.Module = build(loss, expect=nn.Module)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """Compute the loss of a batch."""
        inputs, targets = batch
        value: Tensor = self.loss(self.model(inputs), targets)
        self.log("loss", value)
        return value

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Descend."""
        return torch.optim.SGD(self.parameters(), lr=self.hparams["learning_rate"])

    def on_train_end(self) -> None:
        """Say what was trained with."""
        print(f"trained with {self.loss}")

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Give points of a line."""
        inputs = torch.linspace(-1, 1, 32).unsqueeze(1)
        return DataLoader(TensorDataset(inputs, 2 * inputs + 1), batch_size=8)


if __name__ == "__main__":
    LightningCLI(Line, save_config_callback=None)
