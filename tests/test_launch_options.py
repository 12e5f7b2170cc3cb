"""How a run is started, kept beside it: stored and read again, the command line's words, and what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import EdgeNESError, launch_options
from edgenes_core.cli import parser
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.processes import DEVICES

options = st.builds(
    LaunchOptions,
    st.none() | st.integers(1, 64),
    st.sampled_from(DEVICES),
    st.sampled_from(["", "tcp://127.0.0.1:8786", "tls://lab.example.org:1"]),
)


@given(options)
def test_the_command_line_understands_what_options_say(chosen: LaunchOptions) -> None:
    read = parser().parse_args(["resume", *chosen.words(), "some-run"])
    assert LaunchOptions(read.workers, read.device, read.cluster or "") == chosen
    assert read.run == "some-run"


def test_options_are_stored_with_the_run(tmp_path: Path) -> None:
    assert launch_options.kept(tmp_path) == LaunchOptions()
    launch_options.keep(tmp_path, LaunchOptions(2, "cpu"))
    assert launch_options.kept(tmp_path) == LaunchOptions(2, "cpu")
    (tmp_path / launch_options.FILE).write_text('{"schema": 1, "workers": 1000}')
    with pytest.raises(EdgeNESError, match="between 1 and 64"):
        launch_options.kept(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"workers": 0}, {"workers": 65}, {"workers": True}, {"workers": "2"}, {"device": "gpu"}]
    + [{"cluster": text} for text in ("here", "tcp://host", "tcp://host:0", "file:///etc", "tcp://h:1 --json", 7)],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(EdgeNESError):
        LaunchOptions(**wrong)
