"""Copy as Python: every script runs as it stands and gives the backend's numbers; nothing typed can become code."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import snippets
from edgenes_core.cli import parser
from edgenes_core.config import SpaceConfig
from edgenes_core.figures import cells
from edgenes_core.lambda_path import discretise, split_logits
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return sample_runs.finished(tmp_path_factory.mktemp("runs"), SpaceConfig(2, "normal+reduce"))


@pytest.fixture(params=["bundled", "made"])
def run(request: pytest.FixtureRequest, made: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The bundled run, and a user's run found through EDGENES_RUNS."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("EDGENES_RUNS", str(made.path.parent))
    return RunStore(ROOT / "runs").open(str(snippets.BUNDLED)) if request.param == "bundled" else made


def plainly(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With values that are equal to themselves."""
    return [{name: "NaN" if value != value else value for name, value in row.items()} for row in table]


def executed(script: str) -> list[dict[str, Any]]:
    """The table of a script; its command, if it has one, must be one that the command line takes."""
    for line in script.splitlines():
        if line.startswith("# On the command line: "):
            parser().parse_args(shlex.split(line)[8:])
    names: dict[str, Any] = {}
    exec(compile(script, "view.py", "exec"), names)  # noqa: S102 - what the user is told to run
    table = names["table"]
    assert plainly(pd.DataFrame(table).to_dict("records")) == plainly(table), (
        "the page's table must hold the same values"
    )
    return table


def test_calibration_is_the_path(run):
    table, path, soft = executed(snippets.calibration(run)), run.lambda_path(), run.soft_count()
    assert [(r["lo"], r["hi"], r["key"], r["shared"]) for r in table] == [
        (i.lo, i.hi, i.architecture.key, i.shared) for i in path.intervals
    ]
    middles = [(i.lo + i.hi) / 2 for i in path.intervals]
    np.testing.assert_array_equal([r["soft"] for r in table], np.interp(middles, soft.lam, soft.count))


@pytest.mark.parametrize("place", [0, -1])
def test_traces_are_the_softmax_and_their_highest_line_is_the_cell(run, place):
    space, knots = run.space, run.knots()
    edge, slot = place % len(space.edges), place % len(space.slots)
    for script, part, where in (
        (snippets.operation_traces(run, edge), 0, edge),
        (snippets.input_traces(run, slot), 1, space.slices[slot]),
    ):
        table = executed(script)
        lam = np.array([record.pop("λ") for record in table])
        weight = np.array([list(record.values()) for record in table])
        logits = split_logits(space, knots.at(lam))[part][:, where]
        assert {0.0, float(space.lambda_max)} <= set(lam)
        np.testing.assert_allclose(weight.sum(1), 1)
        np.testing.assert_allclose(np.log(weight) - np.log(weight[:, :1]), logits - logits[:, :1], atol=1e-9)
        kept, operations = discretise(space, knots.at(lam))
        if part == 0:
            assert weight.argmax(1).tolist() == operations[:, edge].tolist()
        else:
            assert kept[np.arange(len(lam)), where.start + weight.argmax(1)].all()


@pytest.mark.parametrize("lam", [0.0, 1.25, None])
def test_cell_edges_are_those_of_the_cell(run, lam):
    cell, base = run.lambda_path().at(lam or 0.0).architecture, run.base().architecture
    table = executed(snippets.cell_edges(run, cell, lam))
    assert table == [row._asdict() for row in cells.table(run.space, cell, base)]
    kept = [row for row in table if not row["versus_base"].startswith("gone")]
    assert len(kept) == len(cell.genes)
    assert sum(row["versus_base"] == "same" for row in kept) == run.lambda_path().at(lam or 0.0).shared


def test_a_pinned_cell_takes_the_place_of_the_base(run):
    cell, pinned = (run.lambda_path().at(lam).architecture for lam in (0.0, 1.25))
    for lam in (0.0, None):
        table = executed(snippets.cell_edges(run, cell, lam, pinned))
        assert table == [row._asdict() for row in cells.table(run.space, cell, pinned, "B")]


@given(name=st.text(max_size=40), folder=st.text(max_size=30))
def test_no_text_becomes_code(name, folder):
    """Whatever an ensemble or a folder is called: one string constant, in a script with the same statements."""
    run = Run(Path("somewhere") / f"x{folder}".replace("/", "").replace("\0", ""))
    script = snippets.snippet(run, [], f"table = [{snippets.literal(name)}]", ["evaluate", "--keys", name])
    tree = ast.parse(script)
    assert [type(node).__name__ for node in tree.body] == [
        "Import",
        "ImportFrom",
        "ImportFrom",
        "Assign",
        "Assign",
        "For",
    ]
    assert {name, run.id} <= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_only_plain_values_go_in():
    assert snippets.literal((1, 0.5, None, "'\n", np.int64(3))) == '[1, 0.5, None, "\'\\n", 3]'
    assert np.isnan(eval(snippets.literal(float("nan"))))  # noqa: S307 - our own literal
    with pytest.raises(TypeError, match="Path"):
        snippets.literal(Path())
