"""The EdgeNES theorem (Babkin 2024) and what it leaves out.

μ of the Λ base edges take part in an optimisation step and ν of them in a final member, both drawn from p(λ);
each of the member's edges was used with probability μ/Λ. For n members
    E[m] = n·E[μ]·E[ν]/Λ            = n(Λ+1)²/(4Λ) for p = U{1..Λ}  (the theorem)
                                    = nΛ/4         for p = U{0..Λ}  (what the method samples, λ = 0 included).
DartsEns updates Λ edges a step, hence the speed ratio E[m]/Λ.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from edgenes_core import EdgeNESError


class TheoryError(EdgeNESError):
    """Arguments outside the theorem's domain."""


@dataclass(frozen=True)
class Theorem:
    """E[m] three ways for one p(λ) = U{lowest..Λ}; `ratio` is E[m]/Λ, `simulated_se` its standard error (of E[m])."""

    n: int
    lambda_max: int
    lowest: int
    closed_form: float
    exact_sum: float
    simulated: float
    simulated_se: float
    draws: int
    ratio: float


def theorem(n: int, lambda_max: int, lowest: int = 1, draws: int = 200_000, seed: int = 0) -> Theorem:
    """Evaluate the theorem for n ≥ 1 members, Λ ≥ 1 and p(λ) = U{lowest..Λ}, lowest 0 or 1."""
    if not 1 <= n <= 1000 or not 1 <= lambda_max <= 1000 or lowest not in (0, 1) or draws < 2:
        raise TheoryError(
            f"Needs 1 ≤ n ≤ 1000, 1 ≤ Λ ≤ 1000, lowest 0 or 1 and draws ≥ 2, got n = {n}, Λ = {lambda_max}, "
            f"lowest = {lowest}, draws = {draws}."
        )
    simulated, error = _simulate(n, lambda_max, lowest, draws, np.random.default_rng(seed))
    closed = n * (lambda_max + lowest) ** 2 / (4 * lambda_max)
    return Theorem(
        n, lambda_max, lowest, closed, _exact(n, lambda_max, lowest), simulated, error, draws, closed / lambda_max
    )


def _exact(n: int, lambda_max: int, lowest: int) -> float:
    support = range(lowest, lambda_max + 1)
    total = sum(Fraction(mu * nu, lambda_max) for mu in support for nu in support)
    return float(n * total / len(support) ** 2)


def _simulate(n: int, lambda_max: int, lowest: int, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """Count the member's ν edges that fall among the μ updated ones: hypergeometric, not the product of means."""
    counts = np.zeros(draws)
    for _ in range(n):
        mu = rng.integers(lowest, lambda_max + 1, draws)
        nu = rng.integers(lowest, lambda_max + 1, draws)
        counts += rng.hypergeometric(mu, lambda_max - mu, nu)
    return float(counts.mean()), float(counts.std(ddof=1) / np.sqrt(draws))
