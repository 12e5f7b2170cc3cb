"""Doctor on stored runs: each one with a torn or missing file is named, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import page_runs
import pytest
from test_doctor import fault, looked, sound

from edgenes_core.run_folder import Run

LOOK = "files of runs"


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return [page_runs.whole(tmp_path) for _ in range(5)]


def test_a_torn_file_is_named_with_its_run_and_the_way_out(runs, tmp_path):
    assert "5 runs" in sound(LOOK, tmp_path)
    file = runs[0].path / "path.json"
    file.write_bytes(file.read_bytes()[:-20])
    fault(LOOK, tmp_path, f"{runs[0].id}: path.json is damaged")
    mend = looked(LOOK, tmp_path).mend
    assert "python -m edgenes_core show RUN" in mend
    assert "from a copy" in mend
    assert not any(run.id in looked(LOOK, tmp_path).finding for run in runs[1:])
    sound("damaged runs", tmp_path)


def test_a_missing_file_is_one_too_and_others_are_counted(runs, tmp_path):
    for training in runs[1].plan()[:2]:
        (runs[1].folder(training) / "val.npy").unlink()
    fault(LOOK, tmp_path, f"{runs[1].id}: ", "val.npy is missing, though its network was trained", "(and 1 more)")


def test_every_damaged_run_is_named(runs, tmp_path):
    for run in runs:
        (run.path / "base.json").unlink()
    fault(LOOK, tmp_path, *(run.id for run in runs))


def test_a_line_that_a_killed_writer_left_is_no_fault(runs, tmp_path):
    with (runs[0].path / "events.jsonl").open("ab") as file:
        file.write(b'{"stage": "dar')
    sound(LOOK, tmp_path)
