"""Files of the EdgeNES release made for tests, and its forward pass written with torch's own functions."""

import torch
import torch.nn.functional as F

from edgenes_core.architecture import OPERATIONS
from edgenes_core.network import layer_plan
from edgenes_core.release_network import _parts

C, CLASSES = 4, 3


def flat_cell(rng, k):
    """A cell file as the release writes it: an operation for all 14 candidate edges, k of them kept per node."""
    cell = {f"reduce_n{n}_p{p}": OPERATIONS[rng.integers(7)] for n in range(2, 6) for p in range(n)}
    return cell | {f"reduce_n{n}_switch": rng.permutation(n)[:k].tolist() for n in range(2, 6)}


def random_state(cell, rng, layers=2, channels=1):
    """Weights with the release's names for every candidate edge of a cell."""
    plan, width = layer_plan(("reduce",) * layers, 4, C)
    shapes = {"stem.0.weight": (3 * C, channels, 3, 3), "linear.weight": (CLASSES, width), "linear.bias": (CLASSES,)}
    shapes |= {f"stem.1.{part}": (3 * C,) for part in ("weight", "bias", "running_mean", "running_var")}
    for i, layer in enumerate(plan):
        c, (first, second) = layer.channels, layer.inputs
        halved = {"conv1.weight": (c // 2, first, 1, 1), "conv2.weight": (c // 2, first, 1, 1)}
        before = {f"preproc0.{n}": s for n, s in (halved if i else {"net.1.weight": (c, first, 1, 1)}).items()}
        norm = "bn" if i else "net.2"
        before |= {f"preproc0.{norm}.running_mean": (c,), f"preproc0.{norm}.running_var": (c,)}
        before |= {"preproc1.net.1.weight": (c, second, 1, 1)}
        before |= {"preproc1.net.2.running_mean": (c,), "preproc1.net.2.running_var": (c,)}
        for n in range(2, 6):
            for p in range(n):
                parts = _parts(cell[f"reduce_n{n}_p{p}"], layer, 2 if p < 2 else 1)
                before |= {f"mutable_ops.{n - 2}.ops.{p}.{name}": shape for name, shape in parts.items()}
        shapes |= {f"cells.{i}.{name}": shape for name, shape in before.items()}
    state = {name: torch.from_numpy(rng.normal(0, 0.3, shape)).float() for name, shape in shapes.items()}
    state |= {name: tensor.abs() + 0.5 for name, tensor in state.items() if name.endswith("running_var")}
    return state | {"aux_head.net.2.weight": torch.zeros(1), "stem.1.num_batches_tracked": torch.tensor(7)}


def reference(x, cell, state):
    """The release's forward pass: class logits of images (B, channels, H, W)."""

    def norm(x, name, scale=None, shift=None):
        return F.batch_norm(x, state[f"{name}.running_mean"], state[f"{name}.running_var"], scale, shift)

    def reduce(x, name):
        x = x.relu()
        halves = (
            F.conv2d(x, state[f"{name}.conv1.weight"], stride=2),
            F.conv2d(x[:, :, 1:, 1:], state[f"{name}.conv2.weight"], stride=2),
        )
        return norm(torch.cat(halves, 1), f"{name}.bn")

    def pointwise(x, name):
        return norm(F.conv2d(x.relu(), state[f"{name}.net.1.weight"]), f"{name}.net.2")

    def convolve(x, name, stride, dilation):
        taps = state[f"{name}.1.weight"]
        padding = dilation * (taps.shape[-1] - 1) // 2
        x = F.conv2d(x.relu(), taps, None, stride, padding, dilation, groups=len(taps))
        return norm(F.conv2d(x, state[f"{name}.2.weight"]), f"{name}.3")

    def apply(x, operation, name, stride):
        if operation == "maxpool":
            return norm(F.max_pool2d(x, 3, stride, 1), f"{name}.bn")
        if operation == "avgpool":
            return norm(F.avg_pool2d(x, 3, stride, 1, count_include_pad=False), f"{name}.bn")
        if operation == "skipconnect":
            return x if stride == 1 else reduce(x, name)
        if operation.startswith("dil"):
            return convolve(x, f"{name}.net", stride, 2)
        return convolve(convolve(x, f"{name}.net.0.net", stride, 1), f"{name}.net.1.net", 1, 1)

    s0 = s1 = norm(
        F.conv2d(x, state["stem.0.weight"], padding=1), "stem.1", state["stem.1.weight"], state["stem.1.bias"]
    )
    for i in range(2):
        states = [
            reduce(s0, "cells.1.preproc0") if i else pointwise(s0, "cells.0.preproc0"),
            pointwise(s1, f"cells.{i}.preproc1"),
        ]
        for n in range(2, 6):
            parts = [
                apply(states[p], cell[f"reduce_n{n}_p{p}"], f"cells.{i}.mutable_ops.{n - 2}.ops.{p}", 2 if p < 2 else 1)
                for p in cell[f"reduce_n{n}_switch"]
            ]
            states.append(torch.stack(parts).sum(0))
        s0, s1 = s1, torch.cat(states[2:], 1)
    return F.linear(s1.mean((2, 3)), state["linear.weight"], state["linear.bias"])
