"""The choices that decide what a page shows: each kept over page switches and carried by the link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from edgenes_core.cell_distances import DISTANCES
from edgenes_core.cell_map import METHODS
from edgenes_core.corruptions import TEST_CORRUPTIONS
from edgenes_core.records import METRICS
from edgenes_core.selecting import CRITERIA, SELECTION_RULES
from pages.widgets import address
from pages.widgets.answers import answers, keep


class Choice(NamedTuple):
    """A question with few answers: `options` maps what the link says to words; the first one is the default."""

    label: str
    options: dict[str, str]
    help: str = ""

    @property
    def default(self) -> str:
        return next(iter(self.options))


CHOICES: dict[str, Choice] = {
    "interpolation": Choice(
        "Interpolation between knots",
        {"continuous": "continuous (ours)", "published": "as published", "both": "both"},
        "The published formula swaps the weights of the two knots: each stretch runs backwards, and α jumps at every knot.",
    ),
    "maps_of": Choice(
        "Feature maps of",
        {"trained": "the retrained network", "supernet": "the supernet"},
        "A retrained network has weights of its own; the supernet shares its weights between all cells.",
    ),
    "combine": Choice(
        "Combine by",
        {
            "mean": "mean",
            "geometric": "geometric mean",
            "vote": "vote",
            "weights": "weights",
            "stacking": "stacking",
            "bma": "BMA",
            "tempered_bma": "tempered BMA",
            "gate": "gate",
        },
        "How the members' probabilities become one. Fitted rules (stacking, BMA, gate) predict each image by a fit on others.",
    ),
    "select_rule": Choice(
        "Rule",
        {"exhaustive": "all", "forward": "forward", "greedy": "greedy", "beam": "beam", "top": "best alone"},
        "\n\n".join(f"**{name}**: {rule.about}. {rule.cite}" for name, rule in SELECTION_RULES.items()),
    ),
    "select_by": Choice(
        "Criterion",
        {"nll": "NLL", "brier": "Brier score", "accuracy": "accuracy"},
        "\n\n".join(f"**{name}**: {criterion.about}." for name, criterion in CRITERIA.items()),
    ),
    "select_on": Choice(
        "Judge on",
        {"clean": "clean images", "worse": "images made worse"},
        "**Clean**: the validation images as they are. **Made worse**: the same with corruptions that selection may use; results are "
        f"reported on others ({', '.join(corruption.title for corruption in TEST_CORRUPTIONS.values())}), which nothing is chosen by.",
    ),
    "member_score": Choice(
        "Judge by",
        {"nll": "NLL", "accuracy": "accuracy", "brier": "Brier score"},
        "What a swap changes, and what the ladder shows, on the validation images.",
    ),
    "overlap": Choice(
        "Pairs by",
        {
            "double_fault": "double fault",
            "error_correlation": "ρ of errors",
            "q_statistic": "Q",
            "disagreement": "disagreement",
            "kappa": "κ",
            "jsd": "JSD",
            "member_shared": "shared edges",
            "member_edits": "edits",
        },
        "\n\n".join(
            f"**{METRICS[name].name}**: {METRICS[name].about}."
            for name in ("double_fault", "error_correlation", "q_statistic", "disagreement", "kappa", "jsd")
        ),
    ),
    "images_show": Choice(
        "Images",
        {
            "all": "all",
            "wrong": "team wrong",
            "split_right": "members disagree, team right",
            "split_wrong": "members disagree, team wrong",
            "agree_wrong": "members agree, team wrong",
            "all_wrong": "every member wrong",
        },
        "Members disagree where they name different classes.",
    ),
    "images_sort": Choice(
        "First",
        {
            "apart": "most disagreement",
            "loss": "highest loss",
            "epistemic": "most mutual information",
            "image": "by number",
        },
        "Equal ones by loss, then by their number.",
    ),
    "confusion": Choice(
        "Confusion", {"counts": "counts", "rates": "rates"}, "Rates are shares of each true class, in %."
    ),
    "doubt": Choice(
        "Doubt",
        {"total": "total entropy", "own": "members' own entropy", "apart": "mutual information"},
        "**Total**: H(p̄). **Own**: mean_m H(p_m). **Mutual information**: what the members do not agree on, the difference.",
    ),
    "outside": Choice(
        "Foreign images",
        {
            "noise": "noise",
            "shuffled": "shuffled pixels",
            "corrupted": "worst corruptions",
            "dataset": "another dataset",
        },
        "**Noise**: pixels drawn from those of the validation images. **Shuffled**: those images with their pixels in another order. "
        "**Worst corruptions**: the validation images at the highest stored severity. Stand-ins are easy; another dataset is the "
        "honest test.",
    ),
    "outside_score": Choice(
        "Score",
        {"entropy": "entropy", "mutual_information": "mutual information", "one_minus_max": "1 − max p̄"},
        "Higher for an image that looks foreign.",
    ),
    "test_metric": Choice("Corrupted test images by", {"nll": "NLL", "accuracy": "accuracy", "ece": "ECE"}),
    "map_distance": Choice(
        "Distance",
        {name: distance.title for name, distance in DISTANCES.items()},
        "\n\n".join(distance.about for distance in DISTANCES.values()),
    ),
    "map_method": Choice(
        "Map",
        {name: method.title for name, method in METHODS.items()},
        "\n\n".join(method.about for method in METHODS.values()),
    ),
    "plane_x": Choice(
        "Diversity",
        {"disagreement": "disagreement", "jsd": "JSD", "shared": "shared edges"},
        "**Disagreement**: share of images named differently. **JSD**: Jensen–Shannon divergence of the predicted probabilities, "
        "mean over images. **Shared edges**: same place, same operation; the edit distance is Λ minus these, the same picture mirrored.",
    ),
    "plane_against": Choice(
        "Compared with",
        {"base": "α*", "team": "each other"},
        "**α\\***: each network with α\\*; of an ensemble, the mean over its members. "
        "**Each other**: a cell with the pool's other cells; an ensemble's members among themselves, mean over pairs.",
    ),
    "plane_y": Choice("Quality", {"nll": "NLL", "accuracy": "accuracy", "brier": "Brier score"}),
    "plane_facets": Choice("Panels", {"off": "one", "on": "one per shared count"}),
    "plane_cloud": Choice(
        "Ensembles", {"off": "stored", "on": "all of the pool"}, "Every ensemble that the selection could have chosen."
    ),
    "train": Choice(
        "View",
        {
            "auto": "as it fits the run",
            "watch": "Watch the open run",
            "new": "New run",
            "like": "New run like this one",
        },
    ),
    "compare_on": Choice(
        "Judged on",
        {"val": "validation", "test": "test"},
        "Members are always chosen on validation, so validation numbers are optimistic, the more so the more a method had to choose from.",
    ),
    "compare_mode": Choice(
        "Members from",
        {"pool": "equal pools", "seconds": "equal seconds", "images": "equal images", "all": "all trained"},
        "**Equal pools**: the first N candidates of each method. **Equal seconds**, **equal images**: what the reference costs in all "
        "pays for, the search included. **All trained**: whatever each method trained, which favours those that trained more.",
    ),
    "compare_spread": Choice("Beside each mean", {"sd": "± sd", "interval": "95 % interval"}, "Over the seeds."),
    "compare_y": Choice("Quality", {"nll": "NLL", "accuracy": "accuracy", "brier": "Brier score", "ece": "ECE"}),
    "compare_cost": Choice(
        "Cost",
        {"seconds": "seconds", "images": "images"},
        "**Seconds** that a core computed. **Images** passed through networks, forward and backward; the same on every machine.",
    ),
    "published_y": Choice("Quality", {"accuracy": "accuracy", "nll": "NLL", "brier": "Brier score"}),
    "slope_cells": Choice(
        "Cells",
        {"all": "all", "pool": "along λ", "drawn": "random + deviations"},
        "Cells along λ were chosen by the hypernetwork; random cells and random deviations of α\\* by nobody.",
    ),
}


def choose(name: str, *, only: Sequence[str] | None = None) -> str:
    """Draw a choice and return its answer; `only` leaves out answers that this run cannot give, and says so if one was asked for."""
    choice, key = CHOICES[name], f"choice_{name}"
    options = [option for option in choice.options if only is None or option in only]
    wanted = answers().get(name, choice.default)
    shown = wanted if wanted in options else options[0]
    st.session_state[key] = shown
    st.segmented_control(
        choice.label,
        options,
        format_func=choice.options.__getitem__,
        required=True,
        key=key,
        help=choice.help or None,
        on_change=_answer,
        args=(name, key),
    )
    if wanted != shown and name in answers():
        st.caption(f":material/info: {choice.options[wanted]} is not to be had here: {choice.options[shown]} is shown.")
    return shown


def answer(name: str, value: str) -> None:
    """Answer a choice; only what differs from its default is written into the link."""
    keep(name, value, CHOICES[name].default)
    address.publish()


def _answer(name: str, key: str) -> None:
    """Keep an answer over page switches."""
    answer(name, st.session_state[key])
