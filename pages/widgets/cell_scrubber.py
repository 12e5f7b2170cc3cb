"""The λ scrubber: Python sends the exact table of cells once, the browser redraws at every movement and reports on release.

What is sent never contains the current λ: it stays the same bytes while the handle moves, so nothing is sent again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.figures.cells import OPERATION, change_sentence, counts_sentence, marks
from edgenes_core.figures.curves import edge_name
from edgenes_core.figures.drawing import WIDTH, picture
from edgenes_core.lambda_path import Interval, Knots, LambdaPath
from edgenes_core.run_records import SoftCount
from edgenes_core.space import SearchSpace

HERE = Path(__file__).parent
HTML = """
<div class="scrubber" role="group" aria-label="Choose λ and see the cell">
  <div class="controls">
    <div class="end"><strong>λ = 0</strong>most different from α*</div>
    <div class="middle">
      <button data-part="previous" aria-label="Previous change of the cell" title="Previous change of the cell (←)">
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h2v12H3zM13 2v12L6 8z"/></svg></button>
      <button data-part="play" data-on="false" aria-label="Play from here to Λ" title="Play or pause">
        <svg class="go" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 2v12l9-6z"/></svg>
        <svg class="halt" viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg></button>
      <button data-part="next" aria-label="Next change of the cell" title="Next change of the cell (→)">
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M11 2h2v12h-2zM3 2v12l7-6z"/></svg></button>
      <label>requested λ <input data-part="number" type="number" min="0" step="0.01" /></label>
    </div>
    <div class="end"><strong data-part="endLambda">λ = Λ</strong>α* itself</div>
  </div>
  <div class="track" data-part="track">
    <input data-part="range" type="range" min="0" step="any" aria-label="λ, requested shared edges with α*" />
    <div class="lane">
      <div class="cursor"></div>
      <div class="strip" data-part="strip" aria-hidden="true"></div>
      <div class="axis" data-part="axis" aria-hidden="true"></div>
    </div>
  </div>
  <div class="hint">
    <span>Bars: edges shared with α* on each stretch of λ (● retrained, ◆ knot of the hypernetwork).</span>
    <span>← → next change · Shift + ← → fine</span>
  </div>
  <dl>
    <div><dt>shared with α*</dt><dd><em data-part="shared"></em> <span data-part="total"></span></dd></div>
    <div><dt>soft count s̃(λ)</dt><dd><em data-part="soft"></em></dd></div>
    <div><dt>requested and achieved</dt><dd data-part="target"></dd></div>
    <div><dt data-part="count"></dt><dd data-part="interval"></dd></div>
    <div><dt>cell</dt><dd data-part="key"></dd></div>
    <div class="wide"><dt>networks</dt><dd data-part="trained"></dd></div>
  </dl>
  <p class="compared">
    <span data-part="counts"></span>
    <button data-part="unpin" class="words" title="Compare with α* again">Unpin B</button>
    <button data-part="pin" class="words" title="Compare every other cell with this one">Pin this cell as B</button>
  </p>
  <svg class="cell" data-part="cell" role="img" aria-label="The cell as an arc diagram; its edges are listed in the table below"></svg>
  <p class="sentence" data-part="sentence"></p>
  <p class="about" data-part="about"></p>
  <div class="silent" role="status" aria-live="polite" data-part="status"></div>
</div>
"""

_SCRUBBER = st.components.v2.component(
    "edgenes_cell_scrubber",
    html=HTML,
    css=(HERE / "cell_scrubber.css").read_text(encoding="utf-8"),
    js="\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("linked.js", "cell_drawing.js", "cell_scrubber.js")
    ),
)


class Reference(NamedTuple):
    """The cell that every other one is compared with: α*, or the pinned cell B."""

    cell: Architecture
    name: str


def scrub_table(
    space: SearchSpace,
    path: LambdaPath,
    reference: Reference,
    knots: Knots,
    soft: SoftCount,
    trained: dict[str, int],
) -> dict[str, Any]:
    """Everything the browser draws from, as JSON values; `trained` counts finished networks by cell key."""
    shape = picture(space, reference.name)
    table: dict[str, Any] = {
        "lambdaMax": path.lambda_max,
        "width": WIDTH,
        "height": shape.height,
        "picture": {name: _plain(values) for name, values in shape._asdict().items() if name != "height"},
        "operations": {
            name: {"colors": [o.light, o.dark], "word": o.word, "about": o.about} for name, o in OPERATION.items()
        },
        "edges": [edge_name(space, index) for index in range(len(space.edges))],
        "reference": {"name": reference.name, "key": reference.cell.key},
        "knots": knots.positions.tolist(),
        "soft": {"lambda": soft.lam.tolist(), "count": soft.count.tolist()},
        "intervals": [_interval(space, reference, interval, trained) for interval in path.intervals],
    }
    return {"id": hashlib.sha256(json.dumps(table).encode()).hexdigest()[:12], **table}


def _interval(space: SearchSpace, reference: Reference, interval: Interval, trained: dict[str, int]) -> dict[str, Any]:
    cell = interval.architecture
    drawn = marks(space, cell, reference.cell)
    return {
        "lo": interval.lo,
        "hi": interval.hi,
        "key": cell.key,
        "shared": interval.shared,
        "sentence": change_sentence(cell, reference.cell, reference.name),
        "counts": counts_sentence(drawn, reference.name),
        "trained": trained.get(cell.key, 0),
        "marks": [mark._asdict() for mark in drawn],
    }


def _plain(values: tuple[Any, ...]) -> list[Any]:
    return [value if isinstance(value, str) else value._asdict() for value in values]


def cell_scrubber(
    table: dict[str, Any], *, key: str, start: float, on_pin: Callable[[float], None], on_unpin: Callable[[], None]
) -> float:
    """Draw the scrubber and return λ as last released; `start` counts only where the widget has no value yet.

    `on_pin` is told the λ whose cell the user pins as B.
    """
    if key not in st.session_state or f"{key}_push" not in st.session_state:
        push(key, start)
    revision, value = st.session_state[f"{key}_push"]
    top = table["lambdaMax"]
    state = _SCRUBBER(
        key=key,
        data={"table": table, "rev": revision, "value": value},
        on_lam_change=lambda: None,
        on_pin_change=lambda: on_pin(_inside(st.session_state[key].get("pin"), top, value)),
        on_unpin_change=on_unpin,
    )
    return _inside(state.get("lam"), top, value)


def push(key: str, lam: float) -> None:
    """Move the handle from Python: before the widget is drawn, or in a callback."""
    st.session_state[key] = {"lam": lam}
    st.session_state[f"{key}_push"] = (st.session_state.get(f"{key}_push", (0, lam))[0] + 1, lam)


def _inside(lam: object, lambda_max: float, otherwise: float) -> float:
    """What the browser sent, if it is a number in [0, Λ]."""
    if not isinstance(lam, (int, float)) or not math.isfinite(lam):
        return otherwise
    return min(max(float(lam), 0.0), float(lambda_max))
