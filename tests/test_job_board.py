"""Where each job stands: bounds of the progress, who is listed in which order, and what that costs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import job_board, jobs
from edgenes_core.cli import main
from edgenes_core.job_board import board, progress, progress_of
from edgenes_core.records import Event
from edgenes_core.run_folder import STAGES, Run
from edgenes_core.run_records import Cost

events = st.lists(
    st.builds(
        Event,
        stage=st.sampled_from([*STAGES, "note"]),
        step=st.integers(0, 50),
        steps=st.integers(0, 50),
        seconds=st.floats(0, 1e4),
    )
)


@given(events)
def test_progress_is_bounded(listed: list[Event]) -> None:
    found = progress(listed)
    assert 0 <= found.fraction <= 1
    assert found.eta_seconds is None or found.eta_seconds >= 0


@given(st.integers(1, 9))
def test_progress_never_falls_in_a_straight_run_and_ends_at_one(steps: int) -> None:
    straight = [Event(stage, step, steps, step) for stage in STAGES for step in range(steps + 1)]
    fractions = [progress(straight[:n]).fraction for n in range(len(straight) + 1)]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)
    assert progress(straight).eta_seconds == pytest.approx(0)


def test_eta_is_exact_at_a_constant_pace() -> None:
    shares = dict.fromkeys(STAGES, 0.2)
    listed = [Event("darts", 10, 10, seconds=20.0), Event("hypernet", 5, 10, seconds=10.0)]
    assert progress(listed, shares).eta_seconds == pytest.approx(70)


def test_the_end_of_the_events_tells_the_same_as_all_of_them(tmp_path: Path) -> None:
    run = sample_runs.created(tmp_path)
    picture = ((0.123456789012345,) * 7,) * 28
    for step in range(300):
        run.append(Event("darts", step + 1, 300, step / 10, {"train_loss": 1.0}, picture if step % 10 == 0 else ()))
    assert progress_of(run) == progress(run.events()[0])
    run.finish_stage("darts", Cost(40.0, 64))
    done = progress_of(run)
    assert (done.stage, done.fraction) == ("darts", pytest.approx(0.3))
    run.append(Event("hypernet", 5, 10, 6.0, alpha=picture))
    assert progress_of(run) == progress([Event("darts", 1, 1, 40.0), Event("hypernet", 5, 10, 6.0)])
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"stage": "hypernet", "st')  # a torn last line
    assert progress_of(run).step == 5


@pytest.fixture
def crowd(tmp_path: Path) -> dict[str, Run]:
    """One run at work, two that wait, one that failed, one that was finished long ago, one never started, one damaged."""
    names = ("alive", "next", "last", "failed", "old", "idle", "damaged")
    runs = {name: sample_runs.created(tmp_path) for name in names}
    for name in ("failed", "old", "damaged"):
        with jobs.hold(runs[name]):
            pass
    runs["failed"].update(state="failed", message="no luck")
    runs["old"].update(state="finished")
    os.utime(runs["old"].path / "lock", (1000, 1000))
    (runs["damaged"].path / "run.json").write_text("{")
    for turn, name in enumerate(("next", "last"), 1):
        (runs[name].path / "queued").touch()
        os.utime(runs[name].path / "queued", (turn, turn))
    return runs


def test_the_board_lists_work_then_the_queue_then_what_ended_lately(crowd: dict[str, Run], tmp_path: Path) -> None:
    with jobs.hold(crowd["alive"]):
        found = board(tmp_path, since=time.time() - 60)
        assert [job.run.id for job in found] == [crowd[name].id for name in ("alive", "next", "last", "failed")]
        assert [(job.state.name, job.place) for job in found] == [
            ("running", 0),
            ("queued", 1),
            ("queued", 2),
            ("failed", 0),
        ]
        assert crowd["old"].id in [job.run.id for job in board(tmp_path)]


def test_the_command_lists_what_is_not_finished(crowd: dict[str, Run], tmp_path: Path, capsys, monkeypatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(jobs, "start", lambda run, ended: started.append(run.id))
    with jobs.hold(crowd["alive"]):
        crowd["alive"].append(Event("darts", 5, 10, 30.0))
        assert main(["jobs", "--json", "--runs", str(tmp_path)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main(["jobs", "--runs", str(tmp_path)]) == 0
        said = capsys.readouterr().out
    assert found["limit"] == 1
    assert [(row["state"], row["place"]) for row in found["jobs"]] == [
        ("running", 0),
        ("queued", 1),
        ("queued", 2),
        ("failed", 0),
    ]
    assert found["jobs"][0]["eta_seconds"] == pytest.approx(170)
    assert found["jobs"][1]["eta_seconds"] is None
    assert "about 2 min 50 s left" in said
    assert "place 2" in said
    assert "no luck" in said
    assert not started, "one is at work already"
    assert main(["jobs", "--runs", str(tmp_path)]) == 0
    assert started[0] == crowd["next"].id, "whoever looks starts what there is room for"


def test_a_look_is_cheap(tmp_path: Path, monkeypatch) -> None:
    """In files read, as clocks lie: many runs that ended long ago are not opened."""
    for _ in range(job_board.MOST_ENDED + 1):
        with jobs.hold(run := sample_runs.created(tmp_path)):
            pass
        os.utime(run.path / "lock", (1000, 1000))
    opened: list[Path] = []
    monkeypatch.setattr(job_board, "progress_of", lambda run: opened.append(run.path))
    assert board(tmp_path, since=2000.0) == []
    assert not opened
    assert len(board(tmp_path)) == job_board.MOST_ENDED
