"""All studies: those of the runs folder, and those that come with the project."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from edgenes_core import storage
from edgenes_core.provenance import commit, versions
from edgenes_core.run_folder import ID
from edgenes_core.schema import to_dict
from edgenes_core.storage import StorageError
from edgenes_core.study import StudyConfig
from edgenes_core.study.folder import Study

BUNDLED = Path(__file__).resolve().parents[2] / "assets" / "studies"


@dataclass(frozen=True)
class StudyStore:
    """Studies under a runs folder, and the bundled ones."""

    runs: Path

    @property
    def root(self) -> Path:
        return self.runs / "studies"

    def create(self, name: str, config: StudyConfig, command: str = "") -> Study:
        """A new study folder; the id is date and name."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        path = next(
            path
            for counter in range(1000)
            if not (path := self.root / f"{stamp}-{name}{f'-{counter}' if counter else ''}").exists()
        )
        if not ID.fullmatch(path.name):
            raise StorageError(f"A study's name has letters, digits, '.', '_' and '-' only, got {name[:60]!r}.")
        about = {"config": to_dict(config), "versions": versions(), "commit": commit(), "command": command}
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        storage.write_json(path / "study.json", {**about, "created": created})
        return Study(path)

    def open(self, name: str) -> Study:
        """By its id; StorageError if there is none."""
        for root in (self.root, BUNDLED):
            if ID.fullmatch(name) and (root / name / "study.json").is_file():
                return Study(root / name)
        known = ", ".join(study.id for study in self.list()) or "none"
        raise StorageError(f"No study {name[:60]!r}; known are {known}.")

    def own(self) -> list[Study]:
        """Those of the runs folder, the newest first."""
        return [Study(file.parent) for file in sorted(self.root.glob("*/study.json"), reverse=True)]

    def list(self) -> list[Study]:
        """All that have a study.json, the bundled ones first, then the newest."""
        return [*map(Study, sorted(file.parent for file in BUNDLED.glob("*/study.json"))), *self.own()]


def is_bundled(study: Study) -> bool:
    """Whether a study comes with the project."""
    return study.path.resolve().parent == BUNDLED
