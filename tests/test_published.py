"""The thesis preset: every difference from what was published is named, and what settings can take back runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from edgenes_core.alpha import beta_rule
from edgenes_core.before_run import build_config
from edgenes_core.cli import main, parser
from edgenes_core.config import PRESETS, DartsConfig, HypernetConfig
from edgenes_core.data import load_dataset
from edgenes_core.published import CORRECTED, DISCREPANCIES, PUBLISHED, as_published, preset
from edgenes_core.run_records import build_space
from edgenes_core.schema import ConfigError, to_dict
from edgenes_core.search.darts import search_cell
from edgenes_core.search.edgenes import train_hypernet

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "thesis-preset.md"


def flat(record: dict, before: str = "") -> dict[str, object]:
    """Nested settings by dotted name."""
    found: dict[str, object] = {}
    for name, value in record.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


def test_as_published_changes_what_it_names_and_nothing_else():
    here, there = flat(to_dict(preset(CORRECTED))), flat(to_dict(preset(CORRECTED, published=True)))
    named = {name: value for found in DISCREPANCIES for name, value in found.settings}
    assert {name for name in here if here[name] != there[name]} == {*named, "preset"}
    assert all(there[name] == value for name, value in named.items())
    assert there["preset"] == PUBLISHED


def test_only_the_thesis_has_a_published_form():
    for name in set(PRESETS) - {CORRECTED}:
        with pytest.raises(ConfigError, match="as-published"):
            preset(name, published=True)
    with pytest.raises(ConfigError, match="as-published"):
        as_published(preset(CORRECTED, published=True))


def test_the_document_and_the_command_name_every_difference(capsys):
    document = DOCUMENT.read_text()
    assert main(["presets", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["presets"]) == set(PRESETS)
    assert [d["about"] for d in said["discrepancies"]] == [d.about for d in DISCREPANCIES]
    for found in DISCREPANCIES:
        values = "; ".join(f"`{name} = {value}`" for name, value in found.settings) or "not reproduced"
        assert f"| {found.about} | {found.release} | {found.preset} | {values} |" in document


def test_the_run_records_that_it_is_as_published():
    options = parser().parse_args(["pipeline", "--preset", "thesis", "--as-published", "--set", "darts.steps=7"])
    config = build_config(options)
    assert config.preset == PUBLISHED
    assert config.darts.steps == 7
    assert config.hypernet.interpolation == "swapped"
    with pytest.raises(ConfigError, match="--preset thesis"):
        build_config(parser().parse_args(["pipeline", "--as-published"]))


SMALL_DARTS, SMALL_MAP = (
    DartsConfig(steps=2, channels=4, batch=16, frozen=0.0),
    HypernetConfig(steps=2, polish_steps=2, batch=16),
)
VARIANTS = {
    "as it is": ({}, {}),
    "second order": ({"order": 2}, {}),
    "no noise": ({"noise": "none"}, {"noise": "none"}),
    "sgd": ({"optimizer": "sgd"}, {"optimizer": "sgd"}),
    "constant rate": ({"schedule": "constant"}, {"schedule": "constant"}),
    "second order sgd": ({"order": 2, "optimizer": "sgd"}, {}),
}


def finished(steps, losses=None):
    """Take all steps; their result, their training losses into `losses`."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if losses is not None:
            losses.append(event.values.get("train_loss"))


def trained(darts: DartsConfig, hypernet: HypernetConfig) -> list[float]:
    """All losses of a short search and a short training of the map."""
    data, space, generator = (
        load_dataset("digits"),
        build_space(PRESETS["quick"].space),
        torch.Generator().manual_seed(0),
    )
    losses: list[float] = []
    base = finished(search_cell(space, data, darts, generator), losses)
    finished(train_hypernet(space, data, base, hypernet, generator), losses)
    return losses


def test_every_choice_is_deterministic_and_makes_a_difference():
    """Each new setting really reaches its loop: the same twice, and different losses from every other choice."""
    found = {}
    for name, (darts, hypernet) in VARIANTS.items():
        configs = dataclasses.replace(SMALL_DARTS, **darts), dataclasses.replace(SMALL_MAP, **hypernet)
        found[name] = trained(*configs)
    assert found[name] == trained(*configs)
    assert len({tuple(losses) for losses in found.values()}) == len(VARIANTS)


def test_the_releases_rule_reads_the_inputs_by_beta_alone():
    data, space = load_dataset("digits"), build_space(PRESETS["quick"].space)
    config = dataclasses.replace(SMALL_DARTS, rule="beta")
    result = finished(search_cell(space, data, config, torch.Generator().manual_seed(0)))
    assert result.architecture == beta_rule(space, result.logits)
