"""The EdgeNES release's files: our network draws the function that theirs draws, and what does not fit is said.

The reference is `release_files.reference`, a forward pass from the release's tensor names.
"""

import json
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from release_files import CLASSES, C, flat_cell, random_state, reference

from edgenes_core import release_tree
from edgenes_core.architecture import Architecture
from edgenes_core.cli import main
from edgenes_core.release_import import pixels
from edgenes_core.release_network import ReleaseError, release_network
from edgenes_core.release_tree import entries, read_weights
from edgenes_core.run_folder import Run

MARK = str(Path(tempfile.gettempdir()) / "edgenes-release-pickle-was-run")
SHARED = Path(__file__).parents[2] / "shared"
AUTHORS = SHARED / "reference" / "edgenes_original"
FASHION = SHARED / "data" / "fashion_mnist_small.npz"


def loaded(cell, state):
    return release_network(cell, Architecture.from_json(json.dumps(cell)), state)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_weights_draw_the_same_function(seed):
    rng = np.random.default_rng(seed)
    cell = flat_cell(rng, 1 + seed % 2)
    state = random_state(cell, rng)
    network, shape = loaded(cell, state)
    x = torch.from_numpy(rng.normal(size=(5, 1, 12, 12))).float()
    assert shape == (shape.__class__)(C, 1, CLASSES, 2)
    with torch.no_grad():
        torch.testing.assert_close(network(x), reference(x, cell, state), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kept", [True, False])
def test_weights_of_another_run_do_not_fit(rng, kept):
    """A single edge with another operation gives them away, kept or not."""
    cell = flat_cell(rng, 1)
    cell |= {"reduce_n4_p2": "sepconv3x3", "reduce_n4_switch": [2 if kept else 3]}
    state = random_state(cell, rng)
    with pytest.raises(ReleaseError, match=r"dilconv5x5 on the edge 2 → 4.*those of sepconv3x3.*different runs"):
        loaded(cell | {"reduce_n4_p2": "dilconv5x5"}, state)


def test_an_edge_that_is_not_kept_may_have_no_weights(rng):
    cell = flat_cell(rng, 1) | {"reduce_n5_switch": [0]}
    state = {n: t for n, t in random_state(cell, rng).items() if "mutable_ops.3.ops.4" not in n}
    loaded(cell, state)
    broken = {n: t for n, t in random_state(cell | {"reduce_n5_p0": "maxpool"}, rng).items() if "ops.3.ops.0" not in n}
    with pytest.raises(ReleaseError, match="do not fit"):
        loaded(cell | {"reduce_n5_p0": "maxpool"}, {n: t for n, t in broken.items() if "mutable_ops.3.ops.0" not in n})


def test_a_missing_stem_and_a_wrong_shape_are_said(rng):
    cell = flat_cell(rng, 1)
    state = random_state(cell, rng)
    with pytest.raises(ReleaseError, match=r"no usable stem\.0\.weight"):
        loaded(cell, {name: tensor for name, tensor in state.items() if name != "stem.0.weight"})
    with pytest.raises(ReleaseError, match=r"cells\.1\.preproc1|before\.second"):
        loaded(cell, state | {"cells.1.preproc1.net.1.weight": torch.zeros(8, 5, 1, 1)})


def test_pixels_are_standardised_as_the_release_does():
    white = np.full((1, 2, 2, 1), 255, np.uint8)
    assert pixels(white, 10)[0, 0, 0, 0] == pytest.approx((1 - 0.4914) / 0.2470)
    assert pixels(np.full((1, 2, 2, 3), 255, np.uint8), 100)[0, 2, 0, 0] == pytest.approx((1 - 0.4465) / 0.4408)


class Bomb:
    def __reduce__(self):
        return (open, (MARK, "w"))


@pytest.fixture
def tree(tmp_path, rng):
    """A tree with a network that fits, one whose weights are another's, α* alone, and unusable files."""
    for name in ("good", "lam=2", "broken", "pickled", "nan"):
        (tmp_path / "tree" / name).mkdir(parents=True)
    (tmp_path / "tree" / "optimal").mkdir()
    root, cell, other = tmp_path / "tree", flat_cell(rng, 1), flat_cell(rng, 1)
    state = random_state(cell, rng)
    for name in ("good", "lam=2", "broken", "pickled", "nan", "optimal"):
        (root / name / "arc.json").write_text(json.dumps(other if name == "lam=2" else cell))
    for name in ("good", "lam=2"):
        torch.save(state, root / name / "mod.json")
    (root / "broken" / "mod.json").write_bytes((root / "good" / "mod.json").read_bytes()[:999])
    torch.save({"stem": Bomb()}, root / "pickled" / "mod.json")
    torch.save(state | {"linear.bias": torch.full((CLASSES,), float("nan"))}, root / "nan" / "mod.json")
    images = rng.integers(0, 256, (60, 12, 12)).astype(np.uint8)
    y = np.arange(60) % CLASSES
    np.savez(tmp_path / "images.npz", x_train=images, y_train=y, x_test=images[:30], y_test=y[:30])
    return tmp_path


def run_import(folder, capsys, *more):
    status = main(
        [
            "import",
            str(folder / "tree"),
            "--dataset",
            str(folder / "images.npz"),
            "--runs",
            str(folder / "runs"),
            "--json",
            *more,
        ]
    )
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_tree_becomes_a_run_with_what_fits(tree, capsys):
    status, said = run_import(tree, capsys)
    assert status == 0
    (model,) = said["models"]
    assert (model["name"], model["k"], model["n"]) == ("good", 1, 30)
    run = Run(tree / "runs" / said["run"])
    cell = json.loads((tree / "tree" / "good" / "arc.json").read_text())
    x = torch.from_numpy(pixels(np.load(tree / "images.npz")["x_test"][..., None], CLASSES))
    with torch.no_grad():
        probs = (
            reference(x, cell, torch.load(tree / "tree" / "good" / "mod.json", weights_only=True)).softmax(-1).numpy()
        )
    y = run.targets("test")
    assert model["accuracy"] == pytest.approx((probs.argmax(-1) == y).mean())
    assert model["nll"] == pytest.approx(-np.log(probs[np.arange(30), y]).mean(), abs=1e-3)
    assert run.reveals() == 1, "test images were looked at"
    assert run.base().architecture.key == model["key"], "α* of the tree"
    why = {each["name"]: each["why"] for each in said["skipped"]}
    assert set(why) == {"lam=2", "broken", "pickled", "nan", "optimal"}
    assert "different runs" in why["lam=2"]
    assert "no weights" in why["optimal"]
    assert "could run code" in why["pickled"]
    assert not Path(MARK).exists(), "a pickle was run"
    assert main(["evaluate", run.id, "--keys", model["key"], "--runs", str(tree / "runs")]) == 0
    assert main(["resume", run.id, "--runs", str(tree / "runs")]) == 1
    assert "nothing to train" in capsys.readouterr().err


def test_a_tree_without_a_network_makes_no_run(tree, capsys):
    for name in ("good", "lam=2"):
        (tree / "tree" / name / "mod.json").unlink()
    status, said = run_import(tree, capsys)
    assert (status, said["run"], said["models"]) == (1, None, [])
    assert not (tree / "runs").exists()


def test_unusable_trees_and_options_are_one_sentence(tree, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (["import", str(empty), "--dataset", "digits"], ["import", str(tree / "tree")]):
        assert main([*arguments, "--runs", str(tmp_path / "runs")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "bytes" in lines[0] or "arc.json" in lines[0]
    assert "--dataset" in lines[1]


def test_sizes_are_looked_at_first(tree, monkeypatch):
    weights = tree / "tree" / "good" / "mod.json"
    monkeypatch.setattr(release_tree, "MOST_WEIGHTS", 1000)
    with pytest.raises(ReleaseError, match="are read"):
        read_weights(weights)
    monkeypatch.setattr(release_tree, "MOST_WEIGHTS", 10**7)
    torch.save({"wide": torch.zeros(1).expand(10**9)}, weights)  # a few bytes that claim gigabytes
    with pytest.raises(ReleaseError, match="claim more"):
        read_weights(weights)
    with zipfile.ZipFile(weights, "w") as archive:
        archive.writestr("x", b"")
    with pytest.raises(ReleaseError, match="not one that torch wrote"):
        read_weights(weights)
    weights.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ReleaseError, match="no whole torch zip"):
        read_weights(weights)


def test_links_are_not_followed_and_names_are_plain(tree, tmp_path):
    (tree / "tree" / "link").symlink_to(tree / "tree" / "good")
    assert "link" not in {entry.name for entry in entries(tree / "tree")}
    assert {entry.lam for entry in entries(tree / "tree")} == {None, 2.0}


@pytest.mark.skipif(
    not AUTHORS.is_dir() or not FASHION.is_file(),
    reason="the release's files and Fashion-MNIST are not beside the project",
)
def test_the_authors_own_network_reaches_what_was_measured(tmp_path, capsys):
    assert main(["import", str(AUTHORS), "--dataset", str(FASHION), "--runs", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(m["name"], m["k"], m["n"], m["accuracy"]) for m in said["models"]] == [("lambd=0.5", 2, 2000, 0.902)]
    why = {each["name"]: each["why"] for each in said["skipped"]}
    assert "different runs" in why["lambd=1"]
    assert "no weights" in why["optimal"]
