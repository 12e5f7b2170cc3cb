"""Train one discrete network, and predict with it.

`fit` yields an `Event` per epoch and returns nothing: the network is what it changes. Weights follow AdamW with a cosine
learning rate and clipped gradients; the weights of the last epoch are kept (none is chosen on validation). It offers its
state after every step, so that it can be stopped anywhere and go on with the same bits.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper, LoopPart, capture, restore
from edgenes_core.config import RetrainConfig
from edgenes_core.data import Dataset, Part
from edgenes_core.network import Network
from edgenes_core.order import Order
from edgenes_core.records import Event

FIT = "fit"  # stage of the events, and the name under which a state is kept


class TrainingError(EdgeNESError):
    """A training that left the numbers: a loss that is NaN or infinite."""


def derive_seed(*parts: object) -> int:
    """A 62-bit seed from any values: the same parts always give the same seed, different parts unrelated ones."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 2


def weight_optimizer(network: nn.Module, lr: float, kind: str = "adamw") -> torch.optim.Optimizer:
    """AdamW, or SGD with momentum (`kind` "sgd"), over all weights in one fused call."""
    if kind == "sgd":
        return torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9, weight_decay=3e-4, fused=True)
    return torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=3e-4, fused=True)


def linear(start: float, end: float, step: int, steps: int) -> float:
    """Schedule that really reaches `end` at the last step."""
    return start + (end - start) * step / max(1, steps - 1)


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


def fit(
    network: nn.Module,
    train: Part,
    config: RetrainConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event]:
    """Train in place for `config.epochs`, from the kept state if there is one; the events of all epochs are yielded.

    TrainingError if the loss is no longer finite, CheckpointError if the kept state belongs to another training.
    """
    train = train.augmented(config.augment)
    optimizer, order = (
        weight_optimizer(network, config.lr, config.optimizer),
        Order(len(train), config.batch, generator),
    )
    totals, ended = torch.zeros(config.epochs, device=train.device), torch.zeros(config.epochs, dtype=torch.float64)
    parts: dict[str, LoopPart] = {
        "network": network,
        "optimizer": optimizer,
        "order": order,
        "generator": generator,
        "totals": totals,
        "ended": ended,
    }
    first, before = restore(keeper.recall(FIT), parts)
    steps, start = config.epochs * order.per_epoch, time.monotonic() - before
    for epoch in range(first // order.per_epoch):
        yield _epoch_event(epoch, totals, ended, len(train), config)
    network.train()
    for step in range(first, steps):
        epoch, last = step // order.per_epoch, (step + 1) % order.per_epoch == 0
        x, y = train.draw(next(order), generator)
        set_cosine(optimizer, config.lr, step, steps)
        loss = F.cross_entropy(network(x), y)
        weight_step(network, optimizer, loss, config.clip)
        totals[epoch].add_(loss.detach() * len(y))
        seconds = time.monotonic() - start
        if last:
            ended[epoch] = seconds
            yield _epoch_event(epoch, totals, ended, len(train), config)
        keeper.offer(FIT, partial(capture, step + 1, seconds, parts))


def training_seed(run_seed: int, cell: Architecture, seed: int) -> int:
    """What a network's weights and the order of its images are drawn from: the run's seed, its cell, and its own seed."""
    return derive_seed(run_seed, "retrain", cell.key, seed)


def train_from_scratch(
    data: Dataset, architecture: Architecture, config: RetrainConfig, seed: int, keeper: Keeper = NO_KEEPER
) -> tuple[Network, list[Event]]:
    """A cell's network after training on train-w ∪ train-α, and the events of all epochs; raises as `fit` does."""
    generator = torch.Generator().manual_seed(seed)
    network = Network(architecture, data.channels, len(data.classes), config.channels, config.layers, generator)
    network.to(data.device)
    return network, list(fit(network, data.train, config, generator, keeper))


def _epoch_event(epoch: int, totals: Tensor, ended: Tensor, images: int, config: RetrainConfig) -> Event:
    mean = float(totals[epoch]) / images
    if not math.isfinite(mean):
        raise TrainingError(
            f"The training loss became {mean} in epoch {epoch + 1}; lower the learning rate ({config.lr:g})."
        )
    return Event(FIT, epoch + 1, config.epochs, float(ended[epoch]), {"train_loss": mean})


@torch.no_grad()
def predict(network: nn.Module, part: Part, batch: int = 512) -> Tensor:
    """Class probabilities (B, C) float32 on the CPU, in evaluation mode, of a part's images as they are."""
    network.eval()
    rows = torch.arange(len(part)).split(batch)
    return torch.cat([network(part.take(some)[0]).softmax(-1).float().cpu() for some in rows])
