"""What is decided before a run: its config from the command line, the presets to choose from, the time it will take."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edgenes_core.catalogue import KNOWN
from edgenes_core.config import PRESETS, PipelineConfig
from edgenes_core.estimate import Estimate, shape_of
from edgenes_core.estimate import estimate as put_together
from edgenes_core.progress import duration
from edgenes_core.published import DISCREPANCIES, preset
from edgenes_core.reply import Reply
from edgenes_core.schema import ConfigError, assign, from_dict, to_dict


def build_config(options: argparse.Namespace) -> PipelineConfig:
    """Preset, then the named options, then --set; ConfigError names what is out of range or unknown."""
    data = to_dict(preset(options.preset, options.as_published))
    dataset = options.dataset if options.dataset in KNOWN else str(Path(options.dataset).resolve())
    data |= {"dataset": dataset, "seed": options.seed}
    settings = list(options.set)
    if options.inputs_per_node is not None:
        settings.insert(0, f"space.inputs_per_node={options.inputs_per_node}")
    if options.cells is not None:
        settings.insert(0, f'space.cells="{options.cells}"')
        if "+" in options.cells:
            settings = ["darts.layers=2", "retrain.layers=2", *settings]
    for setting in settings:
        change(data, setting)
    return from_dict(PipelineConfig, data)


def presets(options: argparse.Namespace) -> Reply:
    """All presets, and where the thesis's differs from what was published."""
    lines = [f"{name:9} {summary(config)}" for name, config in PRESETS.items()]
    lines += ["", "thesis against what was published; * marks what --as-published takes back to the release:"]
    for found in DISCREPANCIES:
        lines += [f"{'*' if found.reproduced else ' '} {found.about}", f"    release: {found.release}"]
        lines.append(f"    here:    {found.preset}")
    data = {name: to_dict(config) for name, config in PRESETS.items()}
    differences = [to_dict(found) | {"reproduced": found.reproduced} for found in DISCREPANCIES]
    return Reply({"presets": data, "discrepancies": differences}, "\n".join(lines))


def summary(config: PipelineConfig) -> str:
    """What a preset means, in one line."""
    e, seeds = config.ensemble, "1 seed" if config.ensemble.seeds == 1 else f"{config.ensemble.seeds} seeds"
    return (
        f"{config.darts.steps} steps for α*, {config.hypernet.steps} for the hypernetwork; {e.pool} candidates along λ with "
        f"{seeds} each, retrained for {config.retrain.epochs} epochs; ensembles of {e.size}."
    )


def estimate(options: argparse.Namespace) -> Reply:
    """Time a few steps on this machine and say how long the run will take; `--config -` reads a config as JSON."""
    from edgenes_core.calibration import measure
    from edgenes_core.device import keep_freed_memory
    from edgenes_core.executors import default_workers

    keep_freed_memory()  # as the run itself does
    config = build_config(options) if options.config is None else read_config(options.config)
    shape = shape_of(config.dataset)
    timing = measure(config, shape, options.device)
    workers = default_workers() if options.workers is None else options.workers
    found = put_together(config, shape, timing, workers, default_workers())
    data = {"estimate": to_dict(found), "timing": to_dict(timing), "shape": to_dict(shape)}
    threads = "1 thread" if timing.threads == 1 else f"{timing.threads} threads"
    step = f"a search step takes {1e3 * timing.search_step:.0f} ms with {threads} on {timing.device}"
    return Reply(data, f"{spoken(found)}\n{table(found)}\n{step}")


def spoken(found: Estimate) -> str:
    """The range in words."""
    low, high = duration(found.low), duration(found.high)
    return f"between {low} and {high}, {found.networks} networks at most on {found.workers} workers"


def table(found: Estimate) -> str:
    """Seconds of each stage alone, as they were put together."""
    return "\n".join(f"  {stage:9} {duration(seconds)}" for stage, seconds in found.stages.items())


def read_config(source: str) -> PipelineConfig:
    """A config from a JSON file, or from standard input if `source` is '-'; ConfigError if it does not fit."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
        data = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"Cannot read a config from {source}: {error}. Give a JSON file, or - for the input."
        ) from None
    return from_dict(PipelineConfig, data.get("config", data) if isinstance(data, dict) else data)


def change(data: dict[str, Any], setting: str) -> None:
    """`NAME=VALUE` of --set on a config's plain values: the value as JSON, else as text."""
    name, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"--set needs NAME=VALUE with a known name such as darts.steps, got {setting[:60]!r}.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    assign(data, name, value)
