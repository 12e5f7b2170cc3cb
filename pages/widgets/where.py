"""Where a run is to train: worker processes, device, and a cluster if there is one."""

from __future__ import annotations

import streamlit as st

from edgenes_core import job_queue
from edgenes_core.executors import MAX_WORKERS, default_workers
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.processes import DEVICES
from pages.widgets import session


def where_it_runs(start: LaunchOptions, *, key: str) -> LaunchOptions | None:
    """A folded form that starts at these options; None, and a sentence, while what is typed makes no sense."""
    with st.expander("Where it runs", icon=":material/dns:"):
        workers = st.number_input(
            "Worker processes",
            1,
            MAX_WORKERS,
            start.workers,
            step=1,
            placeholder=f"one per core ({default_workers()})",
            help="Networks are retrained in so many processes at once; fewer need less memory.",
            key=f"{key}_workers",
        )
        device = st.selectbox(
            "Device",
            DEVICES,
            DEVICES.index(start.device),
            help="`auto` takes a GPU if this machine has one that torch can use.",
            key=f"{key}_device",
        )
        cluster = st.text_input(
            "Dask cluster",
            start.cluster,
            max_chars=300,
            placeholder="tcp://host:8786",
            help="The address of a scheduler, whose workers then retrain the networks. Empty: this machine does.",
            key=f"{key}_cluster",
        )
    with session.guard():
        return LaunchOptions(workers, device, cluster.strip())
    return None


def room() -> str:
    """Whether a run launched now would start at once, in a sentence."""
    root, limit = session.store().root, job_queue.limit()
    busy, waiting = job_queue.alive(root), len(job_queue.waiting(root))
    if busy < limit:
        return ""
    runs = "1 run" if limit == 1 else f"{limit} runs"
    return f"At most {runs} at once ({job_queue.LIMIT}): this one waits for its turn, at place {waiting + 1}."
