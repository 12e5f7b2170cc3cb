"""Studies that come with the project: complete, small, readable anywhere, and as large as the README says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from edgenes_core import storage
from edgenes_core.architecture import shared_edges
from edgenes_core.run_records import build_space
from edgenes_core.search import load_samples
from edgenes_core.study import STUDIES
from edgenes_core.study.by_shared import QUALITIES, networks, strata
from edgenes_core.study.folder import Study
from edgenes_core.study.store import BUNDLED, StudyStore, is_bundled

NAMES = ("digits-ablations", "digits-census", "digits-methods", "fashion", "fashion-census")
MOST_BYTES = 10_000_000
PLACE = re.compile(
    r"(^|[\s=:\"'])(~|\.\.?|[A-Za-z]:)?[/\\]\w"
)  # a path that begins at a root, a home or a folder above


def texts(value: Any) -> Iterator[str]:
    """Every word in a JSON file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from texts(each)


@pytest.fixture(params=NAMES)
def study(request, tmp_path) -> Study:
    found = StudyStore(tmp_path).open(request.param)
    assert is_bundled(found)
    return found


def test_all_are_there_and_small(tmp_path):
    assert tuple(study.id for study in StudyStore(tmp_path).list()) == NAMES
    files = [file for file in BUNDLED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    assert {file.suffix for file in files} <= {".json", ".npz", ".md"}, "no weights and no looks"


def test_a_study_is_whole(study):
    repeats, damaged = study.repeats()
    assert damaged == []
    assert study.missing() == []
    assert len(repeats) == len(study.config.arms) * study.config.seeds
    for repeat in repeats:
        assert repeat.val.shape == (len(repeat.candidates), len(study.y), len(study.classes))
        assert min(repeat.seconds) > 0
        space = build_space(study.config.base.space)
        assert all(space.contains(candidate.architecture) for candidate in repeat.candidates)
        samples, config = load_samples(repeat.arm.searcher), study.config.config(repeat.arm, repeat.seed)
        assert repeat.search.samples == samples(space, config, **repeat.arm.keywords())


def test_no_study_was_looked_at(study):
    assert study.looks() == ()


def test_a_study_says_how_it_was_made_and_names_no_place_on_a_disk(study):
    assert study.about["command"].startswith("python -m edgenes_core study ")
    assert re.fullmatch(r"[0-9a-f]{40}\+?", study.about["commit"]), "with + the tree had changes"
    for file in study.path.rglob("*.json"):
        named = [text for text in texts(storage.read_json(file)) if PLACE.search(text)]
        assert named == [], file


@pytest.mark.parametrize("text", ["/root/x.npz", "study --dataset /data/x", "~/x", "C:\\data", "../x", "--a='/b c'"])
def test_such_places_would_be_seen(text):
    assert PLACE.search(text)


def test_the_studies_of_digits_are_those_that_the_command_line_makes(tmp_path):
    for name in ("methods", "ablations", "census"):
        assert StudyStore(tmp_path).open(f"digits-{name}").config == STUDIES[name]


@pytest.mark.parametrize("name", ["digits-census", "fashion-census"])
@pytest.mark.parametrize("metric", QUALITIES)
def test_a_census_has_cells_at_every_distance(tmp_path, name, metric):
    study = StudyStore(tmp_path).open(name)
    rows, top = strata(study, ["census"], metric), build_space(study.config.base.space).lambda_max
    assert [row.shared for row in rows] == list(range(top + 1))
    assert {row.n for row in rows} == {5}
    for row in rows:
        assert row.lo < row.value < row.hi


def test_a_census_of_digits_has_five_cells_of_three_seeds_at_each_distance(tmp_path):
    study = StudyStore(tmp_path).open("digits-census")
    top, found = build_space(study.config.base.space).lambda_max, networks(study, ["census"])
    for shared in range(top):
        here = [each for each in found if each.shared == shared]
        cells = {(each.seed, each.cell) for each in here}
        assert len(cells) >= 5
        assert {sum((each.seed, each.cell) == cell for each in here) for cell in cells} == {3}


@pytest.mark.parametrize("name", ["digits-census", "fashion-census"])
def test_lambda_of_a_census_is_what_its_cells_share_with_the_first(tmp_path, name):
    for repeat in StudyStore(tmp_path).open(name).repeats()[0]:
        base = repeat.candidates[0].architecture
        shared = [shared_edges(candidate.architecture, base) for candidate in repeat.candidates]
        np.testing.assert_array_equal([candidate.lam for candidate in repeat.candidates], shared)


def test_the_readme_beside_them_says_what_they_are(study):
    (line,) = [
        line for line in (BUNDLED / "README.md").read_text().splitlines() if line.startswith(f"| `{study.id}` |")
    ]
    repeats, size = study.repeats()[0], sum(file.stat().st_size for file in study.path.rglob("*") if file.is_file())
    networks_ = sum(len(repeat.seconds) for repeat in repeats)
    about, (device,) = study.about, {repeat.device for repeat in repeats}
    commit = about["commit"][:7] + "+" * about["commit"].endswith("+")
    python = ".".join(about["versions"]["python"].split(".")[:2])
    assert f"| {len(study.config.arms)} | {networks_} | {len(study.y)} | `{about['command']}` | {commit} |" in line
    assert f"| Python {python}, torch {about['versions']['torch']} | {device.replace('cpu', 'CPU')}, " in line
    assert line.endswith(f"| {size / 1e6:.1f} MB |")
