"""What the authors have published of EdgeNES, number by number, to stand beside our measurements.

Sources: the thesis (Babkin 2024), the paper of the same year, two sets of slides (2023, 2024), the preprint of 2023 with its
notebooks, and the release (commit 7392cfd). A number is copied as it stands there; what is known about it beside that stands in
`note`. Accuracies are in percent and, but where a note says otherwise, on CIFAR-100's test images, which the release also
validates on. "±" is what the sources call the spread; where it can be checked it is a population standard deviation.
"""

from __future__ import annotations

from typing import NamedTuple

THESIS = "thesis 2024 (Babkin)"
PAPER = "paper 2024 (Babkin, Bakhteev)"
SLIDES_2023, SLIDES_2024 = "slides 2023", "slides 2024"
NOTEBOOK = "notebooks of the release"


class Reported(NamedTuple):
    """A published series: places `x` (shared edges, λ, or only an order), values, their spread if there is one, its source."""

    label: str
    x: tuple[float, ...]
    value: tuple[float, ...]
    spread: tuple[float, ...]
    source: str
    note: str = ""


class Result(NamedTuple):
    """A published row of a table of methods: accuracy in percent with its spread, GPU-hours (NaN if none are said). `arm` is what
    the same is called in our studies."""

    method: str
    arm: str
    accuracy: float
    spread: float
    hours: float
    source: str


class Area(NamedTuple):
    """The published test of convergence: areas under the two curves, and the p of a t test between them."""

    source: str
    darts_ens: str
    edgenes: str
    p: float


SHARED = Reported(
    "hypernetwork, published figure",
    tuple(4 * k / 19 for k in range(20)),
    (0, 0, 1, 1, 1, 2, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4),
    (),
    f"{THESIS}, figure; the data stand in the {NOTEBOOK}",
    "20 values; that λ runs from 0 to Λ in equal steps is our reading.",
)
ONE_CELL = Reported(
    "accuracy against λ, as logged",
    (1, 2, 3, 4, 5, 6, 7),
    (61.38, 61.44, 61.46, 61.15, 62.35, 61.09, 61.54),
    (),
    f"{NOTEBOOK}, log of the retraining",
    "The log prints the same cell for all seven λ, so these are seven trainings of one cell; the figure drawn from them shows four "
    "other values. They cannot say how accuracy depends on λ.",
)
FIXED = Reported(
    "a search for each λ, k = 2",
    (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0),
    (90.78, 91.36, 92.12, 91.33, 90.77, 91.50, 90.97, 91.54),
    (),
    f"{NOTEBOOK}, demo; Fashion-MNIST",
    "With k = 2 the published λ is half the number of shared edges. One training each; the best epoch on the test images.",
)
WARMED = (
    Reported("warmed", (1, 2, 3), (59.8, 62.4, 61.6), (1.8, 2.0, 0.5), f"{PAPER}, table"),
    Reported("not warmed", (1, 2, 3), (57.3, 57.7, 60.2), (2.8, 2.1, 1.7), f"{PAPER}, table"),
)
WARMED_2023 = (
    Reported("neither warmed", (1, 2, 3), (30.6, 28.3, 26.5), (), SLIDES_2023),
    Reported("weight warmed", (1, 2, 3), (40.0, 38.7, 35.4), (), SLIDES_2023),
    Reported("temperature warmed", (1, 2, 3), (40.3, 31.0, 31.4), (), SLIDES_2023),
)
BY_SHARED = (
    Reported("hypernetwork", (0, 1, 2, 3), (46.2, 45.9, 46.7, 46.6), (2.5, 2.7, 2.8, 2.1), f"{THESIS}, table 2"),
    Reported("random deviation", (0, 1, 2, 3), (43.9, 46.1, 45.6, 45.9), (7.7, 5.4, 4.9, 2.5), f"{THESIS}, table 2"),
)
AREAS = (
    Area(SLIDES_2024, "2.90 ± 0.19", "2.78 ± 0.13", 0.0329),
    Area(THESIS, "", "", 0.0287),
)
_NONE = float("nan")
RESULTS = (
    Result("DARTS", "darts", 46.2, 2.2, 1.2, SLIDES_2024),
    Result("random cell", "random", 44.2, 3.3, 0.0, SLIDES_2024),
    Result("DartsEns", "darts_ens", 47.5, 1.4, 3.6, SLIDES_2024),
    Result("random ensemble", "random", 45.1, 2.8, 0.0, SLIDES_2024),
    Result("EdgeNES", "edgenes", 47.9, 1.8, 2.1, SLIDES_2024),
    Result("DARTS", "darts", 46.8, 1.7, 1.2, THESIS),
    Result("random cell", "random", 44.6, 6.9, 0.0, THESIS),
    Result("DartsEns", "darts_ens", 48.9, 1.2, 3.6, THESIS),
    Result("Random-NES", "random", 46.9, 3.2, 0.0, THESIS),
    Result("RandomD-NES", "deviation", 47.7, 2.0, 1.2, THESIS),
    Result("EdgeNES", "edgenes", 48.1, 1.7, 2.1, THESIS),
    Result("DartsEns", "darts_ens", 48.2, 1.5, _NONE, PAPER),
    Result("EdgeNES", "edgenes", 48.1, _NONE, _NONE, PAPER),
    Result("DartsEns", "darts_ens", 61.60, 0.43, 4.2, SLIDES_2023),
    Result("random edges", "random", 55.60, 6.03, _NONE, SLIDES_2023),
    Result("EdgeNES, Jensen–Shannon", "jensen_shannon", 61.46, 0.62, 2.8, SLIDES_2023),
)
