"""The metrics as they were: every one turned its (M, B, C) predictions into float64 and checked them in three passes."""

import numpy as np

FLOOR, BINS = 1e-12, 15


def distributions(probs):
    array = np.asarray(probs, np.float64)
    if not np.isfinite(array).all() or array.min() < -1e-3 or np.abs(array.sum(-1) - 1).max() > 1e-3:
        raise ValueError("no probabilities")
    return array


def mean(probs):
    return distributions(probs).mean(0)


def accuracy(probs, y):
    return float((distributions(probs).argmax(-1) == y).mean())


def nll(probs, y):
    return -float(np.log(np.maximum(distributions(probs)[np.arange(len(y)), y], FLOOR)).mean())


def brier(probs, y):
    error = distributions(probs).copy()
    error[np.arange(len(y)), y] -= 1
    return float((error**2).sum(-1).mean())


def ece(probs, y):
    probs = distributions(probs)
    edges, confidence, right = np.arange(BINS + 1) / BINS, probs.max(-1), probs.argmax(-1) == y
    where = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    count = np.bincount(where, minlength=BINS)
    share = np.where(count > 0, count, np.nan)
    gap = np.abs(np.bincount(where, right, BINS) / share - np.bincount(where, confidence, BINS) / share)
    return float(np.nansum(gap * count) / count.sum())


def pairwise_disagreement(probs):
    named = distributions(probs).argmax(-1)
    return np.array([(named != member).mean(-1) for member in named])


def oracle_accuracy(probs, y):
    return float((distributions(probs).argmax(-1) == y).any(0).mean())


def mutual_information(probs):
    probs = distributions(probs)
    return max(0.0, float((entropy(probs.mean(0)) - entropy(probs).mean(0)).mean()))


def pairwise_jsd(probs):
    probs = distributions(probs)
    own, found = entropy(probs).mean(-1), np.zeros((len(probs), len(probs)))
    for i, member in enumerate(probs):
        for j in range(i):
            mixed = entropy((member + probs[j]) / 2).mean()
            found[i, j] = found[j, i] = max(0.0, float(mixed - (own[i] + own[j]) / 2))
    return found


def entropy(probs):
    safe = np.where(probs > 0, probs, 1.0)
    return -(safe * np.log(safe)).sum(-1)
