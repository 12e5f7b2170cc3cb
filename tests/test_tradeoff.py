"""Diversity by its definitions, pair by pair; the selected ensemble lies in the cloud; the slope sees the right networks."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import diversity, farther, tradeoff
from edgenes_core.architecture import edit_distance
from edgenes_core.cloud import all_ensembles
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, StoredEnsemble, score_networks, stored_ensembles
from edgenes_core.statistics import StatisticsError

DEMO = Run(Path(__file__).parents[1] / "assets" / "demo")
MEASURES = list(tradeoff.MEASURES)


@pytest.fixture(scope="module", params=["bundled", "k = 2, two cells"])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Scored, list[StoredEnsemble]]:
    made = request.param != "bundled"
    run = sample_runs.finished(tmp_path_factory.mktemp("runs"), SpaceConfig(2, "normal+reduce")) if made else DEMO
    return score_networks(run), stored_ensembles(run)[0]


@given(st.integers(0, 200), st.integers(2, 6))
def test_divergence_of_two_predictors_is_a_bounded_symmetric_distance(seed: int, members: int) -> None:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(4, rng.choice([0.05, 1, 20])), (members, 9))
    probs[0, 0] = [1, 0, 0, 0]  # certainty has no logarithm
    found = diversity.pairwise_jsd(probs)
    np.testing.assert_array_equal(found, found.T)
    assert not found.diagonal().any()
    assert (found >= 0).all()
    assert found.max() <= np.log(2) + 1e-12
    for i, j in combinations(range(members), 2):
        assert found[i, j] == pytest.approx(diversity.mutual_information(probs[[i, j]]), abs=1e-12)


def test_opposite_certainties_diverge_by_ln_2() -> None:
    sure = np.eye(2)[[[0, 1], [1, 0]]]
    assert diversity.pairwise_jsd(sure)[0, 1] == pytest.approx(np.log(2))


@pytest.mark.parametrize("x", MEASURES)
def test_each_other_means_the_pools_other_cells_and_the_pairs_of_members(
    case: tuple[Scored, list[StoredEnsemble]], x: str
) -> None:
    scored, _ = case
    pairs, pool = getattr(scored, x), scored.pool()
    for row, found in enumerate(tradeoff.diversity_of(scored, x, "team")):
        others = [pairs[row, other] for other in pool if scored.keys[other] != scored.keys[row]]
        assert found == pytest.approx(np.mean(others))
    members = np.array(list(combinations(pool, 3)))
    for line, found in zip(members, tradeoff.ensemble_diversity(scored, members, x, "team"), strict=True):
        assert found == pytest.approx(np.mean([pairs[i, j] for i, j in combinations(line, 2)]))


@pytest.mark.parametrize("x", MEASURES)
def test_against_alpha_star_means_its_first_network_and_the_mean_over_members(
    case: tuple[Scored, list[StoredEnsemble]], x: str
) -> None:
    scored, _ = case
    (base,) = scored.rows([scored.base.key])
    found = tradeoff.diversity_of(scored, x, "base")
    np.testing.assert_allclose(found, getattr(scored, x)[base])
    members = np.array([[0, 1, 2], [2, 1, base]])
    np.testing.assert_allclose(tradeoff.ensemble_diversity(scored, members, x, "base"), found[members].mean(1))


def test_disagreement_between_members_is_the_one_stored_with_the_ensemble(
    case: tuple[Scored, list[StoredEnsemble]],
) -> None:
    scored, stored = case
    points = {p.id: p for p in tradeoff.plane_points(scored, stored, "disagreement", "nll", "team")}
    several = [ensemble for ensemble in stored if len(ensemble.members) > 1]
    assert several
    for ensemble in several:
        assert points[tradeoff.ENSEMBLE + ensemble.name].xs == pytest.approx((ensemble.val.disagreement,))


def test_the_edit_distance_would_show_nothing_new(case: tuple[Scored, list[StoredEnsemble]]) -> None:
    """What the help says: Λ − shared edges, for each network and for each pair."""
    scored, _ = case
    for i, a in enumerate(scored.trainings):
        assert edit_distance(a.architecture, scored.base) == scored.space.lambda_max - a.shared
        for j, b in enumerate(scored.trainings):
            wanted = scored.space.lambda_max - scored.shared[i, j]
            assert edit_distance(a.architecture, b.architecture) == wanted


@pytest.mark.parametrize("against", ["base", "team"])
@pytest.mark.parametrize("y", tradeoff.QUALITIES)
@pytest.mark.parametrize("x", MEASURES)
def test_a_point_per_cell_over_its_seeds(
    case: tuple[Scored, list[StoredEnsemble]], x: str, y: str, against: str
) -> None:
    scored, stored = case
    info = tradeoff.plane(scored, stored, x, y, against)
    cells = {i: key for i, key in enumerate(info.ids) if not info.ensemble[i]}
    assert set(cells.values()) == set(scored.cells())
    for i, key in cells.items():
        rows = scored.cells()[key]
        assert info.y[i] == pytest.approx(np.mean([getattr(scored.single[row], y) for row in rows]))
        assert info.seeds[i] == len(rows)
        assert info.cells[i] == (key,)
    ends = [info.x_axis.title, info.y_axis.title]
    table = tradeoff.plane_table(info)
    assert len(table) == len(info.ids)
    assert all(np.isfinite(row[end]) for row in table for end in ends)
    best = table[0][info.y_axis.title]
    assert best == (max if info.y_axis.better == "higher" else min)(row[info.y_axis.title] for row in table)


def test_alpha_star_is_compared_with_itself_by_further_seeds_only() -> None:
    scored = score_networks(DEMO)
    (point,) = [p for p in tradeoff.plane_points(scored, [], "disagreement", "nll") if p.role == "base"]
    rows = scored.cells()[scored.base.key]
    assert point.xs == pytest.approx([scored.disagreement[rows[0], row] for row in rows[1:]])
    assert len(point.ys) == len(rows)


@pytest.mark.parametrize("against", ["base", "team"])
@pytest.mark.parametrize("x", MEASURES)
def test_the_selected_ensemble_lies_in_the_cloud(x: str, against: str) -> None:
    scored, (stored, _) = score_networks(DEMO), stored_ensembles(DEMO)
    found = all_ensembles(scored.probs[scored.pool()], scored.y, DEMO.config.ensemble.size)
    cloud = tradeoff.cloud_plane(scored, found, x, "nll", against)
    selected = next(e for e in stored if e.name == "selected")
    members = [set(point.removeprefix(tradeoff.CLOUD).split("+")) for point in cloud.ids]
    at = members.index(set(selected.members))
    drawn = next(p for p in tradeoff.plane_points(scored, stored, x, "nll", against) if p.role == "selected")
    assert (cloud.x[at], cloud.y[at]) == pytest.approx((drawn.xs[0], drawn.ys[0]))
    assert cloud.y[at] == cloud.y.min(), "the selection is the best of all it could choose"
    assert cloud.front[at]
    assert set(cloud.cells[at]) == set(drawn.cells)


def test_nothing_to_compare_with_leaves_a_point_out_and_pairs_need_two() -> None:
    scored = score_networks(DEMO)
    alone = Scored(scored.space, scored.base, scored.trainings[:1], scored.probs[:1], scored.y, scored.single[:1])
    for x in MEASURES:
        assert tradeoff.plane_points(alone, [], x, "nll", "team") == ()
        assert np.isnan(tradeoff.ensemble_diversity(scored, np.array([[0], [1]]), x, "team")).all()
    assert tradeoff.plane_points(alone, [], "disagreement", "nll", "base") == (), "α* itself is not retrained here"
    assert len(tradeoff.plane_points(alone, [], "shared", "nll", "base")) == 1


@pytest.mark.parametrize("y", tradeoff.QUALITIES)
def test_each_choice_of_cells_holds_what_it_says(y: str) -> None:
    scored = score_networks(DEMO)
    rows = {cells: farther.distances(scored, y, cells).rows for cells in farther.CELLS}
    assert rows["all"] == tuple(range(len(scored.ids)))
    assert set(rows["pool"]).isdisjoint(rows["drawn"])
    assert {scored.keys[row] for row in rows["pool"]} == {scored.keys[row] for row in scored.pool()}
    assert {role for row in rows["drawn"] for role in scored.trainings[row].roles} == {"random", "deviation"}
    for cells in farther.CELLS:
        found = farther.distances(scored, y, cells)
        table = farther.distance_table(scored, found, y)
        assert [row["distance from α* (edges)"] for row in table] == sorted(found.distance)
        slope = farther.distance_slope(scored, found)
        assert slope.n == len(table)
        assert slope.groups == len({scored.keys[row] for row in found.rows})
        assert slope.slope == pytest.approx(np.polyfit(found.distance, found.quality, 1)[0])


def test_too_few_cells_have_no_slope(tmp_path: Path) -> None:
    scored = score_networks(sample_runs.finished(tmp_path, flat=True))
    with pytest.raises(StatisticsError, match="got 1 at 1"):
        farther.distance_slope(scored, farther.distances(scored, "nll", "all"))
    with pytest.raises(StatisticsError, match="got 0 at 0"):
        farther.distance_slope(scored, farther.distances(scored, "nll", "drawn"))
