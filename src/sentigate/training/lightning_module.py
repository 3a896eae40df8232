"""The Lightning module: one step of training, and the figures of an epoch."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LinearLR

from sentigate.model.network.batches import Batch
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.settings.model import TrainingParams

from .objective import BatchSums, Objective
from .weight_average import WeightAverage


class LitModel(lightning.LightningModule):
    """Any network and objective, with AdamW (Loshchilov and Hutter 2019)."""

    def __init__(self, network: nn.Module, objective: Objective, params: TrainingParams) -> None:
        super().__init__()
        self.automatic_optimization = False  # its hooks take a third of a small network's time
        self.network = network
        self.objective = objective
        self.params = params
        self.sums: dict[str, list[Tensor]] = {}
        self.average = (
            WeightAverage(network, params.average_decay) if params.average_decay else None
        )
        self.decay: LinearLR | None = None

    def training_step(self, batch: Batch) -> None:
        """Make an update. The mean of all processes' gradients is the gradient of the batch."""
        sums = self.objective(self.network, batch)
        self._add("train", sums)
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)
        optimizer.zero_grad()
        processes = self.trainer.world_size
        predictions = sums.predictions
        if processes > 1:
            predictions = self._sum(predictions.clone())
        self.manual_backward(sums.loss * processes / predictions)
        if self.params.gradient_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.params.gradient_clip)
        optimizer.step()
        if self.decay:
            self.decay.step()
        if self.average:
            self.average.update()

    def on_train_epoch_start(self) -> None:
        """Replace the averaged weights by the weights of the last step."""
        if self.average:
            self.average.swap_out()

    def on_validation_epoch_start(self) -> None:
        """Put the averaged weights in place, until the next epoch starts."""
        if self.average:
            self.average.swap_in()

    def validation_step(self, batch: Batch) -> None:
        """Add the loss and the correct answers of a batch to the sums."""
        self._add("validation", self.objective(self.network, batch))

    def on_validation_epoch_end(self) -> None:
        """Log the figures that early stopping watches."""
        loss, accuracy = self.take("validation")
        figures = {"validation_loss": loss, "validation_accuracy": accuracy}
        self.log_dict(figures, sync_dist=True)  # already the same in all processes

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, fused: one kernel for all parameters. With weight decay 0 it is Adam."""
        optimizer = torch.optim.AdamW(
            _with_learning_rates(self.network),
            lr=self.params.learning_rate,
            weight_decay=self.params.weight_decay,
            fused=True,
        )
        if self.params.learning_rate_decay == "linear":
            steps = int(self.trainer.estimated_stepping_batches)
            self.decay = LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
        return optimizer

    def take(self, name: str) -> tuple[float, float]:
        """Return the mean loss and the accuracy since the last call, over all processes."""
        loss, correct, predictions = self._sum(torch.stack(self.sums.pop(name))).tolist()
        return loss / predictions, correct / predictions

    def _sum(self, values: Tensor) -> Tensor:
        total = self.trainer.strategy.reduce(values, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def _add(self, name: str, sums: BatchSums) -> None:
        parts = [part.detach() for part in sums]
        if name not in self.sums:
            self.sums[name] = [part.to(torch.float64, copy=True) for part in parts]
        else:
            for total, part in zip(self.sums[name], parts, strict=True):
                total += part

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Move the batch to the device. A CPU needs no move, and Lightning's search takes time."""
        if device.type == "cpu":
            return batch
        moved: Batch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved


def _with_learning_rates(network: nn.Module) -> list[dict[str, Any]]:
    """Return parameter groups; corrections of word vectors have their own learning rate."""
    own = {
        module.correction: module.learning_rate
        for module in network.modules()
        if isinstance(module, CorrectedEmbedding) and module.learning_rate
    }
    others = [weight for weight in network.parameters() if weight not in own]
    return [{"params": others}, *({"params": [weight], "lr": lr} for weight, lr in own.items())]
