"""What the charts of Explore say in words, numbers and code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgenes_core import snippets
from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run
from pages.widgets import data, session
from pages.widgets.cell_scrubber import Reference
from pages.widgets.tools import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from edgenes_core.figures.curves import Calibration, Traces


def cell_view(run: Run, lam: float, cell: Architecture, reference: Reference) -> tuple[View, str]:
    """The cell's edges beside those of the reference, and its drawing."""
    from edgenes_core.figures.cells import change_sentence, table
    from edgenes_core.figures.drawing import cell_svg
    from edgenes_core.figures.tables import records

    rows = pd.DataFrame(records(table(run.space, cell, reference.cell, reference.name)))
    view = View(
        f"cell-{cell.key}",
        f"Cell {cell.key} at λ = {lam:.4g} beside {reference.name} {reference.cell.key}.",
        change_sentence(cell, reference.cell, reference.name),
        rows,
        snippets.cell_edges(run, cell, lam, reference.cell if reference.name == "B" else None),
    )
    return view, cell_svg(run.space, cell, reference.cell, dark=session.dark(), against=reference.name)


def calibration_view(run: Run) -> tuple[Calibration, View]:
    """Requested λ against achieved shared edges."""
    from edgenes_core.figures.curves import calibration_info
    from edgenes_core.figures.tables import calibration_rows, records

    path, soft = data.path_of(run), data.soft_of(run)
    info = calibration_info(path, soft.lam, soft.count)
    view = View(
        "calibration",
        f"Requested λ against achieved shared edges: exact, over all λ from 0 to {info.lambda_max}.",
        f"Mean distance between requested λ and achieved shared edges: {info.error:.3f} edges (whole numbers allow no less "
        f"than 0.25). On {100 * info.off:.1f} % of all λ the cell is off target by more than half an edge. "
        f"Exact, over all λ from 0 to {info.lambda_max}, {session.origin(run)}.",
        pd.DataFrame(records(calibration_rows(path, soft.lam, soft.count))),
        snippets.calibration(run),
    )
    return info, view


def operations_view(run: Run, lam: float, edge: int) -> tuple[View, go.Figure]:
    """α(λ) of one edge."""
    from edgenes_core.figures.curves import edge_name, operations_info

    info, name = operations_info(run.space, data.knots_of(run), edge), edge_name(run.space, edge)
    return _traces(run, info, lam, f"alpha-{edge}", f"α(λ) of {name}", snippets.operation_traces(run, edge))


def inputs_view(run: Run, lam: float, edge: int) -> tuple[View, go.Figure]:
    """β(λ) of the node that an edge leads to."""
    from edgenes_core.figures.curves import parents_info, slot_name

    slot = next(i for i, where in enumerate(run.space.slices) if where.start <= edge < where.stop)
    info, name = parents_info(run.space, data.knots_of(run), slot), slot_name(run.space, slot)
    return _traces(run, info, lam, f"beta-{slot}", f"β(λ) of {name}", snippets.input_traces(run, slot))


def _traces(run: Run, info: Traces, lam: float, name: str, title: str, snippet: str) -> tuple[View, go.Figure]:
    from edgenes_core.figures.curves import plot_traces
    from edgenes_core.figures.tables import trace_records

    winners = info.weight.argmax(1)
    changes = np.flatnonzero(np.diff(winners))
    leads = [info.names[winner] for winner in winners[[0, *(changes + 1)]]]
    view = View(
        name,
        f"softmax {title}, continuous interpolation of {len(data.knots_of(run).positions)} knots.",
        f"{title}: {' → '.join(leads)} lead{'s' if len(leads) == 1 else ''} as λ goes from 0 to {run.space.lambda_max}.",
        pd.DataFrame(trace_records(info)),
        snippet,
    )
    return view, plot_traces(info, lam, dark=session.dark())


def jump_sentence(run: Run, swapped: bool) -> str:
    """How far α jumps at the knots in the published form, from the run's own knots."""
    from edgenes_core.lambda_path import published_jumps

    knots, top = data.knots_of(run), run.space.lambda_max
    if swapped:
        return "This run was trained with the published interpolation: α(λ) jumps at every knot."
    jumps = published_jumps(knots, top)
    return (
        f"With the published weights each stretch between two knots runs backwards, so α(λ) jumps at all {len(jumps)} inner "
        f"knots, by {jumps.min():.2f} to {jumps.max():.2f} in its largest logit; ours is continuous (jump 0). "
        "Same knots, same run: only the two weights are swapped."
    )
