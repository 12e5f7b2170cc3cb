"""Choosing n of N members on validation: by any rule, for any criterion, the same whatever the order of the pool.

    pool       predictions, checked and in the order of their keys
    rules      exhaustive, forward, greedy, beam, top
    criteria   NLL, Brier score, accuracy, each minus γ·ambiguity
    likelihood, rivals, subsets    what makes all C(N, n) fast

Everything is exact: accuracy counts every image, and an ensemble is left unscored only if a bound proves it worse than the
best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from edgenes_core.selecting import rules
from edgenes_core.selecting.criteria import CRITERIA, Criterion, criterion_of
from edgenes_core.selecting.pool import Pool, SelectionError, StoppedError, Watch, pool_of
from edgenes_core.selecting.rules import MOST_SUBSETS, Found

__all__ = [
    "CRITERIA", "MOST_SUBSETS", "SELECTION_RULES", "WIDTH", "Choice", "Pool", "SelectionError", "StoppedError",
    "choose", "pool_of",
]  # fmt: skip

WIDTH = 50  # of a beam


class RuleSpec(NamedTuple):
    """Name, what it does, whether it finds the best of all sets, and what to cite."""

    name: str
    about: str
    exact: bool
    cite: str
    search: Callable[[Criterion, int, int, int, Watch], Found]


SELECTION_RULES: dict[str, RuleSpec] = {
    spec.name: spec
    for spec in (
        RuleSpec(
            "exhaustive",
            "scores each of the C(N, n) ensembles",
            True,
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024 (best n of N).",
            rules.exhaustive,
        ),
        RuleSpec(
            "forward",
            "adds the member that helps most",
            False,
            "Zaidi et al.: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021.",
            rules.forward,
        ),
        RuleSpec(
            "greedy",
            "as forward, but a member may count twice; keeps the best prefix",
            False,
            "Caruana et al.: Ensemble selection from libraries of models. ICML 2004.",
            rules.greedy,
        ),
        RuleSpec(
            "beam",
            "extends the best sets of each size, forward's among them",
            False,
            "Lowerre: The HARPY speech recognition system. Carnegie Mellon University 1976 (beam search).",
            rules.beam,
        ),
        RuleSpec(
            "top",
            "the n members that are best alone",
            False,
            "Zaidi et al.: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021 (top-M).",
            rules.top,
        ),
    )
}


class Choice(NamedTuple):
    """Members chosen from a pool of N on n images; `loss` is the criterion's, lower is better (error for accuracy).

    `losses` follows it from the first member on where a rule adds them one by one; `tied` ensembles of those last compared
    are as good to 1e-9 (for `top`: members as good as the last one taken). `evaluated` counts all that were compared, also
    those that a bound excludes unscored.
    """

    rule: str
    criterion: str
    gamma: float
    size: int
    members: tuple[str, ...]
    loss: float
    losses: tuple[float, ...]
    evaluated: int
    tied: int
    pool: int
    images: int

    def weights(self) -> dict[str, float]:
        """Each different member's share of the average."""
        return {key: times / len(self.members) for key, times in Counter(self.members).items()}


def choose(
    pool: Pool,
    size: int,
    rule: str = "exhaustive",
    criterion: str = "nll",
    *,
    gamma: float = 0.0,
    width: int = WIDTH,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Choice:
    """Choose `size` members by a rule of SELECTION_RULES and a criterion of CRITERIA − γ·mean_m ‖p_m − p̄‖².

    `greedy` may name a member twice, which gives it twice the weight, and may return fewer. `progress(done, total)` is
    called each hundredth; once `cancel()` says true, StoppedError ends the search.
    """
    if rule not in SELECTION_RULES:
        raise SelectionError(f"A selection rule is one of {', '.join(SELECTION_RULES)}, got {rule!r}.")
    members = len(pool.keys)
    if size < 1 or (size > members and rule != "greedy"):
        raise SelectionError(f"The ensemble's size n lies between 1 and the pool's N = {members}, got {size}.")
    loss = criterion_of(pool, criterion, gamma)
    found = SELECTION_RULES[rule].search(loss, members, size, width, Watch(progress, cancel))
    return Choice(
        rule,
        criterion,
        gamma,
        size,
        tuple(pool.keys[member] for member in found.members),
        found.losses[-1],
        tuple(found.losses),
        found.evaluated,
        found.tied,
        members,
        len(pool.y),
    )
