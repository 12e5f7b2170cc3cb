"""What of a run cannot be read: each file tried with its own reader, so that one torn file is named and the others go on.

What a finished stage stores must be there; anything else may be missing. The state of an unfinished stage is not looked at: a
torn one is thrown away and its part starts again (see `checkpoint`). Predictions are read whole and forgotten, those of the test
part too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edgenes_core import storage
from edgenes_core.architecture import Architecture
from edgenes_core.run_files import read_history
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.storage import RESTORE


class Reader(NamedTuple):
    """One file of the run folder; it must be there once `stage` has finished, '' for a file that may always be missing."""

    file: str
    stage: str
    read: Callable[[Run], object]


READERS = (
    Reader("base.json", "darts", lambda run: run.space.encode(run.base().architecture)),
    Reader("base_supernet.safetensors", "", lambda run: storage.read_tensors(run.path / "base_supernet.safetensors")),
    Reader("hypernet.safetensors", "hypernet", Run.knots),
    Reader("supernet.safetensors", "", lambda run: storage.read_tensors(run.path / "supernet.safetensors")),
    Reader("path.json", "hypernet", lambda run: (run.lambda_path(), run.soft_count())),
    Reader("plan.json", "hypernet", lambda run: [run.space.encode(t.architecture) for t in run.plan()]),
    Reader("imported.json", "", lambda run: [run.space.encode(t.architecture) for t in run.imported()]),
    Reader("targets.npz", "", lambda run: [run.targets(split) for split in ("val", "test")]),
    Reader("ensembles/selected.json", "select", lambda run: None),  # read below, with the others
    Reader("embedding.npz", "embed", Run.embedding),
)
CUT_OFF = "ends in a line that was cut off and is left out"  # as by a writer that was killed
LINES = ("events.jsonl", "reveals.jsonl", "tried.jsonl")
FOLDERS: dict[str, Callable[[Path], object]] = {
    "ensembles/[!.]*.json": storage.read_json,
    "shift/*/[!.]*.npy": storage.read_array,
}
NETWORK: dict[str, Callable[[Path], object]] = {
    "architecture.json": lambda file: Architecture.from_json(file.read_bytes()),
    "weights.safetensors": storage.read_tensors,
    "val.npy": storage.read_array,
    "test.npy": storage.read_array,
    "history.json": read_history,
}


def damage(run: Run) -> tuple[str, ...]:
    """One sentence for each file that is missing, cannot be read, or has lines that cannot; empty for a sound run."""
    return broken(run) + tuple(_lines(run))


def broken(run: Run) -> tuple[str, ...]:
    """The same without the lines: what a run needs is there and can be read by this version, or it is no whole run."""
    found = tuple(said for name, read in _files(run) if (said := _said(run, name, read)))
    return found if _said(run, "run.json", lambda: run.manifest) else found + tuple(_missing(run))


def _said(run: Run, name: str, read: Callable[[], object]) -> str:
    """What a reader says about a file, empty if it reads it."""
    try:
        read()
    except Exception as error:  # on edited files readers may raise whatever they stumble on
        told = str(error).replace(f"{run.path}/", "") or type(error).__name__
        return told if name in told else f"{name} is damaged: {told}. {RESTORE}"
    return ""


def _files(run: Run) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "run.json", lambda: run.manifest
    for reader in READERS:
        if (run.path / reader.file).exists():
            yield reader.file, partial(reader.read, run)
    for name in LINES:
        yield name, partial(storage.read_lines, run.path / name)
    for pattern, read in FOLDERS.items():
        for file in sorted(run.path.glob(pattern)):
            yield _name(run, file), partial(read, file)
    for training in _trainings(run):
        if run.is_trained(training):
            for name, read_file in NETWORK.items():
                if (file := run.folder(training) / name).exists():
                    yield _name(run, file), partial(read_file, file)


def _missing(run: Run) -> Iterator[str]:
    for reader in READERS:
        if reader.stage and run.has(reader.stage) and not (run.path / reader.file).exists():
            yield f"{reader.file} is missing, though stage '{reader.stage}' has finished. Restore it from a copy."
    for training in _trainings(run):
        imported = "imported" in training.roles
        needed = [n for n in NETWORK if n not in (("weights.safetensors", "test.npy") if imported else ())]
        if run.has("retrain") or run.is_trained(training):
            for file in (run.folder(training) / name for name in needed):
                if not file.exists():
                    yield f"{_name(run, file)} is missing, though its network was trained. Restore it from a copy."


def _lines(run: Run) -> Iterator[str]:
    for name in LINES:
        with suppress(OSError, storage.StorageError):  # said above, if it is there
            content = (run.path / name).read_bytes()
            written, read = content.count(b"\n"), len(storage.read_lines(run.path / name)[0])
            if read < written:
                yield f"{name} has {written - read} of {written} lines that cannot be read and are left out."
            if content and not content.endswith(b"\n"):
                yield f"{name} {CUT_OFF}."


def _trainings(run: Run) -> tuple[Training, ...]:
    """None if a list of them cannot be read: that is said of the list."""
    found: list[Training] = []
    for listed in (run.plan, run.imported):
        try:
            found += listed()
        except Exception:  # noqa: S112 - see above
            continue
    return tuple(found)


def _name(run: Run, file: Path) -> str:
    return file.relative_to(run.path).as_posix()
