"""In which order the files of tests are run, and which of them in one process.

The long ones come first, so that the last seconds are made of short ones and no processor waits for the other. What needs a
browser stays together, in two groups, as a group starts one server and one browser, and a process beside it can compute. What
draws UMAP maps stays together too, as UMAP is compiled anew in every process.
"""

from __future__ import annotations

from pathlib import Path

import pytest

BROWSER = "e2e"
WALKS = (
    "e2e/test_accessible.py",
    "e2e/test_awkward.py",
)  # visit all pages: about as long as all other tests of BROWSER
MAPS = ("test_cell_map.py", "test_embeddings.py", "test_mapping.py")
LONG = (
    BROWSER,
    "test_crash.py",
    *MAPS,
    "test_pipeline.py",
    "test_cluster.py",
    "test_export.py",
    "test_supernet.py",
    "test_device.py",
    "test_classroom.py",
    "test_release_import.py",
    "test_shift_jobs.py",
    "test_study.py",
    *WALKS,
    "test_resume.py",
    "test_layers.py",
    "test_fuzz.py",
)
"""Files or folders of this one: the longest first, but that a second browser waits until the first may be done."""


def name_of(file: str) -> str:
    """What LONG calls a file of tests: a name in this folder, or BROWSER for all of its folder but WALKS."""
    path = Path(file)
    inner = f"{BROWSER}/{path.name}"
    return path.name if path.parent.name != BROWSER else inner if inner in WALKS else BROWSER


def rank(file: str) -> int:
    """The place of a file in the order of files; all that are not long share the last one."""
    return LONG.index(name) if (name := name_of(file)) in LONG else len(LONG)


def group(nodeid: str) -> str:
    """What tests of one process have in common: a file, or the first of those that stay together."""
    name = name_of(nodeid.split("::", 1)[0])
    return next((several[0] for several in (WALKS, MAPS) if name in several), name)


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Tests by the rank of their files, and within one rank as they were."""
    return sorted(items, key=lambda item: rank(item.nodeid.split("::", 1)[0]))


def scheduler(config: pytest.Config, log: object) -> object:
    """Hands a group at a time to the processes, in the order given."""
    from xdist.scheduler import LoadFileScheduling

    class InOrder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False
    return InOrder(config, log)
