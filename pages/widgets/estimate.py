"""What a run will take on this machine: its steps timed once per shape, in a process of their own, the rest is arithmetic."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Hashable

import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.access import Action
from edgenes_core.config import PipelineConfig
from edgenes_core.estimate import Estimate, Timing, estimate, shape_of, timed_alike
from edgenes_core.executors import default_workers
from edgenes_core.processes import environment, niced
from edgenes_core.progress import duration
from edgenes_core.schema import from_dict, to_dict
from pages.widgets import access, session
from pages.widgets.monitor import CURVES

COMMAND = (sys.executable, "-m", "edgenes_core", "estimate", "--config", "-", "--json")
LONGEST = 180  # seconds to wait for a measurement
WORDS = CURVES | {"embed": "map of cells"}


class MeasureError(EdgeNESError):
    """A measurement that did not end as it should."""


@st.cache_resource
def timings() -> dict[Hashable, Timing]:
    """What was measured since the app was started, for all sessions."""
    return {}


def expected_time(config: PipelineConfig, workers: int | None, *, key: str) -> None:
    """The range of wall time with so many workers (None: one per core), or the button that measures it."""
    with session.guard():
        found = known(config, workers)
        if found is None:
            st.caption("Not measured yet for images and networks of these sizes.")
        else:
            st.metric("expected", f"{duration(found.low)} – {duration(found.high)}", label_visibility="collapsed")
            st.caption(in_words(found))
        label = "Measure on this machine" if found is None else "Measure again"
        help = "Times a few steps of this run, about ten seconds, in a process of their own. Nothing is downloaded or stored."
        if st.button(label, key=f"{key}_measure", icon=":material/timer:", width="stretch", help=help):
            with st.spinner("Timing a few steps …", show_time=True):
                access.require(Action.TRAIN)
                timings()[same_time(config)] = measure(config)
            st.rerun()


def known(config: PipelineConfig, workers: int | None) -> Estimate | None:
    """The estimate, if steps of this shape were measured."""
    timing, cores = timings().get(same_time(config)), default_workers()
    return estimate(config, shape_of(config.dataset), timing, workers or cores, cores) if timing else None


def same_time(config: PipelineConfig) -> Hashable:
    """Equal for configs whose steps take the same time."""
    shape = shape_of(config.dataset)
    return timed_alike(config), shape.channels, shape.height, shape.width, shape.classes


def measure(config: PipelineConfig) -> Timing:
    """Time the steps as a job would take them (niced, one thread); MeasureError says what went wrong."""
    try:
        done = subprocess.run(
            niced(COMMAND),
            input=json.dumps(to_dict(config)),
            capture_output=True,
            text=True,
            timeout=LONGEST,
            env=environment(OMP_NUM_THREADS="1"),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeasureError(f"The steps could not be timed: {error}. The run can be launched all the same.") from None
    if done.returncode:
        raise MeasureError((done.stderr.strip().splitlines() or ["The steps could not be timed."])[-1])
    return from_dict(Timing, json.loads(done.stdout.splitlines()[-1])["timing"])


def in_words(found: Estimate) -> str:
    """What the range is made of."""
    stages = ", ".join(f"{WORDS[name]} {duration(seconds)}" for name, seconds in found.stages.items() if seconds)
    return (
        f"At most {found.networks} networks on {found.workers} workers: {stages}. From steps timed on this machine; "
        "the upper end if nothing overlaps or other programs run beside it."
    )
