"""The charts of the Ensembles page as words, numbers and code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edgenes_core import snippets
from edgenes_core.records import METRICS, Selection
from edgenes_core.run_folder import Run
from pages.widgets.compare import PAIRED, Entry
from pages.widgets.scores import Scored, text_of
from pages.widgets.tools import View, frame

if TYPE_CHECKING:
    from edgenes_core.figures.forest import Compared
    from edgenes_core.figures.quality import Reliability


def scores_view(run: Run, entries: Sequence[Entry]) -> View:
    """Every metric of every ensemble."""
    from edgenes_core.figures.tables import Score, score_rows

    table = frame(Score, score_rows([(e.name, e.members, e.val) for e in entries]))
    said = "; ".join(_leaders(entries, metric) for metric in PAIRED)
    snippet = snippets.ensemble_scores(run, _named(entries))
    return View("ensembles", _validation(entries), f"Of {len(entries)} ensembles, {said}.", table, snippet)


def _leaders(entries: Sequence[Entry], metric: str) -> str:
    """Who is first, all of them if several are."""
    sign = 1 if METRICS[metric].better == "higher" else -1
    best = max(sign * getattr(e.val, metric) for e in entries)
    names = " and ".join(e.name for e in entries if sign * getattr(e.val, metric) == best)
    return f"the best {METRICS[metric].name} is {text_of(metric, sign * best)} ({names})"


def forest_view(run: Run, entries: Sequence[Entry], reference: Entry, rows: Sequence[Compared]) -> View:
    """Differences against the reference."""
    from edgenes_core.figures.forest import verdict
    from edgenes_core.figures.tables import Paired, difference_rows

    said = []
    for i, metric in enumerate(PAIRED):
        words = {row.name: verdict(metric, row.differences[i]) for row in rows}
        found = [f"{word}: {', '.join(n for n in words if words[n] == word)}" for word in ("better", "worse")]
        clauses = [clause for clause in found if not clause.endswith(": ")]
        said.append(f"{METRICS[metric].name} {', '.join(clauses) if clauses else 'ties only'}")
    chosen = _named(entry for entry in entries if entry.name != reference.name)
    return View(
        "differences",
        f"Differences to {reference.name}, paired bootstrap 95 %, {_validation([reference])}",
        f"Against {reference.name} on {reference.val.n} validation images: {'; '.join(said)}.",
        frame(Paired, difference_rows(rows, PAIRED)),
        snippets.ensemble_differences(run, chosen, reference.members, PAIRED),
    )


def sizes_view(run: Run, pool: Sequence[str], rule: str, found: Sequence[Selection]) -> View:
    """The best validation NLL at each size."""
    from edgenes_core.figures.tables import Step, size_rows

    first, last, best = found[0], found[-1], min(found, key=lambda selection: selection.val.nll)
    return View(
        "sizes",
        f"Best by validation NLL of a pool of {len(pool)}, rule {rule}, validation n = {first.val.n} images",
        f"Validation NLL is lowest, {best.val.nll:.4f}, with {best.size}; it is {first.val.nll:.4f} with {first.size} "
        f"and {last.val.nll:.4f} with {last.size}.",
        frame(Step, size_rows(found)),
        snippets.best_by_size(run, pool, [selection.size for selection in found], rule),
    )


def reliability_view(run: Run, entries: Sequence[Entry], infos: Sequence[Reliability]) -> View:
    """Confidence against accuracy."""
    from edgenes_core.figures.tables import Bin, reliability_rows

    said = "; ".join(
        f"{info.name} has ECE {info.ece:.4f} and is surer than right in {int((info.confidence > info.accuracy).sum())} "
        f"of {len(info.accuracy)} filled bins"
        for info in infos
    )
    return View(
        "reliability",
        f"Reliability, 15 equal-width bins, Wilson 95 %, {_validation(entries)}",
        f"{said}." if said else "No ensemble is drawn yet.",
        frame(Bin, reliability_rows(infos)),
        snippets.reliability(run, _named(entries)),
    )


def matrix_view(run: Run, scored: Scored, members: Sequence[str], name: str) -> View:
    """Who disagrees with whom."""
    from edgenes_core.figures.tables import Pair, disagreement_rows

    rows = scored.rows(members)
    names = [scored.name(scored.ids[row]) for row in rows]
    pairs = sorted(disagreement_rows(names, scored.disagreement[rows][:, rows]), key=lambda pair: pair.disagreement)
    said = "Fewer than two members: there is no pair that could disagree."
    if pairs:
        low, high = (f"{text_of('disagreement', p.disagreement)} ({p.a} and {p.b})" for p in (pairs[0], pairs[-1]))
        said = f"{len(pairs)} pairs of {name}: they name different classes on {low} to {high} of the images."
    return View(
        "disagreement",
        f"Pairwise disagreement of {name}, validation n = {len(scored.y)} images",
        said,
        frame(Pair, disagreement_rows(names, scored.disagreement[rows][:, rows])),
        snippets.disagreements(run, [(title, [scored.ids[row]]) for title, row in zip(names, rows, strict=True)]),
    )


def _named(entries: Iterable[Entry]) -> list[tuple[str, list[str]]]:
    return [(entry.name, list(entry.members)) for entry in entries]


def _validation(entries: Sequence[Entry]) -> str:
    return f"validation n = {entries[0].val.n} images" if entries else "validation"
