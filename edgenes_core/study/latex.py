"""A study's table as booktabs LaTeX: one row an arm, mean ± sd over seeds, ties with the reference marked ≈."""

from __future__ import annotations

from collections.abc import Sequence

from edgenes_core.study.folder import Study
from edgenes_core.study.table import METRICS, Row, Seen
from edgenes_core.tex import escape

HEADS = {"accuracy": r"accuracy, \%", "nll": "NLL", "brier": "Brier", "ece": "ECE"}
SPLITS = {"val": "validation", "test": "test"}


def booktabs(study: Study, seen: Seen, table: Sequence[Row], reference: str) -> str:
    r"""A `table` environment that needs \usepackage{booktabs}."""
    found = {(row.arm, row.metric): row for row in table}
    lines = [r"\begin{table}", r"\centering", r"\begin{tabular}{l" + "r" * (len(METRICS) + 3) + "}", r"\toprule"]
    lines.append(" & ".join(["method", "$n$", *(HEADS[m] for m in METRICS), "networks", "cost, s"]) + r" \\ \midrule")
    for arm in seen.arms:
        cells = [_cell(found[arm, metric]) for metric in METRICS]
        first = found[arm, METRICS[0]]
        lines.append(
            " & ".join([escape(first.title), str(first.n), *cells, f"{first.networks:g}", f"{first.seconds:.0f}"])
            + r" \\"
        )
    name = study.config.arm(reference).shown
    caption = escape(
        f"{study.config.about or study.id}, {SPLITS[seen.split]}, {len(seen.y)} images, mean ± sd over n seeds; {seen.mode.words}. "
        f"≈: a tie with {name} (95 % over seeds and images, simultaneous for the {len(seen.arms) - 1} methods of a column). "
        f"Study {study.id}, commit {str(study.about.get('commit', ''))[:12]}."
    )
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\caption{{{caption}}}", r"\end{table}"])


def _cell(row: Row) -> str:
    scale, digits = (100, 2) if row.metric == "accuracy" else (1, 4)
    spread = rf" \pm {row.sd * scale:.{digits}f}" if row.n > 1 else ""
    return f"${row.value * scale:.{digits}f}{spread}$" + (r"$\,\approx$" if row.verdict == "tie" else "")
