"""The log of a run: what is kept of it, that nothing ends for its sake, and how it is read."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest
from test_cli import refuse

from edgenes_core import jobs, log_command, run_log
from edgenes_core.cli import main
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_log import LEVELS, Line, read, recorded, spoken

FULL = Path("/dev/full")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return sample_runs.finished(tmp_path)


def messages(run: Run) -> list[tuple[str, str, str]]:
    return [(line.level, line.stage, line.message) for line in read(run)]


def test_what_a_worker_does_is_kept_in_order(run):
    heard = []
    with recorded(run) as recorder:
        report = recorder.told(heard.append)
        for stage, step in (("darts", 0), ("darts", 1), ("hypernet", 0)):
            report(Event(stage, step, 2))
            logging.getLogger("edgenes_core.checkpoint").warning("thrown away")
        logging.getLogger("elsewhere").info("too quiet")
        warnings.warn("a library says", stacklevel=1) if not warnings.filters else logging.getLogger(
            "py.warnings"
        ).warning("w")
    assert [event.step for event in heard] == [0, 1, 0]
    said = [message for _, _, message in messages(run)]
    wanted = [
        "a worker begins",
        "dataset digits, seed 0; stages done: darts",
        "stage darts begins at step 0 of 2",
        "thrown",
        "thrown",
    ]
    wanted += [
        "stage darts took 1 s, 100 images",
        "stage hypernet begins",
        "thrown",
        "w",
        "stage hypernet took",
        "all stages are done",
    ]
    assert len(said) == len(wanted)
    assert all(start in message for start, message in zip(wanted, said, strict=True)), said
    assert [stage for _, stage, message in messages(run) if message == "thrown away"] == ["darts", "darts", "hypernet"]
    assert "torch" in said[0]
    assert all(line.worker.endswith(f":{os.getpid()}") and line.time.endswith("Z") for line in read(run))


def test_an_error_is_kept_with_its_traceback_and_goes_on(run):
    with pytest.raises(ZeroDivisionError), recorded(run):
        _ = 1 / 0
    last = read(run)[-1]
    assert (last.level, "division by zero" in last.message) == ("ERROR", True)
    assert "test_an_error_is_kept" in last.trace
    assert [line.level for line in read(run, "warning")] == ["ERROR"]
    assert spoken(last).count("\n") == len(last.trace.splitlines())


@pytest.mark.parametrize("how", ["asked", "key"])
def test_a_stop_on_request_is_no_error(run, how, monkeypatch):
    if how == "asked":
        monkeypatch.setattr(jobs, "cancel_requested", lambda run: True)
    with pytest.raises(KeyboardInterrupt if how == "key" else RuntimeError), recorded(run):
        raise KeyboardInterrupt if how == "key" else RuntimeError("stopped on request")
    assert read(run)[-1].level == "INFO"


def test_logging_is_afterwards_as_it_was(run):
    root = logging.getLogger()
    before = (list(root.handlers), logging.getLogger("edgenes_core").level, warnings.showwarning)
    with recorded(run):
        pass
    assert (list(root.handlers), logging.getLogger("edgenes_core").level, warnings.showwarning) == before


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_full_disk_ends_no_training(run, capfd):
    (run.path / run_log.FILE).symlink_to(FULL)
    with recorded(run) as recorder:
        recorder.note(Event("darts", 0, 1))
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_is_gone_ends_no_training(run):
    with recorded(run):
        for file in run.path.rglob("*"):
            file.is_file() and file.unlink()
        logging.getLogger("edgenes_core").info("nowhere to go")


def test_the_log_stays_small(run, monkeypatch):
    monkeypatch.setattr(run_log, "MOST_BYTES", 4000)
    with recorded(run):
        for number in range(100):
            logging.getLogger("edgenes_core").info("message %d %s", number, "x" * 9000)
    sizes = [(run.path / name).stat().st_size for name in (run_log.FILE, run_log.EARLIER)]
    assert max(sizes) <= 4000
    assert {file.name for file in run.path.glob("log*")} == {run_log.FILE, run_log.EARLIER}
    numbers = [line.message.split()[1] for line in read(run)[:-1] if line.message.startswith("message")]
    assert numbers == [str(n) for n in range(100 - len(numbers), 100)]
    assert all(len(line.message) <= run_log.LONGEST_MESSAGE for line in read(run))


def test_a_torn_line_costs_only_itself(run):
    with recorded(run):
        pass
    whole = read(run)
    with (run.path / run_log.FILE).open("ab") as file:
        file.write(b'{"time": "2026')
    with recorded(run):
        pass
    assert len(read(run)) == 2 * len(whole)


@given(
    st.lists(st.binary(max_size=80) | st.dictionaries(st.sampled_from([*Line._fields, "x"]), st.text() | st.integers()))
)
def test_whatever_stands_in_the_file_is_read_and_said_in_one_line_each(tmp_path_factory, rows):
    run = Run(tmp_path_factory.mktemp("run"))
    (run.path / run_log.FILE).write_bytes(
        b"\n".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows)
    )
    for line in read(run):
        assert line.level in LEVELS
        assert all(part.isprintable() for part in spoken(line).split("\n"))


def test_the_command_prints_all_or_a_level(run, capsys):
    at = ("--runs", str(run.path.parent))
    with suppress(ZeroDivisionError), recorded(run):
        logging.getLogger("edgenes_core").warning("retried")
        _ = 1 / 0
    assert main(["log", run.id, *at, "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert [line["level"] for line in lines] == ["INFO", "INFO", "WARNING", "ERROR"]
    assert set(lines[0]) == set(Line._fields)
    assert main(["log", run.id, *at, "--level", "error"]) == 0
    assert "Traceback" in capsys.readouterr().out
    assert main(["log", run.id, *at, "--level", "critical"]) == 0
    assert "no messages" in capsys.readouterr().out
    assert "one of DEBUG" in refuse(capsys, "log", run.id, *at, "--level", "loud")
    assert "No run" in refuse(capsys, "log", "nothing", *at)


def test_following_ends_with_the_worker_and_misses_nothing(run, capsys, monkeypatch):
    alive, at, told, form = [True], ("--runs", str(run.path.parent)), [], log_command._as_json
    monkeypatch.setattr(log_command, "_as_json", lambda line: told.append(line.message) or form(line))
    monkeypatch.setattr(jobs, "is_alive", lambda run: alive[0])
    monkeypatch.setattr("edgenes_core.log_command.PAUSE", 0.01)
    follower = Thread(target=main, args=(["log", run.id, "--follow", "--json", *at],))
    follower.start()
    with recorded(run):
        logging.getLogger("edgenes_core").info("at work")
        deadline = time.monotonic() + 30
        while "at work" not in told and time.monotonic() < deadline:
            time.sleep(0.01)  # what is printed is read at the end: a reader beside the writer may lose a line
        assert "at work" in told
    alive[0] = False
    follower.join(30)
    *lines, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["message"] for line in lines] == [line.message for line in read(run)]
    assert last == {"run": run.id, "state": "finished"}


def test_the_page_shows_messages_and_output_as_they_are(run):
    def page(folder: str) -> None:
        from pathlib import Path

        from edgenes_core.run_folder import Run
        from pages.widgets.run_messages import run_messages

        run_messages(Run(Path(folder)))

    app = AppTest.from_function(page, args=(str(run.path),)).run()
    assert [block.value for block in app.code] == ["No messages yet."]
    with recorded(run):
        logging.getLogger("edgenes_core").warning("</pre><script>alert(1)</script> **x**")
    (run.path / "log.txt").write_text("step 3\n")
    messages, output = app.run().code
    assert not app.exception
    assert "WARNING  -         </pre><script>alert(1)</script> **x**" in messages.value
    assert output.value == "step 3"
