"""Maps of cells: true distances, the same picture whatever the row order, and a sentence when there is no map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import manifold

from edgenes_core import embeddings
from edgenes_core.architecture import edit_distance, shared_edges
from edgenes_core.embeddings import EmbeddingError
from edgenes_core.space import SearchSpace

SPACES = [SearchSpace(4, k, c) for k in (1, 2) for c in (("reduce",), ("normal", "reduce"))]
seeds = st.integers(0, 2**32 - 1)


def cells(space, seed, count):
    """`count` cells by key: a base, its neighbours and strangers, as a map shows them."""
    rng = np.random.default_rng(seed)
    base = space.sample(rng)
    found = {base.key: base}
    while len(found) < count:
        cell = space.sample_sharing(base, int(rng.integers(space.lambda_max + 1)), rng)
        found[cell.key] = cell
    return found


def encoded(space, found):
    return np.stack([space.encode(cell) for cell in found.values()])


@given(st.sampled_from(SPACES), seeds, st.integers(1, 8))
@settings(max_examples=20)
def test_distances_are_those_of_the_cells(space, seed, count):
    found = cells(space, seed, count)
    some = list(found.values())
    distances, shared = (
        embeddings.edit_distances(encoded(space, found)),
        embeddings.shared_matrix(encoded(space, found)),
    )
    assert distances.tolist() == [[edit_distance(a, b) for b in some] for a in some]
    assert shared.tolist() == [[shared_edges(a, b) for b in some] for a in some]
    assert np.array_equal(distances, space.lambda_max - shared)


def test_mds_recovers_points_of_the_plane(rng):
    points = rng.normal(size=(30, 2)) * [3, 1]
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    xy = embeddings.mds(distances)
    assert np.linalg.norm(xy[:, None] - xy[None], axis=-1) == pytest.approx(distances)
    assert embeddings.pca(points) == pytest.approx(xy)
    assert embeddings.trustworthiness(distances, xy) == pytest.approx(1)


@given(seeds, st.integers(1, 30))
@settings(max_examples=20)
def test_pca_of_encodings_is_mds_of_root_distances(seed, count):
    space = SPACES[0]
    encodings = encoded(space, cells(space, seed, count))
    roots = np.sqrt(2 * embeddings.edit_distances(encodings))
    spread = [np.linalg.norm(xy, axis=0) for xy in (embeddings.pca(encodings), embeddings.mds(roots))]
    assert spread[0] == pytest.approx(spread[1], abs=1e-6)


@given(st.sampled_from(["pca", "mds"]), seeds, st.integers(1, 20), st.data())
@settings(max_examples=30)
def test_the_picture_does_not_depend_on_row_order(kind, seed, count, data):
    space = SPACES[seed % 4]
    found = cells(space, seed, count)
    encodings, keys = encoded(space, found), list(found)
    rows = encodings if kind == "pca" else embeddings.edit_distances(encodings)
    order = np.array(data.draw(st.permutations(range(count))))
    shuffled = rows[order] if kind == "pca" else rows[np.ix_(order, order)]
    draw = getattr(embeddings, kind)
    xy = draw(rows, keys=keys)
    assert np.array_equal(draw(shuffled, keys=[keys[i] for i in order]), xy[order])
    assert xy.mean(0) == pytest.approx([0, 0], abs=1e-9)
    assert (xy**2).sum(0)[0] >= (xy**2).sum(0)[1] - 1e-9  # widest along x


@given(seeds)
@settings(max_examples=10)
def test_a_mirrored_input_gives_the_same_picture(seed):
    """The sign convention: without it an eigenvector's sign is up to the library."""
    points = np.random.default_rng(seed).normal(size=(9, 3)) * [3, 2, 1]
    xy = embeddings.pca(points)
    assert all(column[np.abs(column).argmax()] > 0 for column in xy.T)
    mirrored = embeddings.pca(points * [1, -1, 1])
    assert np.abs(mirrored) == pytest.approx(np.abs(xy))


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_few_or_equal_cells_have_a_map(count):
    same = np.zeros((count, count))
    apart = 4.0 * (1 - np.eye(count))
    for distances in (same, apart):
        xy = embeddings.mds(distances)
        assert xy.shape == (count, 2)
        assert np.isfinite(xy).all()
    assert not embeddings.mds(same).any()
    assert not embeddings.pca(np.ones((count, 14, 7))).any()
    if count <= 3:
        xy = embeddings.mds(apart)
        assert np.linalg.norm(xy[:, None] - xy[None], axis=-1) == pytest.approx(apart)


@pytest.fixture(scope="module")
def umap_input():
    """60 cells around a base; the fixture below pays UMAP's compilation once."""
    found = cells(SPACES[0], 7, 60)
    return embeddings.edit_distances(encoded(SPACES[0], found)), list(found)


@pytest.fixture(scope="module")
def umap_xy(umap_input):
    return embeddings.umap(*umap_input[:1], seed=0, keys=umap_input[1])


def test_umap_repeats_and_does_not_depend_on_row_order(umap_input, umap_xy, rng):
    distances, keys = umap_input
    assert umap_xy.shape == (60, 2)
    assert np.isfinite(umap_xy).all()
    assert np.array_equal(embeddings.umap(distances, seed=0, keys=keys), umap_xy)
    order = rng.permutation(60)
    again = embeddings.umap(distances[np.ix_(order, order)], seed=0, keys=[keys[i] for i in order])
    assert np.array_equal(again, umap_xy[order])
    assert not np.array_equal(embeddings.umap(distances, seed=1, keys=keys), umap_xy)


def test_umap_keeps_neighbours_better_than_chance(umap_input, umap_xy, rng):
    distances, _ = umap_input
    chance = np.mean([embeddings.trustworthiness(distances, rng.normal(size=(60, 2))) for _ in range(5)])
    assert embeddings.trustworthiness(distances, umap_xy) > chance + 0.15


def test_umap_of_duplicates_and_separate_groups():
    two_groups = np.kron([[0.0, 4.0], [4.0, 0.0]], np.ones((12, 12)))
    xy = embeddings.umap(two_groups, neighbours=5)
    assert np.isfinite(xy).all()
    assert not embeddings.umap(np.zeros((20, 20))).any()


@pytest.mark.parametrize(("count", "neighbours"), [(1, 15), (3, 15), (15, 15), (20, 1), (20, 0)])
def test_umap_of_too_few_cells_is_refused(count, neighbours):
    with pytest.raises(EmbeddingError, match=f"got {count} cells and {neighbours} neighbours; .* MDS map"):
        embeddings.umap(1 - np.eye(count), neighbours=neighbours)


def points_and_map(seed, count):
    """Distances without ties, and a map that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 4))
    return np.linalg.norm(points[:, None] - points[None], axis=-1), rng.normal(size=(count, 2))


@given(seeds, st.integers(3, 40), st.data())
@settings(max_examples=20)
def test_trustworthiness_without_ties_is_that_of_scikit_learn(seed, count, data):
    distances, xy = points_and_map(seed, count)
    near = data.draw(st.integers(1, (count - 1) // 2))
    theirs = manifold.trustworthiness(distances, xy, n_neighbors=near, metric="precomputed")
    assert embeddings.trustworthiness(distances, xy, near) == pytest.approx(theirs)
    assert embeddings.best_trustworthiness(distances, near) == pytest.approx(1)


def test_ties_count_as_the_mean_over_all_their_orders(rng):
    distances = np.triu(rng.integers(1, 4, (14, 14)), 1).astype(float)
    distances += distances.T
    xy = rng.integers(0, 2, (14, 2)).astype(float)
    broken = []
    for _ in range(400):
        little = np.triu(rng.random((14, 14)), 1) * 1e-6
        broken.append(
            embeddings.trustworthiness(distances + little + little.T, xy + 1e-7 * rng.normal(size=xy.shape), 4)
        )
    error = np.std(broken) / np.sqrt(len(broken))
    assert embeddings.trustworthiness(distances, xy, 4) == pytest.approx(np.mean(broken), abs=4 * error)


@given(st.sampled_from(SPACES), seeds, st.integers(3, 25), st.data())
@settings(max_examples=20)
def test_trustworthiness_of_tied_distances(space, seed, count, data):
    """Independent of row order, and never above what a map without distortion reaches."""
    distances = embeddings.edit_distances(encoded(space, cells(space, seed, count)))
    xy, near = embeddings.mds(distances), data.draw(st.integers(1, (count - 1) // 2))
    trust, best = embeddings.trustworthiness(distances, xy, near), embeddings.best_trustworthiness(distances, near)
    assert trust <= best + 1e-12
    assert best <= 1 + 1e-12
    order = np.array(data.draw(st.permutations(range(count))))
    shuffled = embeddings.trustworthiness(distances[np.ix_(order, order)], xy[order], near)
    assert shuffled == pytest.approx(trust, abs=1e-12)


def test_trustworthiness_leaves_its_input_alone(umap_input, umap_xy):
    before = umap_input[0].astype(float)
    given_ = before.copy()
    assert 0 <= embeddings.trustworthiness(given_, umap_xy) <= 1
    assert np.array_equal(given_, before)
    with pytest.raises(EmbeddingError, match="more than 2·neighbours"):
        embeddings.trustworthiness(1 - np.eye(10), np.zeros((10, 2)), 5)
    with pytest.raises(EmbeddingError, match="finite points"):
        embeddings.trustworthiness(1 - np.eye(10), np.full((10, 2), np.nan), 2)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((0, 0)), np.zeros((2, 3)), np.zeros(4), np.full((2, 2), np.nan), np.array([[0.0, 1], [2, 0]]),
        np.ones((2, 2)), -(1 - np.eye(2)),
    ],
)  # fmt: skip
def test_what_is_no_distance_matrix_is_refused(wrong):
    for draw in (embeddings.mds, embeddings.umap):
        with pytest.raises(EmbeddingError):
            draw(wrong)


def test_what_cannot_be_placed_is_refused():
    for use, wrong in ((embeddings.pca, np.zeros(3)), (embeddings.pca, np.full((2, 2), np.inf)),
                       (embeddings.shared_matrix, np.zeros((0, 14, 7))), (embeddings.edit_distances, np.zeros((3, 3)))):  # fmt: skip
        with pytest.raises(EmbeddingError):
            use(wrong)
    with pytest.raises(EmbeddingError, match="one key per cell"):
        embeddings.mds(np.zeros((2, 2)), keys=["a"])
