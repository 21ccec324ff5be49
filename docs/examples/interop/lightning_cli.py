"""LightningCLI: the loss is a hyperparameter of plain data, which the module builds and keeps on schedule.

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
from lossary_losses import WeightedSum


class Line(LightningModule):
    """A line that is fitted with any loss."""

    def __init__(self, loss: str | dict[str, Any], learning_rate: float = 0.1) -> None:  # noqa: ARG002  # it is kept as a hyperparameter
        """Keep the config in the checkpoint, and build the loss from it."""
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Linear(1, 1)
        self.loss: nn.Module = build(loss, expect=nn.Module)

    def on_train_batch_start(self, batch: list[Tensor], batch_index: int) -> None:  # noqa: ARG002  # Lightning's signature
        """Tell weights that follow a schedule how far the training is: else they stay where they begin."""
        if isinstance(self.loss, WeightedSum):
            self.loss.set_progress(step=self.global_step, epoch=self.current_epoch)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """Compute the loss of a batch, and log its terms."""
        inputs, targets = batch
        value: Tensor
        if isinstance(self.loss, WeightedSum):
            value, terms = self.loss.evaluate(self.model(inputs), targets)
            self.log_dict({f"loss/{name}": term for name, term in terms.items()})
        else:
            value = self.loss(self.model(inputs), targets)
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
