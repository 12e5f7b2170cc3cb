"""Methods × metrics: means over seeds with their spread, what is tied with the reference, and what everything costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from edgenes_core.records import METRICS as NAMED
from edgenes_core.study import snippets
from edgenes_core.study.latex import booktabs
from edgenes_core.study.table import METRICS, Row
from edgenes_core.study.worth import DEEP, WorthRow
from pages.widgets import studies
from pages.widgets.choices import choose
from pages.widgets.compare_pick import Asked, amount
from pages.widgets.lab_headline import signed
from pages.widgets.markdown import plain
from pages.widgets.tools import View, frame, tool, view_tools

MARKS = {"better": "▲", "worse": "▼", "tie": "≈", "reference": "◆", "": ""}
WIDTHS = {"n": 44, "DEE": 56, "members": 66, "seconds": 60, "images": 66}  # pixels, so that all fit a small screen
LONG, NAMES = 24, 188  # letters of a long name; pixels of the names, if there are long ones


def tab(asked: Asked) -> None:
    """The table, which a click on a head sorts; its words, files and code."""
    spread, rows, worths = choose("compare_spread"), asked.rows, studies.worths_of(asked.study, asked.mode, asked.look)
    if not rows:
        st.info("No repeat is paid for by this budget; choose another reference.", icon=":material/info:")
        return
    numbers, texts = cells(asked, rows, worths, spread)
    styled = numbers.style
    for column in texts:
        for at, text in texts[column].items():
            styled.format(lambda _, text=text: text, subset=pd.IndexSlice[[at], [column]])
    st.dataframe(
        styled, hide_index=True, height="content", key="compare_numbers", column_config=heads(asked, list(numbers))
    )
    st.caption(
        f"{asked.where}. Mean over seeds, {'± sd' if spread == 'sd' else 'with a t interval of 95 %'}; one seed has none. "
        f"Against {plain(asked.title(asked.reference))} (◆): ▲ better, ▼ worse, ≈ a tie, by intervals over seeds and images that hold "
        f"for all methods of a column together (95 %), not for all columns. {cost_words(asked)}"
    )
    view = View(
        "methods",
        f"{asked.where}; {asked.mode.words}",
        summary(asked, rows),
        frame(Row, rows),
        snippets.table(asked.study, asked.mode, asked.look, asked.reference),
    )
    view_tools(asked.study, view, key="compare_table_tools")
    latex(asked, rows)
    worth_words(asked, worths)


def cells(asked: Asked, rows: list[Row], worths: list[WorthRow], spread: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the table sorts by, and what it shows."""
    by_place, deep = {(row.arm, row.metric): row for row in rows}, {row.arm: row for row in worths}
    numbers, texts = list[dict[str, object]](), list[dict[str, str]]()
    for arm in dict.fromkeys(row.arm for row in rows):
        first = by_place[arm, METRICS[0]]
        n = f"{first.n}" if first.n == asked.study.config.seeds else f"{first.n} of {asked.study.config.seeds}"
        measured = {NAMED[m].name: by_place[arm, m] for m in METRICS}
        number = {"method": first.title, "n": first.n, **{name: row.value for name, row in measured.items()}}
        text = {"n": n, **{name: text_of(row, spread) for name, row in measured.items()}}
        if deep:
            number["DEE"], text["DEE"] = deep[arm].members, f"{deep[arm].bound} {deep[arm].members:.1f}".strip()
        number["members"], text["members"] = first.members, f"{first.members:.3g} of {first.networks:.3g}"
        costs = {"seconds": first.seconds, "images": first.samples}
        numbers.append(number | costs)
        texts.append(text | {name: amount(value) for name, value in costs.items()})
    return pd.DataFrame(numbers), pd.DataFrame(texts)


def text_of(row: Row, spread: str) -> str:
    """`98.61 ± 0.40 ≈`: a mean, its spread, and what it is beside the reference."""
    factor, digits = (100, 2) if NAMED[row.metric].unit == "%" else (1, 4)
    said = f"{row.value * factor:.{digits}f}"
    if row.n > 1:
        ends = f"[{row.lo * factor:.{digits}f}, {row.hi * factor:.{digits}f}]"
        said += f" ± {row.sd * factor:.{digits}f}" if spread == "sd" else f" {ends}"
    return f"{said} {MARKS[row.verdict]}".strip()


def heads(asked: Asked, columns: list[str]) -> dict[str, object]:
    """What each column is, on its head."""
    about = {NAMED[m].name: f"{NAMED[m].about}; {NAMED[m].better} is better" for m in METRICS}
    about |= {
        "n": "seeds, each with a search and networks of its own",
        "DEE": f"deep ensemble equivalent: how many members of {asked.title(DEEP)} have the same calibrated NLL"
        if "DEE" in columns
        else "",
        "members": "of the ensemble, of how many trained networks they were chosen among; means over seeds",
        "seconds": "of a CPU's core, or of a clock on a GPU: search, trainings and choice, mean over seeds",
        "images": "passed through networks by search, trainings and choice, mean over seeds",
    }
    named = {name: f"{name}, {NAMED[m].unit}" for m in METRICS if NAMED[m].unit for name in [NAMED[m].name]}
    wide = "DEE" not in columns and any(len(asked.title(arm)) > LONG for arm in asked.seen.arms)
    found: dict[str, object] = {"method": st.column_config.TextColumn(pinned=True, width=NAMES if wide else None)}
    found |= {
        name: st.column_config.NumberColumn(named.get(name), help=about.get(name), width=WIDTHS.get(name))
        for name in columns[1:]
    }
    return found


def summary(asked: Asked, rows: list[Row]) -> str:
    """Who is better or worse than the reference, for a reader who does not see the marks."""
    said = []
    for metric in METRICS:
        words = {row.title: row.verdict for row in rows if row.metric == metric and row.verdict in ("better", "worse")}
        clauses = [
            f"{word}: {', '.join(names)}"
            for word in ("better", "worse")
            if (names := [title for title, verdict in words.items() if verdict == word])
        ]
        said.append(f"{NAMED[metric].name} {', '.join(clauses) or 'ties only'}")
    arms = len({row.arm for row in rows})
    return f"{arms} methods against {asked.title(asked.reference)}: {'; '.join(said)}."


def cost_words(asked: Asked) -> str:
    """What is not in the table, and what a cost is."""
    unpaid: dict[str, int] = {}
    for arm, _ in asked.seen.unpaid:
        unpaid[asked.title(arm)] = unpaid.get(asked.title(arm), 0) + 1
    left = ", ".join(f"{plain(title)} ({count} of its seeds)" for title, count in unpaid.items())
    return f"The budget does not pay for the search and one network of {left}." if left else ""


def latex(asked: Asked, rows: list[Row]) -> None:
    """For a paper."""
    with tool("LaTeX", "function", key="compare_latex") as opened:
        if opened.open:
            st.caption("Needs `\\usepackage{booktabs}`.")
            st.code(booktabs(asked.study, asked.seen, rows, asked.reference), language="latex", height=320)


def worth_words(asked: Asked, worths: list[WorthRow]) -> None:
    """DEE with its interval, or why there is none."""
    if not worths:
        st.caption(
            f":material/info: No DEE: this study has no arm `{DEEP}`, a deep ensemble of ten networks to measure by."
        )
        return
    parts = [
        f"{row.title} {row.bound} {row.members:.1f}{f' [{row.least}, {row.most}]' if row.least else ''}".replace(
            "  ", " "
        )
        for row in worths
        if row.arm != DEEP
    ]
    said = (
        f"DEE, members of {asked.title(DEEP)} with the same calibrated NLL (Ashukha et al. 2020): {'; '.join(parts)}."
    )
    st.markdown("**How many plain networks is each method worth?**")
    how = "T fitted on validation" if asked.split == "test" else "T cross-fitted"
    note = f"In brackets the interval of the method's own NLL over its seeds (95 % each, {how}); the curve of the deep ensemble is taken as it is."
    view = View(
        "dee",
        f"{asked.where}; {asked.mode.words}",
        f"{said} {note}",
        frame(WorthRow, worths),
        snippets.worths(asked.study, asked.mode, asked.look),
    )
    view_tools(asked.study, view, key="compare_worth_tools")


def spread_of(value: float, sd: float, metric: str, digits: int = 4) -> str:
    """`0.0750 ± 0.0041`, without an sd where there is none."""
    factor, digits = (100, 2) if NAMED[metric].unit == "%" else (1, digits)
    return f"{value * factor:.{digits}f}" + ("" if np.isnan(sd) else f" ± {sd * factor:.{digits}f}")


def change_of(metric: str, *values: float) -> str:
    """`+0.0120 [+0.0010, +0.0230]`, in points for shares."""
    factor, digits = (100, 2) if NAMED[metric].unit == "%" else (1, 4)
    if np.isnan(values).any():
        return "–"
    mean, lo, hi = (signed(value * factor, digits) for value in values)
    return f"{mean}\u00a0[{lo},\u00a0{hi}]"
