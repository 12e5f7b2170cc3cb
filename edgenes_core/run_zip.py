"""A run as one zip file: out, and in again after every check.

The zip holds the files of the run folder and `sha256.json` with the hash of each; the same folder gives the same bytes.
What belongs to this machine or this attempt stays out: lock, pid, cancel and log.txt, and the checkpoints, since a stage that
starts again without them ends with the same bytes. A run stored under another id keeps its own in run.json.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edgenes_core import EdgeNESError, durable, storage
from edgenes_core.damage import broken
from edgenes_core.run_folder import ID, Run
from edgenes_core.runs import RunStore

MOST_UPLOAD = 200 << 20  # bytes; .streamlit/config.toml says the same to the browser
MOST_UNPACKED = 1 << 30  # bytes: a small zip may claim any size
MOST_FILES = 10_000
MOST_SUMS = 4 << 20  # bytes of sha256.json
MOST_TEXT = 128 << 20  # bytes of .json and .jsonl: read, they take many times their size
TEXT = (".json", ".jsonl")
SUMS = "sha256.json"
FORMAT = "edgenes-run"
KNOWN = re.compile(
    r"(run|base|path|plan|imported)\.json|(targets|embedding)\.npz|(events|reveals|tried)\.jsonl"
    r"|(base_supernet|supernet|hypernet)\.safetensors|ensembles/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.json"
    r"|candidates/[0-9a-f]{12}-[0-9]{1,10}/((architecture|history)\.json|weights\.safetensors|(val|test)\.npy)"
    r"|shift/[0-9a-f]{12}-[0-9]{1,10}/([a-z_]{1,40}-[1-5](-test)?|outside-[0-9a-z]{1,40})\.npy"
)
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MADE_BY = "Make one with: python -m edgenes_core export RUN FILE.zip"


class RunZipError(EdgeNESError):
    """A zip that is no run, or no whole one."""


def export_run(run: Run, file: Path) -> None:
    """Write the zip in one step; StorageError if the run cannot be read or the file not written."""
    content = zip_of(run)
    durable.discard_parts(file)
    storage.write_bytes(file, content)


def zip_of(run: Run) -> bytes:
    """The zip's bytes. run.json is read first: all that it calls done is stored by then, even while a worker goes on."""
    if said := broken(run):  # better here than by whoever imports it
        raise storage.StorageError(f"Run {run.id} is not exported. {said[0]}")
    sums, buffer = {}, io.BytesIO()
    try:
        manifest = (run.path / "run.json").read_bytes()
        names = ["run.json", *(name for name in files_of(run) if name != "run.json")]
        _check_sizes(run, {name: (run.path / name).stat().st_size for name in names})
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                content = manifest if name == "run.json" else (run.path / name).read_bytes()
                sums[name] = hashlib.sha256(content).hexdigest()
                _add(archive, name, content)
            listed = {"schema": storage.SCHEMA, "format": FORMAT, "files": sums}
            _add(archive, SUMS, json.dumps(listed, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise storage.StorageError(f"Cannot read {error.filename or run.path}: {error.strerror or error}.") from None
    if len(buffer.getvalue()) > MOST_UPLOAD:
        raise RunZipError(
            f"The zip of run {run.id} has {len(buffer.getvalue()) >> 20} MB, at most {MOST_UPLOAD >> 20} MB can be imported. "
            "Copy the run's folder instead."
        )
    return buffer.getvalue()


def files_of(run: Run) -> list[str]:
    """Names of the run's files, sorted, with '/' between folder and file."""
    trained = {file.parent for file in run.path.glob("candidates/*/history.json")}  # first: it is stored last
    files = (file for file in run.path.rglob("*") if file.is_file() and not file.is_symlink())
    whole = (file for file in files if file.parent.parent.name != "candidates" or file.parent in trained)
    return sorted(name for file in whole if KNOWN.fullmatch(name := file.relative_to(run.path).as_posix()))


def _check_sizes(run: Run, sizes: Mapping[str, int]) -> None:
    """RunZipError for a run that no one could import again."""
    text = sum(size for name, size in sizes.items() if name.endswith(TEXT))
    if len(sizes) >= MOST_FILES or sum(sizes.values()) > MOST_UNPACKED - MOST_SUMS or text > MOST_TEXT:
        raise RunZipError(
            f"Run {run.id} has {len(sizes)} files of {sum(sizes.values()) >> 20} MB, {text >> 20} MB of it text; a zip holds up to "
            f"{MOST_FILES} files, {MOST_UNPACKED >> 20} MB and {MOST_TEXT >> 20} MB of text. Copy its folder instead."
        )


def import_run(store: RunStore, content: Path | bytes) -> Run:
    """Store the run of a zip under its own id, or with a counter where that is taken.

    RunZipError if the zip breaks a rule, does not match its hashes, cannot be read by this version, or holds a run that is
    stored already; the store is then as it was.
    """
    with _opened(content) as archive:
        check_entries(archive.infolist())
        sums = _sums(archive)
        if same := _stored_already(store, sums):
            raise RunZipError(f"This run is stored already, file by file the same: open {same.id}.")
        with storage.staged(store.root) as folder:
            _unpack(archive, sums, folder)
            run = Run(folder)
            check_readable(run)
            return _settle(store, run)


def check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Whether a zip's list of contents may be unpacked; RunZipError names the first rule that is broken."""
    if len(entries) > MOST_FILES:
        raise RunZipError(f"A run has at most {MOST_FILES} files, this zip lists {len(entries)}. {MADE_BY}")
    if (text := sum(entry.file_size for entry in entries if entry.filename.endswith(TEXT))) > MOST_TEXT:
        raise RunZipError(f"The zip has {text >> 20} MB of text, at most {MOST_TEXT >> 20} MB are read. {MADE_BY}")
    if (size := sum(entry.file_size for entry in entries)) > MOST_UNPACKED:
        raise RunZipError(f"The zip unpacks to {size >> 20} MB, at most {MOST_UNPACKED >> 20} MB are read. {MADE_BY}")
    seen = set()
    for entry in entries:
        name, mode = entry.orig_filename, entry.external_attr >> 16
        shown = repr(name[:80])
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise RunZipError(f"The zip names a place outside of a run's folder: {shown}. {MADE_BY}")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise RunZipError(f"A run holds plain files only, {shown} is a link or something else. {MADE_BY}")
        if name in seen:
            raise RunZipError(f"A zip must name each file once, this one names {shown} twice. {MADE_BY}")
        if name != SUMS and not KNOWN.fullmatch(name):
            raise RunZipError(f"{shown} is no file of a run. {MADE_BY}")
        if entry.flag_bits & 1 or entry.compress_type not in PLAIN:
            raise RunZipError(f"{shown} is encrypted or packed in an unusual way. {MADE_BY}")
        seen.add(name)
    if missing := [name for name in (SUMS, "run.json") if name not in seen]:
        raise RunZipError(f"The zip of a run holds {missing[0]}, this one does not. {MADE_BY}")


def check_readable(run: Run) -> None:
    """Whether a run folder holds all it should and this version reads it; RunZipError says what it stumbles on."""
    if said := broken(run):
        raise RunZipError(f"The run in the zip cannot be read by this version: {said[0]}")


@contextmanager
def _opened(content: Path | bytes) -> Iterator[zipfile.ZipFile]:
    """The zip, checked for its size; whatever goes wrong with it inside becomes one sentence."""
    try:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        if size > MOST_UPLOAD:
            raise RunZipError(f"The file has {size >> 20} MB, at most {MOST_UPLOAD >> 20} MB are read.")
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            yield archive
    except EdgeNESError:
        raise
    except Exception as error:  # on damaged bytes zipfile raises whatever it stumbles on
        reason = getattr(error, "strerror", None) or error
        raise RunZipError(f"This is not a whole zip of a run ({reason}). {MADE_BY}") from None


def _sums(archive: zipfile.ZipFile) -> dict[str, str]:
    """SHA-256 by file name, for exactly the files of the zip."""
    if archive.getinfo(SUMS).file_size > MOST_SUMS:
        raise RunZipError(f"{SUMS} is larger than {MOST_SUMS >> 20} MB. {MADE_BY}")
    data: Any = json.loads(archive.read(SUMS))
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("schema") != storage.SCHEMA:
        raise RunZipError(
            f"{SUMS} must say format {FORMAT!r} and schema {storage.SCHEMA}: the zip was made by something else or by "
            "another version of EdgeNES Explorer."
        )
    sums, names = data.get("files"), set(archive.namelist()) - {SUMS}
    if not isinstance(sums, dict) or set(sums) != names:
        raise RunZipError(f"{SUMS} must list exactly the files of the zip, but it lists others. {MADE_BY}")
    return sums


def _stored_already(store: RunStore, sums: dict[str, str]) -> Run | None:
    for run in store.list()[0]:
        with suppress(OSError):  # one that cannot be read, or is being removed, is another one
            named_alike = _hash(run.path / "run.json") == sums["run.json"] and files_of(run) == sorted(sums)
            if named_alike and all(_hash(run.path / name) == wanted for name, wanted in sums.items()):
                return run
    return None


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _unpack(archive: zipfile.ZipFile, sums: dict[str, str], folder: Path) -> None:
    for name, wanted in sums.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, (folder / name).open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        if _hash(folder / name) != wanted:
            raise RunZipError(f"{name} was changed after the run was exported: its SHA-256 is not the one in {SUMS}.")


def _settle(store: RunStore, run: Run) -> Run:
    """Rename the folder in one step to the first id that is free."""
    wanted = run.manifest.id
    stem = wanted if isinstance(wanted, str) and ID.fullmatch(wanted) else "imported"
    for counter in range(1, 1000):
        path = store.root / (stem if counter == 1 else f"{stem[:95]}-{counter}")
        if path.exists():
            continue
        try:
            durable.move(run.path, path)
            return Run(path)
        except OSError:
            if not path.exists():  # else another import was faster
                raise
    raise RunZipError(f"All ids from {stem} to {stem}-999 are taken; remove some of these runs.")


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Without a time, an owner or anything else that differs between two exports."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 6)
