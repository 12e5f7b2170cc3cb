"""Every ensemble of the pool: judged like one by one, complete or a fair sample, with the selection's winner among them."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ensembles import pool

from edgenes_core import cloud, ensembles
from edgenes_core.cloud import all_ensembles
from edgenes_core.ensembles import SelectionError

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.data())
def test_every_ensemble_is_judged_as_if_alone(seed: int, data: st.DataObject) -> None:
    probs, y, _ = pool(seed, members=data.draw(st.integers(1, 6)))
    size = data.draw(st.integers(1, len(probs)))
    found = all_ensembles(probs, y, size)
    assert [tuple(row) for row in found.members] == list(combinations(range(len(probs)), size))
    assert not found.sampled
    for row, members in enumerate(found.members):
        alone = ensembles.evaluate(probs[members], y, "val")
        judged = (found.accuracy[row], found.nll[row], found.brier[row])
        assert judged == pytest.approx((alone.accuracy, alone.nll, alone.brier), abs=1e-12)


@given(seeds)
def test_the_selected_ensemble_is_the_best_of_them(seed: int) -> None:
    probs, y, keys = pool(seed, members=6)
    order = np.argsort(keys)
    found = all_ensembles(probs[order], y, 3)
    chosen = ensembles.select(probs, y, keys, 3)
    assert chosen.evaluated == found.total == len(found.members)
    assert found.nll.min() == pytest.approx(chosen.val.nll, abs=1e-9)
    rows = sorted(sorted(keys).index(key) for key in chosen.members)
    at = [row.tolist() for row in found.members].index(rows)
    assert found.nll[at] == pytest.approx(found.nll.min(), abs=1e-9)


@pytest.mark.parametrize(("networks", "size"), [(12, 3), (64, 10)])
def test_too_many_are_sampled_without_repeats_and_the_same_each_time(networks: int, size: int) -> None:
    """C(12, 3) = 220 can be listed; C(64, 10) is about 1.5 · 10¹¹ and cannot."""
    probs, y, _ = pool(1, members=networks, images=7)
    first, again = (all_ensembles(probs, y, size, most=50) for _ in range(2))
    assert first.total == math.comb(networks, size)
    assert first.sampled
    assert len({tuple(row) for row in first.members}) == len(first.members) == 50
    assert (np.diff(first.members, axis=1) > 0).all()
    assert first.members.min() >= 0
    assert first.members.max() < networks
    np.testing.assert_array_equal(first.members, again.members)
    other = all_ensembles(probs, y, size, most=50, seed=1)
    assert first.members.tolist() != other.members.tolist()


@pytest.mark.parametrize(("networks", "size"), [(12, 3), (30, 15)])
def test_a_sample_is_fair_to_every_network(networks: int, size: int) -> None:
    """Each network is in n/N of the ensembles: within 5 standard errors of 2000 draws."""
    found = cloud._members(networks, size, 2000 if networks > 12 else 110, 0)
    share = size / networks
    counts = np.bincount(found.ravel(), minlength=networks) / len(found)
    assert np.abs(counts - share).max() < 5 * np.sqrt(share * (1 - share) / len(found))


def test_many_images_shrink_the_sample_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    probs, y, _ = pool(2, members=8, images=20)
    whole = all_ensembles(probs, y, 3)
    monkeypatch.setattr(cloud, "CHUNK", 1)
    for a, b in zip(whole, all_ensembles(probs, y, 3), strict=True):
        np.testing.assert_allclose(a, b)
    monkeypatch.setattr(cloud, "MOST_VALUES", 10 * 20 * 4)
    assert len(all_ensembles(probs, y, 3).members) == 10


@pytest.mark.parametrize(("members", "size"), [(2, 3), (2, 0), (0, 1)])
def test_a_pool_that_is_too_small_says_so(members: int, size: int) -> None:
    probs, y, _ = pool(0, members=2)
    with pytest.raises(SelectionError, match=f"between 1 and the pool's N = {members}, got {size}"):
        all_ensembles(probs[:members], y, size)
