"""Combining members' probabilities (M, B, C) into one forecast (B, C): one protocol, one readable list.

A combiner is `fit(probs, y) -> rule` with `rule(probs) -> (B, C)`. Rules that fit nothing ignore what `fit` is given, so
that all are judged the same way (judging.py): a fitted rule only on images it was not fitted on, always beside the mean.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from edgenes_core.combining.errors import CombiningError

Rule = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[np.ndarray, np.ndarray], Rule]


class CombinerSpec(NamedTuple):
    """Name, function, what it does, its formula, whether it is fitted on validation images, and what to cite."""

    name: str
    module: str
    function: str
    about: str
    formula: str
    fitted: bool
    cite: str


COMBINERS: dict[str, CombinerSpec] = {
    spec.name: spec
    for spec in (
        CombinerSpec(
            "mean",
            "edgenes_core.ensembles",
            "combine",
            "mean of the probabilities",
            "p̄ = (1/M) Σ_m p_m",
            False,
            "Lakshminarayanan et al.: Simple and scalable predictive uncertainty estimation using deep ensembles. NeurIPS 2017.",
        ),
        CombinerSpec(
            "geometric",
            "edgenes_core.combining.average",
            "geometric_mean",
            "geometric mean: the softmax of the mean logits",
            "p̄ ∝ Π_m p_m^(1/M)",
            False,
            "Hinton: Training products of experts by minimizing contrastive divergence. Neural Computation 2002.",
        ),
        CombinerSpec(
            "vote",
            "edgenes_core.combining.average",
            "majority_vote",
            "majority vote; between equal votes the mean probability decides",
            "p̄ = (votes + mean) / (M + 1)",
            False,
            "Lam, Suen: Application of majority voting to pattern recognition. IEEE Trans. SMC A 1997.",
        ),
        CombinerSpec(
            "weights",
            "edgenes_core.ensembles",
            "combine",
            "mixture with weights that you choose",
            "p̄ = Σ_m w_m p_m",
            False,
            "Genest, Zidek: Combining probability distributions. Statistical Science 1986 (linear opinion pool).",
        ),
        CombinerSpec(
            "stacking",
            "edgenes_core.combining.stacking",
            "fit",
            "linear stacking: the mixture weights of least NLL",
            "γ_m ← mean_x γ_m p_m(y) / Σ_j γ_j p_j(y)",
            True,
            "Smyth, Wolpert: Linearly combining density estimators via stacking. Machine Learning 1999.",
        ),
        CombinerSpec(
            "bma",
            "edgenes_core.combining.bayes",
            "fit",
            "Bayesian model averaging: nearly always the best member alone",
            "w = softmax(−n·NLL)",
            True,
            "Hoeting, Madigan, Raftery, Volinsky: Bayesian model averaging. Statistical Science 1999.",
        ),
        CombinerSpec(
            "tempered_bma",
            "edgenes_core.combining.bayes",
            "fit_tempered",
            "Bayesian model averaging where all images count as one observation",
            "w = softmax(−NLL)",
            True,
            "Zaidi et al.: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021 (their code).",
        ),
        CombinerSpec(
            "gate",
            "edgenes_core.combining.gate",
            "fit",
            "mixture of experts: weights by image, from the members' confidences and entropies",
            "p̄(x) = Σ_m softmax(V·h(x) + b)_m p_m(x)",
            True,
            "Jacobs, Jordan, Nowlan, Hinton: Adaptive mixtures of local experts. Neural Computation 1991.",
        ),
    )
}


def load_combiner(name: str, weights: np.ndarray | None = None) -> Fit:
    """The `fit` of a combiner; `weights` (M,) for the rule of that name, and for no other."""
    if name not in COMBINERS:
        raise CombiningError(f"A combining rule is one of {', '.join(COMBINERS)}, got {name!r}.")
    if (weights is not None) != (name == "weights"):
        raise CombiningError(
            f"The rule 'weights' needs a weight for each member and no other rule takes any, got {name!r}."
        )
    spec, function = COMBINERS[name], _function(name)
    if spec.fitted:
        return lambda probs, y: function(probs, y).combine
    if name == "weights":
        return lambda probs, y: lambda new: function(new, weights)
    return lambda probs, y: function


def fitted_weights(name: str, probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(M,) weights that a fitted rule gives members (M, B, C) on these validation images; the gate's, mean over images."""
    if name not in COMBINERS or not COMBINERS[name].fitted:
        raise CombiningError(f"Only fitted rules have weights of their own, and {name!r} fits nothing.")
    shares: np.ndarray = _function(name)(probs, y).shares
    return shares


def _function(name: str) -> Callable[..., Any]:
    spec = COMBINERS[name]
    found: Callable[..., Any] = getattr(importlib.import_module(spec.module), spec.function)
    return found
