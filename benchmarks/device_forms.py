"""One search step, and one training step of six candidates, in the forms that a device offers.

Each form is a `Step` that needs nothing from the CPU: images, weights and optimisers live on the device. What is recorded in a
CUDA graph never changes, so learning rate and temperature would have to become tensors before a run could use it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from candidate_forms import batch, network, sampled, separate, together

from edgenes_core.alpha import mixing
from edgenes_core.device import autocast
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend, weight_optimizer, weight_step

SIDE, COLOURS, CHANNELS, CLASSES, CANDIDATES, CLIP = 32, 3, 16, 100, 6, 5.0
WARM_UPS = 3

Step = Callable[[], object]


def search_step(
    machine: torch.device,
    size: int,
    precision: Callable[[], AbstractContextManager] = nullcontext,
    compiled: bool = False,
) -> Step:
    """One bilevel step as search/darts.py takes it, on fixed images and without noise; everything it reads is on the device."""
    generator, space = torch.Generator().manual_seed(0), SearchSpace()
    net = Supernet(space, COLOURS, CLASSES, CHANNELS, 1, generator).to(machine)
    net.forward = torch.compile(net.forward) if compiled else net.forward
    x = torch.randn(size, COLOURS, SIDE, SIDE, generator=generator).to(machine)
    y = torch.randint(CLASSES, (size,), generator=generator).to(machine)
    logits, weights = torch.zeros(space.logits, device=machine, requires_grad=True), weight_optimizer(net, 0.01)
    architecture = torch.optim.Adam([logits], lr=0.05)
    for optimizer in (weights, architecture):
        optimizer.param_groups[0]["capturable"] = machine.type == "cuda"

    def step() -> None:
        with precision():
            loss = F.cross_entropy(net.with_weights_fixed(x, mixing(space, logits, 1.0)), y)
        descend(architecture, logits, loss)
        with precision():
            loss = F.cross_entropy(net(x, mixing(space, logits.detach(), 1.0)), y)
        weight_step(net, weights, loss, CLIP)

    return step


@dataclass(frozen=True)
class Recorded:
    """A CUDA graph and the step it was recorded from, whose tensors it works on and which must therefore live on."""

    graph: torch.cuda.CUDAGraph
    step: Step

    def __call__(self) -> None:
        self.graph.replay()


def graphed(step: Step) -> Step:
    """The same step recorded once as a CUDA graph and replayed: one launch instead of thousands."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return Recorded(graph, step)


def step_forms(machine: torch.device, size: int, compiled: bool) -> dict[str, Step]:
    forms = {"eager float32": search_step(machine, size)}
    if machine.type == "cuda":
        forms["bfloat16 autocast"] = search_step(machine, size, lambda: autocast(machine))
        forms["CUDA graph"] = graphed(search_step(machine, size))
    if compiled:
        forms["torch.compile"] = search_step(machine, size, compiled=True)
    return forms


def candidates(machine: torch.device) -> dict[str, Step]:
    """Six cells drawn by seed, each with its own images and optimiser."""
    batches = []
    for seed in range(CANDIDATES):
        x, y = batch(SIDE, COLOURS, seed)
        batches.append((x.to(machine), y.to(machine)))

    def networks() -> list[torch.nn.Module]:
        return [network(cell, COLOURS, CHANNELS, seed).to(machine) for seed, cell in enumerate(sampled(CANDIDATES))]

    forms = {"one after another": separate(networks(), batches), "grouped": together(networks(), batches)}
    if machine.type == "cuda":
        alone = [separate([net], [images]) for net, images in zip(networks(), batches, strict=True)]
        forms["a stream each"] = streamed(alone)
        recorded = [separate([net], [images], capturable=True) for net, images in zip(networks(), batches, strict=True)]
        forms["a CUDA graph and a stream each"] = streamed([graphed(step) for step in recorded])
    return forms


def streamed(steps: list[Step]) -> Step:
    """Each step on a stream of its own, so that the device may work on several."""
    streams = [torch.cuda.Stream() for _ in steps]

    def all_steps() -> None:
        for stream, step in zip(streams, steps, strict=True):
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                step()
        for stream in streams:
            torch.cuda.current_stream().wait_stream(stream)

    return all_steps
