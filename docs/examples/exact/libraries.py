"""One optimizer step in several processes and parts, with the libraries that people train with.

    python docs/examples/exact/libraries.py

It needs accelerate, lightning and transformers. See ``engines.py`` for the loss, the model and the data.
"""

from __future__ import annotations

import torch
from engines import LOSS, Parts, gradients, make_batch, make_model, without_labels
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader, SequentialSampler

from lossary_losses import CrossEntropyLoss
from lossary_losses.exact import Exact, Total, check_training, for_trainer


def accelerate(parts: Parts) -> dict[str, Tensor]:
    """Let Accelerate divide by the number of parts as well."""
    from accelerate import Accelerator  # noqa: PLC0415

    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=len(parts))
    model = accelerator.prepare(make_model())
    steps = accelerator.gradient_accumulation_steps
    exact = Exact(LOSS, group=distributed.group.WORLD, divided_by=steps)
    total = exact.total([target for _, target in parts])
    for input, target in parts:
        with accelerator.accumulate(model):
            accelerator.backward(exact(model(input), target, total))
    return gradients(model)


def lightning(parts: Parts) -> dict[str, Tensor]:
    """Let Lightning divide by ``accumulate_grad_batches`` as well."""
    from lightning import LightningModule, Trainer  # noqa: PLC0415
    from lightning.fabric.plugins.environments import TorchElasticEnvironment  # noqa: PLC0415
    from lightning.pytorch.strategies import DDPStrategy  # noqa: PLC0415

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = make_model()
            self.exact = Exact(LOSS, group=distributed.group.WORLD, divided_by=len(parts))
            self.total: Total = self.exact.total([target for _, target in parts])
            self.seen: dict[str, Tensor] = {}

        def training_step(self, batch: list[Tensor], _index: int) -> Tensor:
            input, target = batch
            return self.exact(self.model(input), target, self.total)

        def on_before_optimizer_step(self, _optimizer: torch.optim.Optimizer) -> None:
            self.seen = {name: each.grad.clone() for name, each in self.model.named_parameters()}

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    module = Module()
    trainer = Trainer(
        accelerator="cpu",
        devices=distributed.get_world_size(),
        strategy=DDPStrategy(cluster_environment=TorchElasticEnvironment(), process_group_backend="gloo"),
        accumulate_grad_batches=len(parts),
        max_steps=1,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader(parts, batch_size=None))
    return module.seen


class Classifier(nn.Module):
    """A model as transformers has them: what it gives is a mapping."""

    def __init__(self) -> None:
        super().__init__()
        self.model = make_model()

    def forward(self, features: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Give logits; the loss is none of the model's business."""
        del labels
        return {"logits": self.model(features)}


def hugging_face(_parts: Parts) -> dict[str, Tensor]:
    """Let the Trainer split the batch and count its labels; a step of length one shows the gradient."""
    from transformers import Trainer, TrainingArguments  # noqa: PLC0415

    input, target = make_batch()
    target[::5] = -100
    target[:8] = -100
    samples = [{"features": one, "labels": truth} for one, truth in zip(input, target, strict=True)]
    world = distributed.get_world_size()
    size = len(samples) // (3 * world) if world > 1 else len(samples)
    arguments = TrainingArguments(
        output_dir="nothing_is_saved",
        per_device_train_batch_size=size,
        gradient_accumulation_steps=len(samples) // (size * world),
        max_steps=1,
        learning_rate=1.0,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        optim="sgd",
        use_cpu=True,
        ddp_backend="gloo",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    model = Classifier()
    before = {name: each.detach().clone() for name, each in model.named_parameters()}

    class InOrder(Trainer):
        def _get_train_sampler(self, *_: object, **__: object) -> SequentialSampler:
            return SequentialSampler(samples)

    loss = for_trainer(CrossEntropyLoss(ignore_index=-100), causal=False)
    InOrder(model=model, args=arguments, train_dataset=samples, compute_loss_func=loss).train()
    return {name: before[name] - each.detach() for name, each in model.named_parameters()}


STEPS = (accelerate, lightning, hugging_face)

if __name__ == "__main__":
    for step in STEPS:
        check_training(step, make_batch(), ignore=without_labels)
        print(f"{step.__name__}: two processes of three parts each have the gradients of one")
