"""In which order the files of tests are run, and which of them in one process.

The long ones come first, so that the last seconds are made of short ones and no processor waits for the other. All that needs
a browser stays in one process, which then starts a single server and browser, beside another that computes. What draws UMAP
maps stays together too, as UMAP is compiled anew in every process.
"""

from __future__ import annotations

from pathlib import Path

import pytest

BROWSER = "e2e"
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
    "test_resume.py",
    "test_layers.py",
    "test_fuzz.py",
)
"""Files or folders of this one, by measured time, the longest first."""


def name_of(file: str) -> str:
    """What LONG may call a file of tests: its folder if that is the browser's, else its name."""
    path = Path(file)
    return BROWSER if path.parent.name == BROWSER else path.name


def rank(file: str) -> int:
    """The place of a file in the order of files; all that are not long share the last one."""
    return LONG.index(name) if (name := name_of(file)) in LONG else len(LONG)


def group(nodeid: str) -> str:
    """What tests of one process have in common."""
    file = nodeid.split("::", 1)[0]
    name = name_of(file)
    return name if name == BROWSER else MAPS[0] if name in MAPS else file


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
