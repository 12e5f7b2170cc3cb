"""A run's supernet and validation images, loaded once per process when a page first needs them (torch comes with them)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.records import Evaluation
from edgenes_core.run_folder import Run
from pages.widgets import data

if TYPE_CHECKING:
    from edgenes_core.feature_maps import FeatureMaps
    from edgenes_core.one_shot import Probe


def probe_of(run: Run) -> Probe:
    """The run opened for looking inside; EdgeNESError if its supernet or its images are not to be had."""
    return _probe(str(run.path), _stamp(run))


def one_shot_of(run: Run, cell: Architecture) -> Evaluation:
    """The cell judged by the supernet on validation images."""
    return _one_shot(str(run.path), _stamp(run), cell.to_json())


def parameters_of(run: Run, cell: Architecture) -> int:
    """Weights of the network that would be retrained for this cell."""
    return _parameters(str(run.path), data.stamp(run, "run.json"), cell.to_json())


def maps_of(run: Run, cell: Architecture, training_id: str, image: int) -> FeatureMaps:
    """Feature maps of one image: of a retrained network, or with an empty id those of the supernet."""
    return _maps(str(run.path), _stamp(run) + data.networks_stamp(run), cell.to_json(), training_id, image)


def _stamp(run: Run) -> data.Stamp:
    return data.stamp(run, "run.json", "supernet.safetensors", "targets.npz")


@st.cache_resource(max_entries=2, show_spinner="Loading the run's images and its supernet (once)…")
def _probe(folder: str, stamp: data.Stamp) -> Probe:
    import torch

    from edgenes_core.one_shot import load_probe

    torch.set_num_threads(1)  # the page serves others too, and perhaps a job trains beside it
    return load_probe(Run(Path(folder)))


@st.cache_data(max_entries=512, show_spinner="Judging the cell…")
def _one_shot(folder: str, stamp: data.Stamp, cell: str) -> Evaluation:
    from edgenes_core.one_shot import one_shot

    return one_shot(_probe(folder, stamp), Architecture.from_json(cell))


@st.cache_data(max_entries=512, show_spinner=False)
def _parameters(folder: str, stamp: data.Stamp, cell: str) -> int:
    from edgenes_core.inspect_cell import network_parameters

    return network_parameters(Run(Path(folder)), Architecture.from_json(cell))


@st.cache_resource(max_entries=32, show_spinner="Sending the image through the network…")
def _maps(folder: str, stamp: data.Stamp, cell: str, training_id: str, image: int) -> FeatureMaps:
    from edgenes_core.feature_maps import supernet_maps, trained_maps, with_weights

    run, architecture = Run(Path(folder)), Architecture.from_json(cell)
    probe = probe_of(run)
    for training in with_weights(run, architecture):
        if training.id == training_id:
            return trained_maps(probe, training, image)
    return supernet_maps(probe, architecture, image)
