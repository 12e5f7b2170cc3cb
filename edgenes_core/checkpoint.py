"""Stop a loop between two steps, go on later with the same bits.

    capture   State ← steps done, seconds, and every tensor that a later step reads:
              weights, running statistics, moments, logits, the order of the images, the random generator
    restore   the same parts, built as at the start of the loop, take these tensors

What a step works out from its number (learning rate, temperature, c) is not stored. A loop offers its state to a `Keeper`
when it may be stopped there; the keeper decides whether to look at it. On disk a state is one .safetensors file with its
numbers in the header, replaced in one step, never pickle.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from edgenes_core import EdgeNESError, __version__, storage

EVERY = 20.0  # seconds of work that a kill may cost
SHARE = 0.01  # of the time may go into keeping states
HEADER = "checkpoint"
T = TypeVar("T")


class CheckpointError(EdgeNESError):
    """A stored state that cannot be read, or that belongs to another loop."""


class Stateful(Protocol):
    """A network, or anything else that names all its tensors."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


LoopPart = Tensor | torch.Generator | torch.optim.Optimizer | Stateful


@dataclass(frozen=True)
class State:
    """A loop after `step` steps and `seconds` of work: copies on the CPU of all tensors, by `<part>/<name>`."""

    step: int
    seconds: float
    tensors: dict[str, Tensor]


def capture(step: int, seconds: float, parts: Mapping[str, LoopPart]) -> State:
    """Copy the parts of a loop that has done `step` steps."""
    copies = {
        f"{name}/{key}": tensor.detach().to("cpu", copy=True).contiguous()
        for name, part in parts.items()
        for key, tensor in _tensors(part).items()
    }
    return State(step, seconds, copies)


def restore(state: State | None, parts: Mapping[str, LoopPart]) -> tuple[int, float]:
    """Put the parts where the state was captured; returns its steps and seconds, (0, 0) without a state.

    CheckpointError if the state belongs to another loop; the parts are then of no more use.
    """
    if state is None:
        return 0, 0.0
    found: dict[str, dict[str, Tensor]] = {name: {} for name in parts}
    try:
        for path, tensor in state.tensors.items():
            name, _, key = path.partition("/")
            found[name][key] = tensor.clone()
        for name, part in parts.items():
            _load(part, found[name])
    except (LookupError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"The stored state does not fit this training ({error}).") from None
    return state.step, state.seconds


def write_state(path: Path, state: State) -> None:
    """Replace the file in one step; StorageError if the disk refuses."""
    from safetensors.torch import save

    header = {"schema": storage.SCHEMA, "version": __version__, "step": state.step, "seconds": state.seconds}
    storage.write_bytes(path, save(state.tensors, {HEADER: json.dumps(header)}))


def read_state(path: Path) -> State | None:
    """The stored state, None if there is none; CheckpointError if it is torn or of another version."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()[HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        state, written_by = State(header["step"], header["seconds"], tensors), (header["schema"], header["version"])
        if type(state.step) is not int or type(state.seconds) not in (int, float) or not 0 <= state.seconds < math.inf:
            raise ValueError("its steps and seconds are no numbers")
    except (SafetensorError, LookupError, TypeError, ValueError, OSError) as error:
        raise CheckpointError(f"{path} is no whole checkpoint ({error}).") from None
    if written_by != (storage.SCHEMA, __version__):
        raise CheckpointError(f"{path} was written by version {written_by[1]}, this is version {__version__}.")
    return state


class Keeper:
    """Where a loop leaves its state. This one keeps nothing."""

    def recall(self, stage: str) -> State | None:
        """The last state kept of a stage; CheckpointError if it cannot be read."""
        return None

    def offer(self, stage: str, captured: Callable[[], State]) -> None:
        """A loop stands between two steps; `captured()` is its state, to be asked for here or never."""

    def forget(self) -> None:
        """Throw away all that was kept."""


NO_KEEPER = Keeper()


class FileKeeper(Keeper):
    """Keeps the last state of each stage in a folder, every `every` seconds or less often where that would cost too much."""

    def __init__(self, folder: Path, every: float = EVERY) -> None:
        self.folder, self.every, self.next = folder, every, 0.0

    def recall(self, stage: str) -> State | None:
        self.next = time.monotonic() + self.every
        return read_state(self._file(stage))

    def offer(self, stage: str, captured: Callable[[], State]) -> None:
        if time.monotonic() >= self.next:
            self.keep(stage, captured)

    def keep(self, stage: str, captured: Callable[[], State]) -> None:
        """Store the state now."""
        start = time.monotonic()
        write_state(self._file(stage), captured())
        end = time.monotonic()
        self.next = end + (max(self.every, (end - start) / SHARE) if self.every else 0.0)

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, stage: str) -> Path:
        return self.folder / f"{stage}.safetensors"


def resumed(keeper: Keeper, work: Callable[[Keeper], T]) -> T:
    """`work(keeper)`. If what was kept is of no use, that is logged, it is thrown away, and the work starts again."""
    try:
        return work(keeper)
    except CheckpointError as error:
        logging.getLogger(__name__).warning("%s It is thrown away; this part starts again.", error)
        keeper.forget()
        return work(keeper)


def _tensors(part: LoopPart) -> dict[str, Tensor]:
    """All tensors of a part by name."""
    if isinstance(part, Tensor):
        return {"value": part}
    if isinstance(part, torch.Generator):
        return {"value": part.get_state()}
    if isinstance(part, torch.optim.Optimizer):
        held = part.state_dict()["state"]
        named = {f"{index}.{name}": value for index, moments in held.items() for name, value in moments.items()}
        return {name: value for name, value in named.items() if isinstance(value, Tensor)}  # SGD: no buffer is None
    return part.state_dict()


def _load(part: LoopPart, tensors: dict[str, Tensor]) -> None:
    """The other way round; LookupError, ValueError or RuntimeError if they do not fit."""
    if isinstance(part, Tensor):
        _same_shape(part, tensors["value"])
        with torch.no_grad():
            part.copy_(tensors["value"])
    elif isinstance(part, torch.Generator):
        part.set_state(tensors["value"])
    elif isinstance(part, torch.optim.Optimizer):
        _load_moments(part, tensors)
    else:
        part.load_state_dict(tensors)


def _load_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    groups = optimizer.state_dict()["param_groups"]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    held: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        index, _, name = path.partition(".")
        if name != "step":
            _same_shape(parameters[int(index)], tensor)
        held.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": held, "param_groups": groups})


def _same_shape(here: Tensor, stored: Tensor) -> None:
    if here.shape != stored.shape:
        raise ValueError(f"a tensor {tuple(stored.shape)} where {tuple(here.shape)} is expected")
