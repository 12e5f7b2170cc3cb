"""How every judged number is named, written, read and cited: one literal that tables and axes are built from.

`about` is the formula in words, `low` and `high` its range, `better` which end is good. For a measure of diversity neither end
is: members may differ because they complement each other or because one of them is bad.
"""

from __future__ import annotations

from math import inf, log
from typing import NamedTuple


class Metric(NamedTuple):
    """How a number is named, written and read; `better` is 'higher', 'lower' or 'neither', `source` who defined it."""

    name: str
    unit: str
    better: str
    digits: int
    about: str
    low: float = -inf
    high: float = inf
    source: str = ""


_PAIRS = "mean over the pairs for which it is defined"
_KUNCHEVA = "Kuncheva and Whitaker 2003"
QUALITY: dict[str, Metric] = {
    "accuracy": Metric("accuracy", "%", "higher", 2, "share of images whose most probable class is right", 0, 1),
    "nll": Metric(
        "NLL",
        "nats",
        "lower",
        4,
        "negative log-likelihood: −mean log p̄(true class), of the averaged probabilities",
        0,
        source="Good 1952",
    ),
    "brier": Metric(
        "Brier score",
        "",
        "lower",
        4,
        "mean over images of Σ_c (p̄_c − y_c)², summed over classes",
        0,
        2,
        "Brier 1950",
    ),
    "ece": Metric(
        "ECE",
        "",
        "lower",
        4,
        "expected calibration error: |accuracy − confidence| over 15 equal-width bins",
        0,
        1,
        "Naeini et al. 2015, Guo et al. 2017",
    ),
    "adaptive_ece": Metric(
        "adaptive ECE",
        "",
        "lower",
        4,
        "expected calibration error: |accuracy − confidence| over 15 bins of equally many images",
        0,
        1,
        "Nguyen and O'Connor 2015",
    ),
    "signed_gap": Metric(
        "confidence − accuracy",
        "",
        "neither",
        4,
        "mean confidence minus accuracy: above 0 too sure of itself, below 0 not sure enough, best at 0",
        -1,
        1,
        "Guo et al. 2017",
    ),
    "aurc": Metric(
        "AURC",
        "",
        "lower",
        4,
        "error among the images kept, mean over all coverages, the least sure images rejected first",
        0,
        1,
        "Geifman and El-Yaniv 2017",
    ),
    "oracle_accuracy": Metric(
        "oracle accuracy",
        "%",
        "higher",
        2,
        "share of images that at least one member gets right",
        0,
        1,
        "Zaidi et al. 2021",
    ),
    "oracle_nll": Metric(
        "oracle NLL",
        "nats",
        "lower",
        4,
        "−mean log of the most that any member gives to the true class",
        0,
        source="Zaidi et al. 2021",
    ),
    "auroc": Metric(
        "AUROC",
        "",
        "higher",
        3,
        "how often a foreign image has the higher score than an own one, ties counted half; 0.5 is chance",
        0,
        1,
        "Hendrycks and Gimpel 2017",
    ),
}
"""How good and how honest predictions are."""

DIVERSITY: dict[str, Metric] = {
    "disagreement": Metric(
        "disagreement",
        "%",
        "neither",
        2,
        "share of images on which two members name different classes, mean over pairs",
        0,
        1,
        "Skalak 1996",
    ),
    "right_disagreement": Metric(
        "disagreement on correctness",
        "%",
        "neither",
        2,
        "share of images that exactly one of two members gets right, mean over pairs",
        0,
        1,
        _KUNCHEVA,
    ),
    "normalised_disagreement": Metric(
        "normalised disagreement",
        "",
        "neither",
        3,
        f"disagreement of two members divided by their mean error, {_PAIRS}",
        0,
        2,
        "Zaidi et al. 2021",
    ),
    "double_fault": Metric(
        "double fault",
        "%",
        "lower",
        2,
        "share of images that both of two members get wrong, mean over pairs",
        0,
        1,
        "Giacinto and Roli 2001",
    ),
    "q_statistic": Metric(
        "Q",
        "",
        "neither",
        3,
        f"(ad − bc)/(ad + bc) of the shares a both right, b and c one right, d both wrong, {_PAIRS}",
        -1,
        1,
        "Yule 1900",
    ),
    "error_correlation": Metric(
        "ρ of errors",
        "",
        "neither",
        3,
        f"correlation over images of being wrong: (ad − bc)/√((a+b)(c+d)(a+c)(b+d)), {_PAIRS}",
        -1,
        1,
        _KUNCHEVA,
    ),
    "residual_correlation": Metric(
        "ρ of residuals",
        "",
        "neither",
        3,
        f"correlation over images of what two members miss of the true class, 1 − p(true class), {_PAIRS}",
        -1,
        1,
        "Tumer and Ghosh 1996",
    ),
    "kappa": Metric(
        "κ",
        "",
        "neither",
        3,
        f"agreement of two members on classes beyond chance, {_PAIRS}",
        -1,
        1,
        "Cohen 1960",
    ),
    "jsd": Metric(
        "JSD",
        "nats",
        "neither",
        4,
        "Jensen–Shannon divergence of two members' predictions, mean over images and pairs",
        0,
        log(2),
        "Lin 1991",
    ),
    "mutual_information": Metric(
        "mutual information",
        "nats",
        "neither",
        4,
        "H(p̄) − mean_m H(p_m), mean over images: what the members do not agree on; 0 for one member",
        0,
        source="Depeweg et al. 2018",
    ),
    "ambiguity": Metric(
        "ambiguity",
        "",
        "neither",
        4,
        "mean_m ‖p_m − p̄‖²: what averaging takes off the members' mean Brier score, exactly",
        0,
        2,
        "Krogh and Vedelsby 1995",
    ),
    "log_ambiguity": Metric(
        "log ambiguity",
        "nats",
        "neither",
        4,
        "log p̄ − mean_m log p_m at the true class: what averaging takes off the members' mean NLL, exactly",
        source="Heskes 1998, Wood et al. 2023",
    ),
    "member_shared": Metric(
        "edges shared by members", "", "neither", 2, "edges with the same place and operation in two members' cells", 0
    ),
    "member_edits": Metric(
        "edits between members", "edits", "neither", 2, "fewest edits that turn one member's cell into another's", 0
    ),
}
"""How much members differ, in what they predict and in what they are."""
