"""The map stage: cells placed by every distance in a worker, and the same again for a run that is finished.

embedding.npz   keys architectures role lam shared count     the cells, row by row
                pca mds umap   jsd_pca jsd_mds jsd_umap      their maps by edits and by soft JSD
                disagreement_keys  disagreement_umap …       maps of the cells with networks, where they are enough
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from edgenes_core import jobs, tasks
from edgenes_core.cell_distances import CELL_DISTANCES, DISTANCES, columns_of, predicting_cells
from edgenes_core.cell_map import METHODS, NEIGHBOURS, stored_name
from edgenes_core.executors import WorkerError, local_executor
from edgenes_core.planning import embedded_cells
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from edgenes_core.storage import StorageError

Maps = dict[str, np.ndarray]


def submit_maps(run: Run, executor: Executor) -> Future[Maps]:
    """Place the cells of a run by what is known before its networks are trained."""
    cells = embedded_cells(run)
    measured = [measure(run, cells) for measure in CELL_DISTANCES.values()]
    return executor.submit(tasks.embed_cells, measured, run.config.seed, run.config.umap)


def save_maps(run: Run, executor: Executor, submitted: Future[Maps] | None = None) -> None:
    """Store the maps submitted earlier, or now, with those by what the networks predict."""
    cells = embedded_cells(run)
    maps = (submitted or submit_maps(run, executor)).result()
    if maps["keys"].tolist() != [cell.key for cell in cells]:  # a network was imported meanwhile
        maps = submit_maps(run, executor).result()
    predicting = predicting_cells(score_networks(run), run.space.lambda_max)
    if len(predicting.cells) > NEIGHBOURS:
        maps |= executor.submit(tasks.embed_cells, [predicting], run.config.seed, run.config.umap).result()
    run.save_embedding(**columns_of(cells), **maps)


def make_again(run: Run) -> tuple[str, ...]:
    """Make the maps of a finished run again, cells with imported predictions among them; nothing else is touched. Their names."""
    if not run.has("embed"):
        raise StorageError(
            f"Run {run.id} has not finished, and its maps come last; finish it with: python -m edgenes_core resume {run.id}"
        )
    try:
        with jobs.hold(run), local_executor(1) as executor:
            save_maps(run, executor)
    except BrokenProcessPool:
        raise WorkerError(
            f"The process that draws maps of {run.id} died (out of memory, or killed); the old maps stay. Try once more."
        ) from None
    stored = run.embedding()
    names = (stored_name(distance, method) for distance in DISTANCES for method in METHODS)
    return tuple(name for name in names if name in stored)
