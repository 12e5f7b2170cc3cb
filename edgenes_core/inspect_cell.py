"""`inspect`: one cell looked at by hand, whether the run has trained it or not."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture, ArchitectureError, shared_edges
from edgenes_core.encodings import OperationPath, operation_paths
from edgenes_core.records import Evaluation
from edgenes_core.reply import Reply
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.schema import to_dict
from edgenes_core.storage import StorageError

if TYPE_CHECKING:
    from edgenes_core.feature_maps import FeatureMaps
    from edgenes_core.one_shot import Probe

KEY = re.compile(r"[0-9a-f]{12}")


def inspect(options: argparse.Namespace) -> Reply:
    """Key, shared edges, parameters, paths and one-shot score; with --image, the maps of a validation image at every node."""
    from edgenes_core.one_shot import load_probe, one_shot

    run = RunStore(options.runs).open(options.run)
    cell, base = find_cell(run, options.cell), run.base().architecture
    run.space.encode(cell)
    probe = load_probe(run)
    shared, weights, paths = shared_edges(cell, base), network_parameters(run, cell), operation_paths(cell)
    score = one_shot(probe, cell)
    data: dict[str, Any] = {
        "key": cell.key,
        "shared": shared,
        "parameters": weights,
        "paths": [path._asdict() for path in paths],
        "one_shot": to_dict(score),
    }
    lines = [
        f"cell {cell.key}: {shared} of {run.space.lambda_max} edges shared with α* ({base.key})",
        f"{weights:,} parameters when this run retrains it",
        *map(_path_line, paths),
        _score_line(score),
    ]
    if options.image is not None:
        maps = _maps(probe, cell, options.image)
        data["maps"] = _summary(maps)
        lines += _map_lines(maps)
    return Reply(data, "\n".join(lines))


def find_cell(run: Run, reference: str) -> Architecture:
    """A cell of the run by its key, else the cell in a JSON file; ArchitectureError if there is neither."""
    if KEY.fullmatch(reference):
        cells = known_cells(run)
        if reference not in cells:
            raise ArchitectureError(
                f"Run {run.id} has no cell {reference} among the {len(cells)} that it stores; give the cell as a JSON file."
            )
        return cells[reference]
    try:
        return Architecture.from_json(Path(reference).read_bytes())
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ArchitectureError(
            f"--cell needs a key of 12 hex digits or a JSON file with a cell, got {reference[:60]!r}: {reason}."
        ) from None


def known_cells(run: Run) -> dict[str, Architecture]:
    """Every cell that the run stores, by key: on the map, planned or imported, on the λ path, α*. What is missing adds none."""
    readers = (
        lambda: [Architecture.from_json(str(text)) for text in run.embedding()["architectures"]],
        lambda: [training.architecture for training in run.trainings()],
        lambda: [interval.architecture for interval in run.lambda_path().intervals],
        lambda: [run.base().architecture],
    )
    cells: dict[str, Architecture] = {}
    for read in readers:
        try:
            cells.update({cell.key: cell for cell in read()})
        except (EdgeNESError, LookupError):
            continue
    return cells


def network_parameters(run: Run, architecture: Architecture) -> int:
    """Trained numbers of the cell's network with this run's images and settings; StorageError before the run read its images."""
    from edgenes_core.parameters import parameter_count

    dataset, config = run.manifest.dataset, run.config.retrain
    if not dataset:
        raise StorageError(
            f"Run {run.id} has not read its images yet, and a network's size depends on them; resume it."
        )
    return parameter_count(architecture, dataset["image"][0], len(dataset["classes"]), config.channels, config.layers)


def _maps(probe: Probe, cell: Architecture, image: int) -> FeatureMaps:
    """From the cell's first retrained network if there is one, else with the supernet's weights."""
    from edgenes_core.feature_maps import supernet_maps, trained_maps, with_weights

    trained = with_weights(probe.run, cell)
    return trained_maps(probe, trained[0], image) if trained else supernet_maps(probe, cell, image)


def _summary(maps: FeatureMaps) -> dict[str, Any]:
    layers = [
        {
            "cell": layer.kind,
            "nodes": [
                {
                    "node": n,
                    "shape": list(v.shape),
                    "low": float(v.min()),
                    "mean": float(v.mean()),
                    "high": float(v.max()),
                }
                for n, v in enumerate(layer.nodes)
            ],
        }
        for layer in maps.layers
    ]
    return {
        "source": maps.source,
        "split": "val",
        "image": maps.image,
        "class": maps.classes[maps.label],
        "probabilities": maps.probabilities.tolist(),
        "layers": layers,
    }


def _path_line(path: OperationPath) -> str:
    times = f"  (× {path.times})" if path.times > 1 else ""
    return f"  {path.cell:6} input {path.source} → {' → '.join(path.operations)} → out{times}"


def _score_line(score: Evaluation) -> str:
    return (
        f"one-shot score (supernet weights, {score.split} n = {score.n}): accuracy {100 * score.accuracy:.2f} %, "
        f"NLL {score.nll:.4f}"
    )


def _map_lines(maps: FeatureMaps) -> list[str]:
    best = int(maps.probabilities.argmax())
    lines = [
        f"validation image {maps.image} (class {maps.classes[maps.label]}) with {maps.source}: "
        f"predicted {maps.classes[best]}, {100 * maps.probabilities[best]:.1f} %"
    ]
    for index, layer in enumerate(maps.layers):
        for node, v in enumerate(layer.nodes):
            size = " × ".join(map(str, v.shape))
            lines.append(
                f"  layer {index + 1} node {node}: {size} maps, {v.min():.2f} to {v.max():.2f}, mean {v.mean():.2f}"
            )
    return lines
