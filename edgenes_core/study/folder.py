"""A study on disk: only what cannot be worked out again cheaply, readable without torch.

    study.json  config, versions, commit, command     targets.npz  true classes     looks.jsonl  looks at the test images
    repeats/<arm>-s<seed>/{val.npz, test.npz, repeat.json}   repeat.json is written last and marks it complete

Who is chosen, and every number of a table, follows from these. test.npz is read after a stored look alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgenes_core import storage
from edgenes_core.architecture import Architecture
from edgenes_core.metrics import distributions
from edgenes_core.run_records import Cost
from edgenes_core.schema import from_dict, to_dict
from edgenes_core.search import Candidate
from edgenes_core.storage import StorageError
from edgenes_core.study import Arm, StudyConfig
from edgenes_core.study.chosen import Bill, Mode

if TYPE_CHECKING:
    from edgenes_core.study.arm import Repeat

LEAST = 2.0**-24  # the smallest probability that is stored: no network is sure that a class is impossible
RARE = 2.0**-6
BITS, RARE_BITS = 9, 4  # significant bits that are stored of a probability, and of one below RARE, as most are


class Look(NamedTuple):
    """Look `number` at the test images, counted from 1, at `time` (seconds since 1970): which repeats, chosen how."""

    number: int
    time: float
    repeats: tuple[str, ...] = ()
    mode: str = ""


@dataclass(frozen=True)
class StoredRepeat:
    """A repeat as it is stored, but for test: see `arm.Repeat`; `val` (N, B, C) is float32."""

    arm: Arm
    seed: int
    candidates: tuple[Candidate, ...]
    seconds: tuple[float, ...]
    samples: int
    search: Cost
    select: Cost
    stages: tuple[tuple[str, float], ...]
    val: np.ndarray
    path: Path
    device: str = "cpu"

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def bill(self) -> Bill:
        """What is spent when the k-th candidate is trained, search included."""
        images = self.search.samples + self.samples * np.arange(1, len(self.seconds) + 1)
        return Bill(self.search.seconds + np.cumsum(self.seconds), images)


@dataclass(frozen=True)
class Study:
    """A study's folder."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def about(self) -> dict[str, Any]:
        """study.json: `config`, `versions`, `commit`, `command`, `created`."""
        return storage.read_json(self.path / "study.json")

    @cached_property
    def config(self) -> StudyConfig:
        """StorageError if it cannot be read."""
        with storage.fields(self.path / "study.json"):
            return from_dict(StudyConfig, self.about["config"])

    @cached_property
    def y(self) -> np.ndarray:
        """True classes (B,) of the validation images."""
        return self._targets("val").astype(int)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(map(str, self._targets("classes")))

    def has_targets(self) -> bool:
        """Whether the true classes are stored."""
        return (self.path / "targets.npz").exists()

    def save_targets(self, val: np.ndarray, test: np.ndarray, classes: Sequence[str]) -> None:
        storage.write_arrays(self.path / "targets.npz", val=val, test=test, classes=np.array(classes, str))

    def save(self, arm: Arm, seed: int, repeat: Repeat, commit: str = "") -> None:
        """Store one repeat; `commit` is that of the code that made it."""
        folder = self._folder(arm, seed)
        for part, probs in (("val", repeat.val), ("test", repeat.test)):
            storage.write_arrays(folder / f"{part}.npz", probs=rounded(probs))
        found = [{"cell": c.architecture.to_json(), "lam": c.lam, "seed": c.seed} for c in repeat.candidates]
        cost = {"search": to_dict(repeat.search), "select": to_dict(repeat.select), "stages": repeat.stages}
        known = {"candidates": found, "seconds": repeat.seconds, "samples": repeat.samples, **cost}
        storage.write_json(folder / "repeat.json", known | {"device": repeat.device, "commit": commit})

    def has(self, arm: Arm, seed: int) -> bool:
        """Whether this repeat is stored."""
        return (self._folder(arm, seed) / "repeat.json").exists()

    def places(self) -> list[tuple[Arm, int]]:
        """Every arm with every seed, seed by seed, so that all arms grow together."""
        return [(arm, seed) for seed in range(self.config.seeds) for arm in self.config.arms]

    def missing(self) -> list[tuple[Arm, int]]:
        """Repeats that are not stored, in the same order."""
        return [place for place in self.places() if not self.has(*place)]

    def repeats(self) -> tuple[list[StoredRepeat], list[str]]:
        """All stored repeats by arm and seed, and a sentence for each that is damaged."""
        places = [(arm, seed) for arm in self.config.arms for seed in range(self.config.seeds) if self.has(arm, seed)]
        files = [self._folder(*place) / name for place in places for name in ("repeat.json", "val.npz")]
        found, damaged = _read_all(self.path, _stamp([self.path / "study.json", self.path / "targets.npz", *files]))
        return list(found), list(damaged)

    def look(self, repeats: Sequence[StoredRepeat], mode: Mode) -> Look:
        """Look at the test images: one more look, counted and stored before anything is read."""
        names = [repeat.name for repeat in repeats]
        storage.append_line(self.path / "looks.jsonl", {"time": time.time(), "repeats": names, "mode": mode.words})
        return self.looks()[-1]

    def looks(self) -> tuple[Look, ...]:
        """All looks, the first one first; fields that cannot be read are empty, the look counts all the same."""
        lines, _ = storage.read_lines(self.path / "looks.jsonl")
        return tuple(_look(number, line) for number, line in enumerate(lines, 1))

    def latest(self, repeats: Sequence[StoredRepeat], mode: Mode) -> Look | None:
        """The last look at exactly these repeats with members chosen in this way; what it has shown can be shown again."""
        wanted = tuple(repeat.name for repeat in repeats), mode.words
        return next((look for look in reversed(self.looks()) if (look.repeats, look.mode) == wanted), None)

    def test(self, repeat: StoredRepeat, look: Look) -> np.ndarray:
        """Test probabilities (N, B, C) of a repeat that a stored look was at; StorageError before it."""
        self._seen(look, repeat.name)
        return _probabilities(repeat.path / "test.npz", len(repeat.candidates), len(self.test_y(look)))

    def test_y(self, look: Look) -> np.ndarray:
        """True classes of the test images, after a look."""
        self._seen(look)
        return self._targets("test").astype(int)

    def _seen(self, look: Look, *names: str) -> None:
        if look not in self.looks() or not {*names} <= {*look.repeats}:
            raise StorageError(f"Study {self.id} has no such look at its test images; look first, which is counted.")

    def _targets(self, part: str) -> np.ndarray:
        with storage.fields(self.path / "targets.npz"):
            return storage.read_arrays(self.path / "targets.npz")[part]

    def _folder(self, arm: Arm, seed: int) -> Path:
        return self.path / "repeats" / f"{arm.name}-s{seed}"

    def _read(self, arm: Arm, seed: int) -> StoredRepeat:
        file = self._folder(arm, seed) / "repeat.json"
        data = storage.read_json(file)
        with storage.fields(file):
            found = tuple(
                Candidate(Architecture.from_json(c["cell"]), c["lam"], int(c["seed"])) for c in data["candidates"]
            )
            seconds = tuple(float(s) for s in data["seconds"])
            if len(seconds) != len(found) or not found:
                raise ValueError(f"{len(seconds)} trainings of {len(found)} candidates")
            costs = from_dict(Cost, data["search"]), from_dict(Cost, data["select"])
            known = found, seconds, int(data["samples"]), *costs, tuple((str(n), float(s)) for n, s in data["stages"])
            device = str(data.get("device", "cpu"))
        val = _probabilities(file.parent / "val.npz", len(found), len(self.y))
        return StoredRepeat(arm, seed, *known, val, file.parent, device)


def _stamp(files: Sequence[Path]) -> tuple[tuple[int, int], ...]:
    """Changes whenever one of the files is replaced."""
    states = [file.stat() if file.exists() else None for file in files]
    return tuple((state.st_mtime_ns, state.st_ino) if state else (0, 0) for state in states)


@lru_cache(maxsize=8)  # a page shows up to five studies, of some megabytes each
def _read_all(path: Path, stamp: tuple[tuple[int, int], ...]) -> tuple[tuple[StoredRepeat, ...], tuple[str, ...]]:
    """One page reads them several times."""
    study, found, damaged = Study(path), list[StoredRepeat](), list[str]()
    for arm in study.config.arms:
        for seed in range(study.config.seeds):
            if study.has(arm, seed):
                try:
                    found.append(study._read(arm, seed))
                except StorageError as error:
                    damaged.append(str(error))
    return tuple(found), tuple(damaged)


def rounded(probs: np.ndarray) -> np.ndarray:
    """Probabilities as they are stored, float16 with few significant bits: on digits the NLL of a network then moves by 3e-4 at
    most, a sixth of what another seed changes, and a quarter of the disk is saved."""
    part, exponent = np.frexp(np.maximum(probs, LEAST).astype(float))
    bits = np.where(probs < RARE, RARE_BITS, BITS)
    found: np.ndarray = np.ldexp(np.round(np.ldexp(part, bits)), exponent - bits).astype(np.float16)
    return found


def _probabilities(file: Path, networks: int, images: int) -> np.ndarray:
    """Stored rows sum to 1 within 3 % and are scaled to do so."""
    with storage.fields(file):
        probs = storage.read_arrays(file)["probs"].astype(np.float32)
        probs /= probs.sum(-1, keepdims=True)
        distributions(probs, "NBC")
        if probs.shape[:2] != (networks, images):
            raise ValueError(f"{probs.shape[:2]} instead of {networks} networks and {images} images")
    return probs


def _look(number: int, line: dict[str, Any]) -> Look:
    try:
        return Look(number, float(line["time"]), tuple(map(str, line["repeats"])), str(line["mode"]))
    except (KeyError, TypeError, ValueError):
        return Look(number, 0.0)
