"""Who is wrong together: hand-made tables, scikit-learn and scipy as oracles, NaN where a measure is not defined."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import cohen_kappa_score, matthews_corrcoef
from test_metrics import draw, seeds

from edgenes_core import diversity, metrics, pairwise
from edgenes_core.architecture import edit_distance, shared_edges
from edgenes_core.pairwise import Overlap, over_pairs
from edgenes_core.space import SearchSpace


def members_with(*right: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Sure members of two classes that are right (1) or wrong (0) as listed; class 0 is true."""
    return np.stack([np.eye(2)[1 - np.array(row)] for row in right]), np.zeros(len(right[0]), int)


def test_a_table_by_hand():
    """10 images: 4 both right, 3 only the first, 1 only the second, 2 both wrong."""
    table = pairwise.overlap(*members_with([1] * 7 + [0] * 3, [1] * 4 + [0] * 3 + [1] + [0] * 2))
    assert [part[0, 1] for part in table] == pytest.approx([0.4, 0.3, 0.1, 0.2])
    assert [part[1, 0] for part in table] == pytest.approx([0.4, 0.1, 0.3, 0.2])
    assert pairwise.right_disagreement(table)[0, 1] == pytest.approx(0.4)
    assert pairwise.q_statistic(table)[0, 1] == pytest.approx((0.08 - 0.03) / (0.08 + 0.03))
    assert pairwise.error_correlation(table)[0, 1] == pytest.approx(0.05 / np.sqrt(0.7 * 0.3 * 0.5 * 0.5))


@pytest.mark.parametrize(
    ("first", "second", "q", "rho"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1, 1),  # always together
        ([1, 1, 0, 0], [0, 0, 1, 1], -1, -1),  # never together
        ([1, 1, 0, 0], [1, 0, 1, 0], 0, 0),  # independent
        ([1, 1, 1, 1], [1, 1, 0, 0], np.nan, np.nan),  # one is always right
        ([1, 1, 1, 1], [1, 1, 1, 1], np.nan, np.nan),
        ([1, 0, 0, 0], [0, 0, 0, 0], np.nan, np.nan),
    ],
)
def test_q_and_rho_at_their_ends_and_undefined(first, second, q, rho):
    table = pairwise.overlap(*members_with(first, second))
    assert pairwise.q_statistic(table)[0, 1] == pytest.approx(q, nan_ok=True)
    assert pairwise.error_correlation(table)[0, 1] == pytest.approx(rho, nan_ok=True)


@given(seeds)
def test_every_table_sums_to_one_and_agrees_with_the_images(seed):
    probs, y = draw(seed)
    table, good = pairwise.overlap(probs, y), probs.argmax(-1) == y
    assert sum(table) == pytest.approx(np.ones((len(probs), len(probs))))
    assert table.d == pytest.approx(diversity.double_fault(probs, y))
    assert pairwise.right_disagreement(table) == pytest.approx((good[:, None] != good).mean(-1))
    assert pairwise.right_disagreement(table).max() <= diversity.pairwise_disagreement(probs).max() + 1e-12
    assert table.b == pytest.approx(table.c.T)


@given(seeds)
def test_correlations_and_kappa_agree_with_the_libraries(seed):
    probs, y = draw(seed)
    wrong, named = (probs.argmax(-1) != y), probs.argmax(-1)
    rho, kappa = pairwise.error_correlation(pairwise.overlap(probs, y)), pairwise.kappa(probs)
    residual, missed = pairwise.residual_correlation(probs, y), 1 - probs[:, np.arange(len(y)), y]
    for i, j in combinations(range(len(probs)), 2):
        if 0 < wrong[i].mean() < 1 and 0 < wrong[j].mean() < 1:
            assert rho[i, j] == pytest.approx(matthews_corrcoef(wrong[i], wrong[j]))
        else:
            assert np.isnan(rho[i, j])
        if len(set(named[i]) | set(named[j])) > 1:
            assert kappa[i, j] == pytest.approx(cohen_kappa_score(named[i], named[j]))
        else:
            assert np.isnan(kappa[i, j])
        if len(y) > 1:
            assert residual[i, j] == pytest.approx(pearsonr(missed[i], missed[j]).statistic, abs=1e-6)


@given(seeds)
def test_normalised_disagreement_is_at_most_two(seed):
    probs, y = draw(seed)
    found, error = pairwise.normalised_disagreement(probs, y), 1 - np.array([metrics.accuracy(p, y) for p in probs])
    for i, j in combinations(range(len(probs)), 2):
        if error[i] + error[j] > 0:
            expected = diversity.pairwise_disagreement(probs)[i, j] / ((error[i] + error[j]) / 2)
            assert found[i, j] == pytest.approx(expected)
            assert 0 <= found[i, j] <= 2 + 1e-9
        else:
            assert np.isnan(found[i, j])


@given(seeds)
def test_the_order_of_members_only_permutes(seed):
    probs, y = draw(seed)
    order = np.random.default_rng(seed).permutation(len(probs))
    for measure in (
        lambda p: pairwise.q_statistic(pairwise.overlap(p, y)),
        lambda p: pairwise.kappa(p),
        lambda p: pairwise.residual_correlation(p, y),
        lambda p: pairwise.normalised_disagreement(p, y),
        lambda p: diversity.pairwise_jsd(p),
    ):
        assert measure(probs[order]) == pytest.approx(measure(probs)[np.ix_(order, order)], nan_ok=True, abs=1e-7)


def test_the_mean_leaves_out_what_is_not_defined():
    matrix = np.array([[1, 0.5, np.nan], [0.5, 1, 0.1], [np.nan, 0.1, 1]])
    assert over_pairs(matrix) == pytest.approx(0.3)
    assert np.isnan(over_pairs(np.full((3, 3), np.nan)))
    assert np.isnan(over_pairs(np.ones((1, 1)))), "one member has no pair"


@given(seeds)
def test_a_table_of_any_shape_gives_measures_within_their_range(seed):
    parts = np.random.default_rng(seed).dirichlet(np.full(4, 0.3), (6, 5))
    table = Overlap(*np.moveaxis(parts, -1, 0))
    for measure in (pairwise.q_statistic, pairwise.error_correlation):
        found = measure(table)
        assert (np.abs(found[np.isfinite(found)]) <= 1 + 1e-9).all()


@given(st.integers(0, 200))
def test_cells_of_members_are_compared_pair_by_pair(seed):
    space, rng = SearchSpace(), np.random.default_rng(seed)
    cells = [space.sample(rng) for _ in range(rng.integers(0, 5))]
    shared, edits = pairwise.member_shared(cells), pairwise.member_edits(cells)
    assert shared.shape == edits.shape == (len(cells), len(cells))
    assert np.array_equal(shared + edits, np.full_like(shared, space.lambda_max)), "of one space: edits = Λ − shared"
    for i, j in combinations(range(len(cells)), 2):
        assert (shared[i, j], edits[i, j]) == (shared_edges(cells[i], cells[j]), edit_distance(cells[i], cells[j]))
