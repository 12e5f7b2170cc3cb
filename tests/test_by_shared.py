"""Networks by the edges they share with α*: means, intervals, slopes and λ's control, computed a second time by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sample_studies import CLASSES, IMAGES

from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.config import EnsembleConfig, PipelineConfig
from edgenes_core.metrics import brier, nll
from edgenes_core.run_records import Cost, build_space
from edgenes_core.search import Candidate
from edgenes_core.study import Arm, StudyConfig
from edgenes_core.study.arm import Repeat
from edgenes_core.study.by_shared import QUALITIES, compared, control, farther, networks, strata
from edgenes_core.study.folder import Study
from edgenes_core.study.store import StudyStore
from edgenes_core.study.table import over_seeds

ARMS = (Arm("edgenes", "edgenes"), Arm("census", "census"), Arm("deviation", "deviation"), Arm("random", "random"))
NAMES = [arm.name for arm in ARMS]
BASE = PipelineConfig(ensemble=EnsembleConfig(pool=4, size=2, controls=3))
SPACE = build_space(BASE.space)
TOP = SPACE.lambda_max
STAR = SPACE.sample(np.random.default_rng(5))
Net = tuple[Architecture, float | None, int]  # a cell, its λ, how many of the images it is right on


def cells(shared: int, count: int) -> list[Architecture]:
    """Different ones that share so many edges with α*."""
    rng, found = np.random.default_rng(shared), dict[Architecture, None]()
    while len(found) < count:
        found[SPACE.sample_sharing(STAR, shared, rng)] = None
    return list(found)


def stored(root: Path, repeats: Mapping[tuple[str, int], Sequence[Net]], seeds: int = 3) -> Study:
    """A study of repeats whose networks are right on the first so many images."""
    study, rng = StudyStore(root).create("made", StudyConfig(ARMS, seeds, "", BASE)), np.random.default_rng(0)
    y = rng.integers(CLASSES, size=IMAGES)
    study.save_targets(y, y, list("abcd"))
    for (name, seed), nets in repeats.items():
        found = tuple(Candidate(cell, lam, k) for k, (cell, lam, _) in enumerate(nets))
        probs = np.stack([forecast(y, right, rng) for _, _, right in nets])
        known = probs, probs, (1.0,) * len(nets), 10, Cost(1.0, 10), Cost(0.1, 10), (("darts", 1.0),)
        study.save(study.config.arm(name), seed, Repeat(found, *known))
    return study


def forecast(y: np.ndarray, right: int, rng: np.random.Generator) -> np.ndarray:
    """(B, C) probabilities, surest of the true class on the first `right` images and of the next class on the others."""
    said = np.where(np.arange(len(y)) < right, y, (y + 1) % CLASSES)
    scores = rng.uniform(0, 1, (len(y), CLASSES))
    scores[np.arange(len(y)), said] += 2
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


def scattered(seed: int) -> dict[tuple[str, int], list[Net]]:
    """Three repeats of two arms: any numbers of cells at any distances, some of them trained with several seeds."""
    rng, made = np.random.default_rng(seed), dict[tuple[str, int], list[Net]]()
    for name in ("edgenes", "census"):
        for repeat in range(3):
            nets: list[Net] = [(STAR, float(TOP), int(rng.integers(IMAGES)))]
            for shared in range(TOP):
                for cell in cells(shared, 3)[: int(rng.integers(4))]:
                    nets += [(cell, float(shared), int(rng.integers(IMAGES))) for _ in range(int(rng.integers(1, 4)))]
            made[name, repeat] = nets
    return made


def test_seeds_of_a_cell_are_averaged_before_cells_and_these_before_repeats(tmp_path):
    (a, b), (c, _) = cells(1, 2), cells(2, 2)
    first: list[Net] = [(STAR, 4.0, 100), (a, 1.0, 60), (a, 1.0, 90), (b, 1.0, 30)]
    second: list[Net] = [(STAR, 4.0, 110), (a, 1.0, 90), (c, 2.0, 20)]
    study = stored(tmp_path, {("census", 0): first, ("census", 1): second})
    rows = {row.shared: row for row in strata(study, ["census"], "accuracy")}
    assert [*rows] == [1, 2, 4]
    means = [(75 + 30) / 2 / IMAGES, 90 / IMAGES]
    row = rows[1]
    assert (row.value, row.sd, row.lo, row.hi) == pytest.approx(over_seeds(means))
    assert (row.n, row.cells, row.networks) == (2, 3, 4)
    assert rows[2].value == pytest.approx(20 / IMAGES)
    assert np.isnan([rows[2].sd, rows[2].lo, rows[2].hi]).all(), "one repeat has no interval"
    assert (rows[2].n, rows[2].cells, rows[2].networks) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metric", QUALITIES)
def test_strata_are_those_of_a_table_grouped_three_times(tmp_path, seed, metric):
    study = stored(tmp_path, scattered(seed))
    table = pd.DataFrame(networks(study, NAMES))
    means = table.groupby(["arm", "shared", "seed", "cell"])[metric].mean().groupby(["arm", "shared", "seed"]).mean()
    rows = strata(study, NAMES, metric)
    places = [(row.arm, row.shared) for row in rows]
    assert set(places) == set(zip(table.arm, table.shared, strict=True))
    assert len(set(places)) == len(places)
    for row in rows:
        here = means[row.arm, row.shared].to_numpy()
        np.testing.assert_allclose([row.value, row.sd, row.lo, row.hi], over_seeds(here))
        assert row.n == len(here)
    assert sum(row.networks for row in rows) == len(table)


def test_qualities_are_those_of_the_stored_probabilities(tmp_path):
    study = stored(tmp_path, scattered(0))
    probs = {(each.arm.name, each.seed): each.val for each in study.repeats()[0]}
    for (arm, seed), nets in scattered(0).items():
        found = sorted([each for each in networks(study, [arm]) if each.seed == seed], key=lambda each: each.accuracy)
        order = sorted(range(len(nets)), key=lambda k: nets[k][2])
        assert [each.accuracy for each in found] == [nets[k][2] / IMAGES for k in order]
        for name, judged in (("nll", nll), ("brier", brier)):
            values = sorted(judged(probs[arm, seed][k], study.y) for k in order)
            assert sorted(getattr(each, name) for each in found) == values


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metric", QUALITIES)
def test_slopes_are_least_squares_and_their_interval_is_over_repeats(tmp_path, seed, metric):
    study = stored(tmp_path, scattered(seed))
    for row in farther(study, NAMES, metric):
        slopes = []
        for repeat in range(3):
            mine = [each for each in networks(study, [row.arm]) if each.seed == repeat]
            if len({each.shared for each in mine}) > 1:
                at, values = [TOP - each.shared for each in mine], [getattr(each, metric) for each in mine]
                slopes.append(np.polyfit(at, values, 1)[0])
        mean, _, lo, hi = over_seeds(slopes)
        assert (row.slope, row.lo, row.hi) == pytest.approx((mean, lo, hi), nan_ok=True)
        assert row.n == len(slopes)
        if len(slopes) > 1:
            assert row.p == pytest.approx(scipy.stats.ttest_1samp(slopes, 0).pvalue)
            assert row.tie == (row.p > 0.05)


def test_a_repeat_at_one_distance_has_no_slope(tmp_path):
    (a, b), line = cells(2, 2), [(STAR, 4.0, 90), (cells(0, 1)[0], 0.0, 50)]
    study = stored(tmp_path, {("census", 0): line, ("census", 1): [(a, 2.0, 10), (b, 2.0, 99)]})
    (row,) = farther(study, ["census"], "accuracy")
    assert row.slope == pytest.approx(-10 / IMAGES)
    assert (row.n, row.networks) == (1, 4)
    assert np.isnan([row.lo, row.hi, row.p, row.detectable]).all()
    study = stored(tmp_path, {("census", 0): [(a, 2.0, 10), (b, 2.0, 99)]})
    assert farther(study, ["census"], "accuracy") == []


def test_arms_are_compared_over_the_seeds_that_both_have_there(tmp_path):
    one, other = cells(1, 1)[0], cells(0, 1)[0]
    ours = {("edgenes", seed): [(STAR, 4.0, 100), (one, 1.0, 50 + 7 * seed * seed)] for seed in range(3)}
    ours["edgenes", 0] = [*ours["edgenes", 0], (other, 0.0, 3)]
    theirs = {("deviation", seed): [(one, 1.0, 40 + 9 * seed)] for seed in (1, 2)}
    study = stored(tmp_path, {**ours, **theirs})
    found = compared(study, "edgenes", "deviation", "accuracy")
    assert [*found] == [1], "at 0 and at Λ only one side has networks"
    a, b = np.array([57, 78]) / IMAGES, np.array([49, 58]) / IMAGES
    known = scipy.stats.ttest_rel(a, b)
    assert (found[1].mean, found[1].p, found[1].n) == pytest.approx(((a - b).mean(), known.pvalue, 2))
    back = compared(study, "deviation", "edgenes", "accuracy")[1]
    assert (back.mean, back.lo, back.hi) == pytest.approx((-found[1].mean, -found[1].hi, -found[1].lo))


def test_one_pair_is_no_test(tmp_path):
    one = cells(1, 1)[0]
    study = stored(tmp_path, {("edgenes", 0): [(STAR, 4.0, 100), (one, 1.0, 50)], ("deviation", 0): [(one, 1.0, 44)]})
    test = compared(study, "edgenes", "deviation", "accuracy")[1]
    assert (test.mean, test.n) == (pytest.approx(6 / IMAGES), 1)
    assert np.isnan([test.lo, test.hi, test.p]).all()


def test_control_is_the_distance_to_lambda_and_its_falls(tmp_path):
    zero, one, two = (cells(m, 1)[0] for m in (0, 1, 2))
    falling: list[Net] = [(STAR, 4.0, 9), (two, 2.5, 9), (zero, 1.5, 9), (one, 0.5, 9)]  # stored in any order
    perfect: list[Net] = [(zero, 0.0, 9), (one, 1.0, 9), (two, 2.0, 9), (STAR, 4.0, 9)]
    (row,) = control(stored(tmp_path, {("edgenes", 0): falling, ("edgenes", 1): perfect}), ["edgenes"])
    errors = [(0.5 + 1.5 + 0.5 + 0) / 4, 0.0]
    assert (row.error, row.lo, row.hi) == pytest.approx(tuple(over_seeds(errors)[k] for k in (0, 2, 3)))
    assert (row.falls, row.n, row.networks) == (0.5, 2, 8)


def test_lambda_of_a_census_and_of_deviations_counts_as_shared(tmp_path):
    nets: list[Net] = [(STAR, 4.0, 9), (cells(1, 1)[0], 3.0, 9)]
    study = stored(tmp_path, {(name, 0): nets for name in ("edgenes", "census", "deviation")})
    by_arm = {arm: [each.shared for each in networks(study, [arm])] for arm in ("edgenes", "census", "deviation")}
    assert by_arm == {"edgenes": [1, 4], "census": [3, 4], "deviation": [3, 4]}


def test_arms_without_lambda_give_nothing(tmp_path):
    study = stored(tmp_path, {("random", seed): [(STAR, None, 9), (cells(1, 1)[0], None, 50)] for seed in range(3)})
    for arms in (["random"], ["edgenes"], [], NAMES):
        assert networks(study, arms) == strata(study, arms, "nll") == farther(study, arms, "nll") == []
        assert control(study, arms) == []
    assert compared(study, "random", "edgenes", "nll") == {}


def test_networks_come_by_arm_seed_and_lambda(tmp_path):
    study = stored(tmp_path, scattered(1))
    order = ["census", "edgenes"]
    places = [(order.index(each.arm), each.seed, each.lam) for each in networks(study, order)]
    assert places == sorted(places)
    for each in networks(study, ["edgenes"]):
        cell = next(cell for cell, *_ in scattered(1)["edgenes", each.seed] if cell.key == each.cell)
        assert each.shared == shared_edges(cell, STAR)
