"""What a run's workers said: their messages with time, level and stage, and what they printed."""

from __future__ import annotations

import streamlit as st

from edgenes_core import jobs, run_log
from edgenes_core.run_folder import Run

SHOWN, HEIGHT = 200, 260  # messages, the last ones; pixels


def run_messages(run: Run) -> None:
    """The structured log, newest last, errors with their traceback; below it the worker's plain output."""
    lines = run_log.read(run, "INFO")[-SHOWN:]
    st.code("\n".join(map(run_log.spoken, lines)) or "No messages yet.", language=None, height=HEIGHT)
    if output := jobs.log_tail(run):
        st.caption("Printed:")
        st.code(output, language=None, height=HEIGHT)
