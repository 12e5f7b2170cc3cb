"""Why the cell changes where it changes: α(λ) of every edge and β(λ) of every node, following λ while it moves.

The knots are sent once; the browser interpolates and softmaxes them itself, in the published form too, where asked for.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.figures.cells import CELL_WORD, OPERATION, place
from edgenes_core.figures.curves import DASHES, PARENT_COLORS, edge_name, slot_name
from edgenes_core.figures.theme import OKABE_ITO
from edgenes_core.lambda_path import Knots
from edgenes_core.space import Edge, SearchSpace

HERE = Path(__file__).parent
DASH_ARRAYS = ("", "7 4", "2 3", "7 3 2 3", "12 4", "12 4 2 4", "1 5")  # DASHES as the browser's SVG writes them
HTML = """
<div class="why">
  <div class="matrix" data-part="matrix"></div>
  <div class="chosen">
    <label>Edge <select data-part="edge"></select></label>
    <span data-part="said" class="said"></span>
  </div>
  <div class="details">
    <figure><figcaption data-part="alphaTitle"></figcaption><div data-part="alpha"></div></figure>
    <figure><figcaption data-part="betaTitle"></figcaption><div data-part="beta"></div></figure>
  </div>
</div>
"""

_WHY = st.components.v2.component(
    "edgenes_cell_why",
    html=HTML,
    css=(HERE / "cell_why.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in ("linked.js", "relaxed.js", "cell_why.js")),
)


def why_table(space: SearchSpace, knots: Knots, base: Architecture) -> dict[str, Any]:
    """The hypernetwork and the names of its parts, as JSON values; α*'s last edge is looked at first."""
    table: dict[str, Any] = {
        "lambdaMax": space.lambda_max,
        "kept": space.inputs_per_node,
        "start": space.edges.index(Edge(*base.genes[-1][:3])),
        "positions": knots.positions.tolist(),
        "values": [[round(float(v), 6) for v in row] for row in knots.values],
        "operations": [
            {"name": n, "word": OPERATION[n].word, "colors": [OPERATION[n].light, OPERATION[n].dark], "dash": dash}
            for n, dash in zip(space.operations, DASH_ARRAYS, strict=False)
        ],
        "parents": [
            {"word": place(p), "colors": [OKABE_ITO[PARENT_COLORS[p % 7]]] * 2, "dash": DASH_ARRAYS[p % len(DASHES)]}
            for p in range(space.nodes + 1)
        ],
        "edges": [{"name": edge_name(space, i), "parent": e.parent} for i, e in enumerate(space.edges)],
        "slots": [
            {
                "name": slot_name(space, i),
                "cell": CELL_WORD[cell],
                "node": place(node),
                "edges": list(range(*where.indices(len(space.edges)))),
            }
            for i, ((cell, node), where) in enumerate(zip(space.slots, space.slices, strict=True))
        ],
    }
    return {"id": hashlib.sha256(json.dumps(table).encode()).hexdigest()[:12], **table}


def cell_why(table: dict[str, Any], *, form: str, key: str) -> int:
    """Draw all traces and return the number of the edge that the user chose.

    `form` is 'continuous', 'published' (the swapped weights of the release) or 'both'.
    """
    state = _WHY(key=key, data={"table": table, "form": form}, on_edge_change=lambda: None)
    edge = state.get("edge")
    return edge if isinstance(edge, int) and 0 <= edge < len(table["edges"]) else table["start"]
