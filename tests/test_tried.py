"""The timeline of a run: each team once, never rewritten, and not stopped by what others wrote into it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import run_zip
from edgenes_core.combining import COMBINERS
from edgenes_core.records import Evaluation
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.storage import StorageError
from edgenes_core.team import Team, identity
from edgenes_core.tried import FILE, Tried, newest_first, note, tried

VAL = Evaluation("val", 60, 0.9, 0.3, 0.2, 0.1, 0.05, 0.95)
members = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)


@st.composite
def some_team(draw: st.DrawFn) -> Team:
    ids, rule = tuple(draw(members)), draw(st.sampled_from([*COMBINERS]))
    weights = tuple(draw(st.lists(st.integers(0, 9), min_size=len(ids), max_size=len(ids)).filter(any)))
    return Team("", ids, rule, weights if rule == "weights" else ())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return sample_runs.created(tmp_path)


def test_a_team_is_noted_once_whatever_the_order_of_its_members(run):
    assert note(run, Tried(1.0, Team("x", ("a", "b")), VAL))
    before = (run.path / FILE).read_bytes()
    assert not note(run, Tried(2.0, Team("y", ("b", "a")), VAL))
    assert not note(run, Tried(3.0, Team("y", ("b", "a"), "weights", (4, 4)), VAL))
    assert (run.path / FILE).read_bytes() == before
    assert note(run, Tried(4.0, Team("y", ("b", "a"), "gate"), VAL))
    assert (run.path / FILE).read_bytes().startswith(before), "only ever appended to"
    assert [(t.time, t.team.members, t.team.combiner) for t in tried(run)] == [
        (4.0, ("b", "a"), "gate"),
        (1.0, ("a", "b"), "mean"),
    ]


@given(st.lists(some_team(), max_size=8))
def test_what_was_tried_comes_back_newest_first(tmp_path_factory, listed):
    run = Run(tmp_path_factory.mktemp("run"))
    noted = [Tried(float(k), team, VAL) for k, team in enumerate(listed)]
    new = [note(run, each) for each in noted]
    kept = tuple(each for each, was_new in zip(noted, new, strict=True) if was_new)
    assert tried(run) == kept[::-1] == newest_first(noted)
    assert len({identity(each.team) for each in kept}) == len(kept)


def test_lines_that_hold_no_team_are_skipped(run):
    note(run, Tried(1.0, Team("", ("a",)), VAL))
    good = json.loads((run.path / FILE).read_text())
    odd = [
        {**good, "combiner": "luck"},
        {**good, "members": []},
        {**good, "weights": ["x"]},
        {**good, "val": {}},
        {},
        3,
    ]
    odd.append({**good, "combiner": "weights", "weights": [0]})
    with (run.path / FILE).open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in odd)
        file.write('{"time": 2.0, "mem')
    assert len(tried(run)) == 1
    assert note(run, Tried(5.0, Team("", ("b",)), VAL)), "a torn last line does not swallow the next team"
    assert [each.time for each in tried(run)] == [5.0, 1.0]


def test_a_folder_that_cannot_be_written_is_said(run, monkeypatch):
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match="Cannot append"):
        note(run, Tried(1.0, Team("", ("a",)), VAL))
    assert tried(run) == ()


def test_the_timeline_travels_with_the_run(tmp_path):
    run = sample_runs.finished(tmp_path / "here")
    note(run, Tried(1.0, Team("", (run.plan()[0].id,)), VAL))
    there = run_zip.import_run(RunStore(tmp_path / "there"), run_zip.zip_of(run))
    assert tried(there) == tried(run) != ()
