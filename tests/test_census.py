"""The census: as many different cells as asked for at each number of shared edges, each with every seed."""

from collections import Counter

import pytest
import torch

from edgenes_core.architecture import OPERATIONS, shared_edges
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import load_dataset
from edgenes_core.search import Candidate, census
from edgenes_core.search.settings import CensusSettings
from edgenes_core.space import SearchSpace


@pytest.mark.parametrize("k", [1, 2])
def test_each_stratum_has_its_cells_and_each_cell_its_seeds(k):
    space = SearchSpace(inputs_per_node=k)
    config = PipelineConfig(darts=DartsConfig(steps=1, channels=2, batch=16))
    settings = CensusSettings(cells=4, seeds=2)
    found = census.search(space, load_dataset("digits"), config, torch.Generator().manual_seed(0), settings=settings)
    candidates = [item for item in found if isinstance(item, Candidate)]
    base, top = candidates[0].architecture, space.lambda_max
    assert all(shared_edges(base, c.architecture) == c.lam for c in candidates)
    assert Counter(c.lam for c in candidates) == {**{float(m): 8 for m in range(top)}, float(top): 2}
    assert set(Counter(c.architecture for c in candidates).values()) == {2}
    assert Counter(c.seed for c in candidates) == {0: 4 * top + 1, 1: 4 * top + 1}


def test_a_stratum_with_fewer_cells_than_asked_for_is_taken_whole(rng):
    """Inputs 0 and 1, two operations: four cells, of which three share nothing with the base."""
    space = SearchSpace(nodes=1, operations=OPERATIONS[:2])
    base = space.sample(rng)
    cells = census.sharing(space, base, 0, 50, rng)
    assert len(cells) == len({*cells, base}) - 1 == 3
