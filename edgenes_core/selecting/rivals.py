"""Exact accuracy of ensembles without averaging what cannot matter.

With margins d_m(c) = p_m(c) − p_m(y), an average is wrong on an image if Σ_m d_m(c) > 0 for some class c ≠ y, or = 0 for
one that stands before y (the first class wins a tie, as in metrics.accuracy). Of all n-subsets of the pool:

    c can never beat y      if the n largest margins of c sum to less than 0: the class is dropped
    c always beats y        if the n smallest sum to more than 0: the image is lost, whatever is chosen
    c adds nothing to c′    if the n largest d(c) − d(c′) sum to less than 0: whenever c beats y, c′ does

What these leave are the rivals of y. With n = 1 the three hold for every member, so for all weights and repeats too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edgenes_core.selecting import pool as pools
from edgenes_core.selecting.pool import Pool, Watch, spans
from edgenes_core.selecting.subsets import branches, pair_sums

SLACK = 1e-9  # nothing is dropped that rounding could bring back
ROUNDING = 1e-12  # sums this close to 0 are ties
STRONGEST = 2  # rivals per image that others are compared with; further ones drop few


class Rivals(NamedTuple):
    """Images with the same number K of rivals: margins (N, K, B); a sum must exceed limit (K, B) to beat the true class."""

    margin: np.ndarray
    limit: np.ndarray


class Contest(NamedTuple):
    """`lost` images are wrong in every subset; of `images` in all, those neither lost nor in a group are always right."""

    images: int
    lost: int
    groups: list[Rivals]


def contests(pool: Pool, size: int) -> Iterator[Contest]:
    """What n-subsets of the pool are judged on, some images at a time; `size` 1 serves all weights."""
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    begin, lost = 0, 0
    for part in pool.blocks():
        image, limit, margin, without = _rivals(pool, part, size)
        found.append((image + part.start, limit, margin))
        lost += without
        if part.stop == len(pool.y) or sum(margin.nbytes for *_, margin in found) > pools.BLOCK_BYTES:
            yield Contest(
                part.stop - begin, lost, list(_grouped(*(np.concatenate(x, axis=-1) for x in zip(*found, strict=True))))
            )
            found, begin, lost = [], part.stop, 0


def every_error(pool: Pool, size: int, watch: Watch) -> np.ndarray:
    """(C(N, n),) share of images that the average gets wrong, in lexicographic order; n ≥ 2."""
    images, pairs = len(pool.y), math.comb(len(pool.keys), 2)
    wrong, done = np.zeros(math.comb(len(pool.keys), size), np.int64), 0
    for contest in contests(pool, size):
        wrong += contest.lost
        seen, rows = 0, sum(group.limit.size for group in contest.groups)
        for group in contest.groups:
            for some in spans(group.limit.shape[1], pools.CHUNK_BYTES // (8 * pairs * len(group.limit))):
                limit = np.ascontiguousarray(group.limit[:, some])
                margin = group.margin[:, :, some].reshape(len(group.margin), -1)
                _count_wrong(wrong, margin, limit, size, watch, (done + contest.images * seen // rows, images))
                seen += limit.size
        done += contest.images
    watch.at(images, images)
    return wrong / images


def _count_wrong(
    wrong: np.ndarray, margin: np.ndarray, limit: np.ndarray, size: int, watch: Watch, at: tuple[int, int]
) -> None:
    """Add the wrong images of margins (N, K·B) to each subset's count: one comparison per subset and rival."""
    pairs = pair_sums(margin)
    beaten = np.empty(pairs.shape, bool)
    for prefix, pair, subsets in branches(margin, size):
        watch.at(*at)
        found = np.greater(pairs[pair:], limit.ravel() - prefix, out=beaten[pair:]).reshape(-1, *limit.shape)
        wrong[subsets] += np.count_nonzero(np.bitwise_or.reduce(found, axis=1), axis=1)


def errors(kept: list[Contest], counts: np.ndarray) -> np.ndarray:
    """(R,) share of images that averages get wrong which name the members as often as counts (R, N) say."""
    wrong = np.full(len(counts), sum(contest.lost for contest in kept))
    for group in (group for contest in kept for group in contest.groups):
        for some in spans(group.limit.shape[1], pools.CHUNK_BYTES // (8 * len(group.limit))):
            limit = group.limit[:, some]
            margin = group.margin[:, :, some].reshape(len(group.margin), -1)
            for rows in spans(len(counts), pools.CHUNK_BYTES // (8 * limit.size)):
                beaten = (counts[rows] @ margin > limit.ravel()).reshape(-1, *limit.shape)
                wrong[rows] += np.count_nonzero(np.bitwise_or.reduce(beaten, axis=1), axis=1)
    return wrong / sum(contest.images for contest in kept)


def _rivals(pool: Pool, part: slice, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Image (R,), limit (R,) and margins (N, R) of the rivals, by image, strongest first; and how many images are lost."""
    image, label, margin = _candidates(pool, part)
    lost = np.unique(image[-_largest(-margin, size) > SLACK])
    kept = (_largest(margin, size) > -SLACK) & ~np.isin(image, lost)
    image, label, margin = image[kept], label[kept], margin[:, kept]
    strength = np.lexsort((-margin.sum(0), image))
    image, label, margin = image[strength], label[strength], margin[:, strength]
    kept = ~_outdone(image, margin, size)
    image, label, margin = image[kept], label[kept], margin[:, kept]
    return image, np.where(label < pool.y[part][image], -ROUNDING, ROUNDING), margin, len(lost)


def _candidates(pool: Pool, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image and class (R,) of each class that some member puts at least as high as the true one, and margins (N, R)."""
    y, images = pool.y[part], np.arange(part.stop - part.start)
    near = np.zeros((len(images), pool.probs.shape[2]), bool)
    for row in pool.order:
        member = pool.probs[row, part]
        near |= member >= member[images, y][:, None]
    near[images, y] = False
    image, label = np.nonzero(near)
    margin = np.empty((len(pool.order), len(image)))
    for row, out in zip(pool.order, margin, strict=True):
        member = pool.probs[row, part].astype(float)
        np.subtract(member[image, label], member[image, y[image]], out=out)
    return image, label, margin


def _largest(values: np.ndarray, size: int) -> np.ndarray:
    """(N, R) → (R,): the sum of the n largest."""
    if size == 1:
        return values.max(0)
    if size == len(values):
        return values.sum(0)
    return np.partition(values, -size, axis=0)[-size:].sum(0)


def _outdone(image: np.ndarray, margin: np.ndarray, size: int) -> np.ndarray:
    """(R,) rivals that add nothing to a stronger one of the same image; rows are sorted by image, strongest first."""
    begin = np.flatnonzero(np.diff(image, prepend=-1))
    count = np.diff(begin, append=len(image))
    rank = np.arange(len(image)) - np.repeat(begin, count)
    out = np.zeros(len(image), bool)
    for strongest in range(STRONGEST):
        rows = np.flatnonzero((rank > strongest) & ~out)
        better = rows - rank[rows] + strongest
        out[rows] = _largest(margin[:, rows] - margin[:, better], size) < -SLACK
    return out


def _grouped(image: np.ndarray, limit: np.ndarray, margin: np.ndarray) -> Iterator[Rivals]:
    """Images by their number of rivals, rounded up to 1, 2, 3, 4, 6, 8, 12, 16, …; the last rival then counts again."""
    begin = np.flatnonzero(np.diff(image, prepend=-1))
    count = np.diff(begin, append=len(image))
    power = 2 ** np.floor(np.log2(np.maximum(count, 1))).astype(int)
    rounded = np.where(count == power, power, np.where(2 * count <= 3 * power, -(-3 * power // 2), 2 * power))
    for rivals in np.unique(rounded):
        these = rounded == rivals
        rows = begin[these] + np.minimum(np.arange(rivals)[:, None], count[these] - 1)
        yield Rivals(margin[:, rows], limit[rows])
