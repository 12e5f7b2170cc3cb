"""Values that cross file borders: events, evaluations, and how each number is named, written and read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edgenes_core.measures import DIVERSITY, QUALITY, Metric


@dataclass(frozen=True)
class Event:
    """One progress report: stage, step of steps, seconds since the stage began, measured values by metric name.

    `alpha` is an occasional picture of the search: a tuple of rows (E × O) of mixing weights. ValueError for what no search
    reports, since events are read back from a file.
    """

    stage: str
    step: int
    steps: int
    seconds: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    alpha: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not all(isinstance(name, str) and _is_number(value) for name, value in self.values.items()):
            raise ValueError("an event's values are numbers by name")
        if len(set(map(len, self.alpha))) > 1 or not all(_is_number(weight) for row in self.alpha for weight in row):
            raise ValueError("a picture of the search is a table of numbers")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def without_redone(events: Iterable[Event]) -> list[Event]:
    """A stage that is resumed does some steps again: an event voids the earlier ones of its stage from its step on."""
    kept: list[Event] = []
    reached: dict[str, int] = {}
    for event in events:
        if event.step <= reached.get(event.stage, -1):
            kept = [e for e in kept if e.stage != event.stage or e.step < event.step]
        reached[event.stage] = event.step
        kept.append(event)
    return kept


@dataclass(frozen=True)
class Evaluation:
    """An ensemble (or one net) judged on one split of n images; disagreement is NaN-free: 0 for one member."""

    split: str
    n: int
    accuracy: float
    nll: float
    brier: float
    ece: float
    disagreement: float
    oracle_accuracy: float


@dataclass(frozen=True)
class Selection:
    """Members chosen by `rule` on validation after looking at `evaluated` ensembles."""

    rule: str
    size: int
    evaluated: int
    members: tuple[str, ...]
    val: Evaluation = field(metadata={"record": Evaluation})


METRICS: dict[str, Metric] = {
    **QUALITY,
    **DIVERSITY,
    "shared": Metric("shared edges", "", "neither", 0, "edges with the same place and operation as in α*"),
    "train_loss": Metric(
        "training loss", "nats", "lower", 3, "cross-entropy on the weights' half of the training images"
    ),
    "val_loss": Metric(
        "architecture loss", "nats", "lower", 3, "cross-entropy on the architecture's half of the training images"
    ),
    "regularizer": Metric("c·(λ − s̃)²", "", "lower", 3, "the λ penalty, mean over the sampled λ"),
    "lambda_error": Metric(
        "|λ − shared|",
        "edges",
        "lower",
        3,
        "mean distance between requested λ and achieved shared edges on a dense grid",
    ),
    "temperature": Metric("temperature", "", "neither", 3, "of the Gumbel noise in the forward pass"),
    "experts": Metric("operations left", "", "neither", 2, "of an edge, those not yet dropped, mean over the edges"),
    "divergence": Metric("divergence", "", "neither", 3, "from α* of the cell that is asked to be farthest from it"),
    "parameters": Metric("edge parameters", "", "neither", 0, "of the cells met along λ, mean"),
    "kl": Metric("KL", "nats", "neither", 2, "from the posterior over cells to the uniform distribution"),
    "unique": Metric("different cells", "", "higher", 0, "of an ensemble that was drawn"),
    "collapsed": Metric("collapsed", "", "lower", 0, "1 if two cells of an ensemble that was drawn are the same", 0, 1),
    "falling": Metric("falling share", "", "higher", 3, "share of all changes of size along λ that fall", 0, 1),
}
