"""Every reader of what others wrote, as a function of bytes, with real files to start from."""

from __future__ import annotations

import argparse
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
import sample_runs
import torch
from fuzzing import Parser, complaint
from PIL import Image
from zips import fitting, full_run, npz

from edgenes_core import looks, tried
from edgenes_core.architecture import Architecture
from edgenes_core.before_run import build_config, read_config
from edgenes_core.cell_number import number_of
from edgenes_core.checkpoint import State, read_state, write_state
from edgenes_core.cli import parser as command_line
from edgenes_core.data import load_dataset
from edgenes_core.encodings import operation_paths
from edgenes_core.estimate import shape_of
from edgenes_core.exchange import IMPORTERS, kind_of
from edgenes_core.imported import read_predictions
from edgenes_core.permalink import Known, ViewState, from_query, to_query
from edgenes_core.preview import preview
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import import_run, zip_of
from edgenes_core.runs import RunStore
from edgenes_core.samples import sample_cell, sample_predictions
from edgenes_core.schema import to_dict
from edgenes_core.scored import stored_ensembles
from edgenes_core.team import Team
from edgenes_core.tried import Tried


def parsers(root: Path) -> tuple[Parser, ...]:
    """All readers, with real files as seeds; `root` is an empty folder for what they read from."""
    run = _run(root / "runs")
    other = zip_of(sample_runs.finished(root / "others", seed=1))
    readers = [
        ("cell", lambda data: _cell(run, data), (sample_cell(run, "edgenes"), sample_cell(run, "authors"))),
        ("link", lambda data: _link(run, data), (_query(run),)),
        ("config", lambda data: _config(root, data), (json.dumps(to_dict(run.config)),)),
        ("setting", _setting, (b"darts.steps=50", b'space.cells="reduce"', b"retrain.augment.flip=true")),
        ("run zip", lambda data: _zip(root, data), (zip_of(run), other)),
        ("predictions", lambda data: read_predictions(run, data), (sample_predictions(run), npz(**fitting(run)))),
        (
            "any import",
            lambda data: _import(root, run, data),
            (other, sample_predictions(run), sample_cell(run, "edgenes")),
        ),
        ("images .npz", lambda data: _dataset(_put(root / "images.npz", data)), (_images(),)),
        ("image folder", lambda data: _picture(root, data), tuple(_pictures())),
        ("checkpoint", lambda data: read_state(_put(root / "state.safetensors", data)), (_state(root),)),
        *((name, _in_run(run, name, read), ((run.path / name).read_bytes(),)) for name, read in IN_RUN),
        *(
            (file.name, _in_run(run, str(file.relative_to(run.path)), read), (file.read_bytes(),))
            for file, read in _deep(run)
        ),
    ]
    return tuple(
        Parser(name, read, tuple(s.encode() if isinstance(s, str) else s for s in seeds))
        for name, read, seeds in readers
    )


IN_RUN: tuple[tuple[str, Callable[[Run], object]], ...] = (
    (
        "run.json",
        lambda run: (
            RunStore(run.path.parent).open(run.id),
            run.space,
            [run.manifest.cost(s) for s in run.manifest.stages],
        ),
    ),
    ("plan.json", lambda run: (run.trainings(), run.networks())),
    ("imported.json", lambda run: run.imported()),
    ("base.json", lambda run: run.base()),
    ("path.json", lambda run: (run.lambda_path(), run.soft_count())),
    ("events.jsonl", lambda run: run.events()),
    ("reveals.jsonl", lambda run: (run.reveals(), looks.looks(run))),
    ("tried.jsonl", tried.tried),
    ("targets.npz", lambda run: run.targets("val")),
    ("embedding.npz", lambda run: run.embedding()),
    ("hypernet.safetensors", lambda run: run.knots()),
)


def _run(root: Path) -> Run:
    """A full run with events and a team that was tried."""
    run = full_run(root)
    for step in range(3):
        run.append(
            Event("darts", step, 3, 0.1 * step, {"train_loss": 2.0}, alpha=((0.1,) * 7,) * 14 if step == 1 else ())
        )
    val = stored_ensembles(run)[0][0].val
    tried.note(run, Tried(0.0, Team("", tuple(run.networks())[:2]), val))
    return run


def _deep(run: Run) -> Iterator[tuple[Path, Callable[[Run], object]]]:
    folder = run.folder(run.plan()[0])
    yield folder / "val.npy", lambda run: run.val_probabilities([run.plan()[0].id])
    yield folder / "history.json", lambda run: run.networks()
    yield run.path / "ensembles" / "selected.json", stored_ensembles


def _in_run(run: Run, name: str, read: Callable[[Run], object]) -> Callable[[bytes], object]:
    """Read a run one of whose files is replaced."""

    def replaced(data: bytes) -> object:
        before = (run.path / name).read_bytes()
        try:
            return read(Run(_put(run.path / name, data) and run.path))
        finally:
            (run.path / name).write_bytes(before)

    return replaced


def _put(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def _cell(run: Run, data: bytes) -> object:
    cell = Architecture.from_json(data)
    return cell.key, cell.to_json(), operation_paths(cell), run.space.encode(cell), number_of(run.space, cell)


def _known(run: Run) -> Known:
    cells = {step.architecture.key for step in run.lambda_path().intervals}
    return Known(run.space, run.config.seed, cells, set(run.networks()), {"map_method": ("pca", "umap")})


def _query(run: Run) -> str:
    view = ViewState(run.id, 0, 1.5, run.base().architecture, (run.base().architecture.key,), tuple(run.networks()))
    return urlencode(to_query(run.space, view))


def _link(run: Run, data: bytes) -> object:
    query = dict(parse_qsl(data.decode(errors="replace"), keep_blank_values=True, max_num_fields=None))
    view, notices = from_query(_known(run), query)
    if wrong := next(filter(None, map(complaint, notices)), ""):
        raise AssertionError(wrong)
    return view


def _config(root: Path, data: bytes) -> object:
    return read_config(str(_put(root / "config.json", data)))


def _setting(data: bytes) -> object:
    """As the last argument of `pipeline --set`."""
    text = data.decode(errors="surrogateescape")
    return build_config(argparse.Namespace(**{**vars(command_line().parse_args(["pipeline"])), "set": [text]}))


def _zip(root: Path, data: bytes) -> object:
    store = RunStore(root / "imports")
    try:
        run = import_run(store, data)
        return run.manifest, run.networks()
    finally:
        shutil.rmtree(store.root, ignore_errors=True)


def _import(root: Path, run: Run, data: bytes) -> object:
    """As `import FILE` without --into: predictions are refused, all else is read."""
    options = argparse.Namespace(runs=root / "imports", into=None, path="file")
    try:
        return IMPORTERS[kind_of(data)](data, options)
    finally:
        shutil.rmtree(options.runs, ignore_errors=True)


def _dataset(file: Path) -> object:
    return preview(str(file)), shape_of(str(file)), load_dataset(str(file)).summary()


def _images() -> bytes:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 8, 8), dtype=np.uint8)
    return npz(
        x_train=images,
        y_train=np.arange(60) % 3,
        x_test=images[:9],
        y_test=np.arange(9) % 3,
        classes=np.array(list("abc")),
    )


def _pictures() -> Iterator[bytes]:
    for kind in ("PNG", "JPEG"):
        for mode in ("L", "RGB"):
            buffer = io.BytesIO()
            Image.effect_noise((12, 12), 60).convert(mode).save(buffer, kind)
            yield buffer.getvalue()


def _picture(root: Path, data: bytes) -> object:
    """One picture of a folder of otherwise good ones."""
    folder = root / "pictures"
    if not folder.exists():
        for part, count in (("train", 6), ("test", 2)):
            for number in range(2 * count):
                place = folder / part / "ab"[number % 2]
                place.mkdir(parents=True, exist_ok=True)
                Image.effect_noise((12, 12), 60).save(place / f"{number}.png")
    _put(folder / "train" / "a" / "0.png", data)
    return _dataset(folder)


def _state(root: Path) -> bytes:
    write_state(root / "state.safetensors", State(3, 1.5, {"weights/w": torch.zeros(2, 3)}))
    return (root / "state.safetensors").read_bytes()
