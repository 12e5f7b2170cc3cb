"""Train one discrete network, and predict with it.

`fit` yields an `Event` per epoch and returns nothing: the network is what it changes. Weights follow AdamW with a cosine
learning rate and clipped gradients; the weights of the last epoch are kept (none is chosen on validation).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core import EdgeNESError
from edgenes_core.config import RetrainConfig
from edgenes_core.data import Part, batches
from edgenes_core.records import Event


class TrainingError(EdgeNESError):
    """A training that left the numbers: a loss that is NaN or infinite."""


def weight_optimizer(network: nn.Module, lr: float) -> torch.optim.Optimizer:
    """AdamW over all weights in one fused call."""
    return torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=3e-4, fused=True)


def set_cosine(optimizer: torch.optim.Optimizer, peak: float, step: int, steps: int) -> None:
    """Learning rate for step 0..steps−1: from `peak` to 0 along half a cosine."""
    for group in optimizer.param_groups:
        group["lr"] = peak * 0.5 * (1 + math.cos(math.pi * step / steps))


def weight_step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, clip: float) -> None:
    """One descent step; gradients longer than `clip` are shortened."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()


def descend(optimizer: torch.optim.Optimizer, logits: Tensor, loss: Tensor) -> None:
    """One step on the architecture alone: no weight gradient is computed."""
    (logits.grad,) = torch.autograd.grad(loss, [logits])
    optimizer.step()


def fit(network: nn.Module, train: Part, config: RetrainConfig, generator: torch.Generator) -> Iterator[Event]:
    """Train in place for `config.epochs`; TrainingError if the loss is no longer finite."""
    optimizer = weight_optimizer(network, config.lr)
    per_epoch = len(batches(len(train), config.batch, torch.Generator().manual_seed(0)))
    steps, start, step = config.epochs * per_epoch, time.monotonic(), 0
    network.train()
    for epoch in range(config.epochs):
        total = torch.zeros((), device=train.x.device)
        for rows in batches(len(train), config.batch, generator):
            rows = rows.to(train.x.device)
            set_cosine(optimizer, config.lr, step, steps)
            loss = F.cross_entropy(network(train.x[rows]), train.y[rows])
            weight_step(network, optimizer, loss, config.clip)
            total += loss.detach() * len(rows)
            step += 1
        mean = float(total) / len(train)
        if not math.isfinite(mean):
            raise TrainingError(
                f"The training loss became {mean} in epoch {epoch + 1}; lower the learning rate ({config.lr:g})."
            )
        yield Event("fit", epoch + 1, config.epochs, time.monotonic() - start, {"train_loss": mean})


@torch.no_grad()
def predict(network: nn.Module, x: Tensor, batch: int = 512) -> Tensor:
    """Class probabilities (B, C) float32 on the CPU, in evaluation mode."""
    network.eval()
    return torch.cat([network(part).softmax(-1).float().cpu() for part in x.split(batch)])
