"""A pool to choose from on validation images made worse: each condition counts alike, and results are reported on other corruptions.

Every condition adds all images once, so what a criterion says of the whole is the mean over the conditions, and of an ensemble what
`select` says of it on images as they are. The predictions are those that the command `shift` stores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgenes_core import shifted
from edgenes_core.corruptions import SEVERITIES, TEST_CORRUPTIONS, VALIDATION_CORRUPTIONS
from edgenes_core.run_folder import Run
from edgenes_core.selecting import Pool, pool_of
from edgenes_core.shift_jobs import Plan
from edgenes_core.shifted import Condition, ShiftError
from edgenes_core.storage import StorageError

MOST_BYTES = 256 << 20  # of predictions held at once
USUAL = (1, 3, 5)
ALL = {**VALIDATION_CORRUPTIONS, **TEST_CORRUPTIONS}


def conditions_of(
    run: Run, ids: Sequence[str], corruptions: Sequence[str] = (), severities: Sequence[int] = ()
) -> tuple[Condition, ...]:
    """Every severity of every corruption asked for. Not asked for are all corruptions that selection may use, and the severities
    at which all networks have predictions of them; StorageError if there is none."""
    names = tuple(corruptions) or tuple(VALIDATION_CORRUPTIONS)
    if not severities:
        stored = set(shifted.stored(run, ids))
        severities = [s for s in SEVERITIES if all((name, s) in stored for name in names)]
    if not severities:
        plan = Plan(tuple(ids), names, USUAL)
        raise StorageError(
            f"Nothing is predicted yet for every network of the pool of run {run.id} on images made worse; "
            f"make it with: {plan.command(run.id)}"
        )
    return tuple((name, severity) for name in names for severity in severities)


def shifted_pool(run: Run, ids: Sequence[str], conditions: Sequence[Condition]) -> Pool:
    """The networks' predictions of all conditions, one after the other. ShiftError for corruptions that results are reported on,
    and for more than MOST_BYTES; StorageError says how to make what is missing."""
    y = run.targets("val")
    first = shifted.for_selection(run, ids, *conditions[0])
    if first.shape[1] != len(y):
        raise ShiftError(
            f"Run {run.id} has {len(y)} validation images, but predictions of {first.shape[1]} that were made worse; "
            f"remove {run.path / shifted.STAGE} and make them again."
        )
    needed = first.nbytes * len(conditions)
    if needed > MOST_BYTES:
        raise ShiftError(
            f"{len(conditions)} kinds of images made worse take {needed >> 20} MB of predictions, more than {MOST_BYTES >> 20} MB; "
            "choose fewer corruptions or severities."
        )
    probs = np.empty((len(ids), len(conditions) * len(y), first.shape[2]), first.dtype)
    for place, condition in enumerate(conditions):
        made = shifted.for_selection(run, ids, *condition) if place else first
        probs[:, place * len(y) : (place + 1) * len(y)] = made
    return pool_of(probs, np.tile(y, len(conditions)), ids)


def in_words(conditions: Sequence[Condition]) -> str:
    """`spatter and Gaussian blur at severities 1, 3 and 5`."""
    names = [ALL[name].title for name in dict.fromkeys(name for name, _ in conditions)]
    severities = list(dict.fromkeys(str(severity) for _, severity in conditions))
    return f"{_and(names)} at severit{'y' if len(severities) == 1 else 'ies'} {_and(severities)}"


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
