"""The jobs in the sidebar of every page: who is at work, how far, what waits, what ended; each a link to watch it."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from edgenes_core import job_queue
from edgenes_core.access import Action
from edgenes_core.job_board import Job, Progress, board
from edgenes_core.progress import duration
from pages.widgets import access, session
from pages.widgets.markdown import plain
from pages.widgets.monitor import CHIPS
from pages.widgets.stages import SHORT

EVERY = 2.0  # seconds between two looks while something is alive
LOOKERS = 10.0  # for those who only look: a class that looked as often would take a third of the app's time
RECENT = 24 * 3600.0  # seconds for which a job that failed is shown to everybody
MOST = 5
# The links lead to the Train page with different runs, so none of them is "this page" when that one is open.
STYLE = """<style>
.st-key-frame_jobs a { background: none; padding: .1rem 0; min-height: 0; }
.st-key-frame_jobs a:hover { text-decoration: underline; }
.st-key-frame_jobs a p { font-weight: 400; }
</style>"""


def job_list() -> None:
    """Draw the list, again and again while a job is alive or waits; nothing where there is nothing to say."""
    st.session_state.setdefault("began", time.time())
    if first := worth_showing():
        moving = any_moves(first)
        every = EVERY if access.allowed(Action.CANCEL) else LOOKERS
        st.fragment(_draw, run_every=every if moving else None)(moving, [first])


def worth_showing() -> list[Job]:
    """Jobs that are alive or wait, that failed within a day, and that ended otherwise since this session began."""
    now, began = time.time(), st.session_state["began"]
    quiet = ("finished", "cancelled")
    return [
        job
        for job in board(session.store().root, now - RECENT)
        if job.state.name not in (*quiet, "created") or (job.state.name in quiet and now - job.silence >= began)
    ]


def any_moves(listed: list[Job]) -> bool:
    return any(job.state.alive or job.place for job in listed)


def _draw(moved: bool, looked: list[list[Job]]) -> None:
    """What was just `looked` up, later one look more; when the last job ends, the page is drawn once more and looking ends."""
    with session.guard():
        if access.allowed(Action.TRAIN):  # who only looks starts nothing, not even what waits
            job_queue.pump(session.store().root)
        listed = looked.pop() if looked else worth_showing()
        if any_moves(listed) != moved:
            st.rerun()
        st.html(STYLE)
        with st.container(gap="xxsmall", key="frame_jobs"):
            st.caption("Jobs")
            for job in listed[:MOST]:
                _line(job)
            if len(listed) > MOST:
                st.caption(f"and {len(listed) - MOST} more")


def _line(job: Job) -> None:
    word, color, icon = CHIPS.get(job.state.name, CHIPS["created"])
    said = f"place {job.place}" if job.place else word
    config = job.run.config
    st.page_link(
        "train.py",
        label=f":{color}-badge[:material/{icon}: {said}] {plain(Path(config.dataset).stem)}, seed {config.seed}",
        help=f"Watch {job.run.id}",
        query_params={"run": job.run.id, "train": "watch"},
        width="stretch",
    )
    if job.state.alive:
        st.caption(words(job.progress))


def words(at: Progress) -> str:
    """Stage, share of the whole, and time left."""
    left = f", {duration(at.eta_seconds)} left" if at.eta_seconds else ""
    return f"{SHORT.get(at.stage, 'starting')} · {at.fraction:.0%}{left}"
