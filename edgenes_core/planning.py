"""What a run retrains and what its map shows: pure choices from the config, the pool and the seed.

    pool       the N cells along λ, seed 0                     deepens   α* with seeds 0 … n−1
    spread     further seeds of the pool, for error bars       random    cells drawn uniformly
    deviation  α* with 1, 2, … edges replaced at random
One cell and seed is trained once, whatever the number of its parts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.cell_distances import MappedCell, map_role
from edgenes_core.config import PipelineConfig
from edgenes_core.lambda_path import Interval
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.search.deviation import deviation_counts
from edgenes_core.space import SearchSpace
from edgenes_core.tasks import derive_seed

UNIFORM_CELLS = 120  # cells of the map drawn from the whole space …
PER_STRATUM = 30  # … and from each number of shared edges, which a uniform draw would hardly meet


def random_cells(space: SearchSpace, config: PipelineConfig, base: Architecture | None = None) -> list[Training]:
    """The random control, which no search decides; `shared` is counted once α* is known."""
    rng = np.random.default_rng(derive_seed(config.seed, "random"))
    cells = [space.sample(rng) for _ in range(config.ensemble.controls)]
    return [Training(c, 0, ("random",), shared_edges(c, base) if base else 0) for c in cells]


def plan_trainings(
    space: SearchSpace, config: PipelineConfig, base: Architecture, pool: tuple[Interval, ...]
) -> tuple[Training, ...]:
    """Every network to retrain, pool first in order of λ."""
    plan = [Training(i.architecture, 0, ("pool",), i.shared, (i.lo + i.hi) / 2) for i in pool]
    plan += [Training(base, seed, ("deepens",), space.lambda_max) for seed in range(config.ensemble.size)]
    plan += random_cells(space, config, base)
    rng = np.random.default_rng(derive_seed(config.seed, "deviation"))
    for shared in deviation_counts(space.lambda_max, config.ensemble.controls):
        plan.append(Training(space.sample_sharing(base, shared, rng), 0, ("deviation",), shared))
    for seed in range(1, config.ensemble.seeds):
        plan += [Training(i.architecture, seed, ("spread",), i.shared, (i.lo + i.hi) / 2) for i in pool]
    merged: dict[str, Training] = {}
    for training in plan:
        known = merged.get(training.id)
        roles = tuple(dict.fromkeys((*known.roles, *training.roles))) if known else training.roles
        merged[training.id] = replace(known or training, roles=roles)
    return tuple(merged.values())


def embedded_cells(run: Run) -> list[MappedCell]:
    """Cells of the map, duplicates merged: α*, the pool, the λ path, other networks' cells, and random ones of every distance."""
    base, space, rng = run.base().architecture, run.space, np.random.default_rng(derive_seed(run.config.seed, "map"))
    cells = [MappedCell(base, "base", space.lambda_max)]
    cells += [MappedCell(t.architecture, "pool", t.shared, t.lam) for t in run.plan() if "pool" in t.roles]
    cells += [MappedCell(i.architecture, "path", i.shared, (i.lo + i.hi) / 2) for i in run.lambda_path().intervals]
    for role in ("random", "deviation", "imported"):
        cells += [MappedCell(t.architecture, map_role(role), t.shared) for t in run.trainings() if role in t.roles]
    drawn = [space.sample(rng) for _ in range(UNIFORM_CELLS)]
    for shared in range(space.lambda_max):
        drawn += [space.sample_sharing(base, shared, rng) for _ in range(PER_STRATUM)]
    cells += [MappedCell(cell, "random", shared_edges(cell, base)) for cell in drawn]
    merged: dict[Architecture, MappedCell] = {}
    for cell in cells:
        known = merged.get(cell.architecture)
        lam = known.lam if known and known.lam is not None else cell.lam
        merged[cell.architecture] = replace(known, count=known.count + 1, lam=lam) if known else cell
    return list(merged.values())
