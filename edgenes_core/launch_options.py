"""How a run's worker is started, kept beside the run: its turn in the queue and Resume then start it the same way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgenes_core import storage
from edgenes_core.executors import MAX_WORKERS, cluster_address
from edgenes_core.processes import DEVICES
from edgenes_core.schema import ConfigError, chosen, from_dict, to_dict, validate

FILE = "launch.json"


@dataclass(frozen=True)
class LaunchOptions:
    """`workers` None: one per core; `cluster` empty: no cluster, else the address of a Dask scheduler."""

    workers: int | None = None
    device: str = chosen("auto", DEVICES, "of the searches, and of trainings that no cluster does")
    cluster: str = ""

    def __post_init__(self) -> None:
        validate(self)
        whole = isinstance(self.workers, int) and not isinstance(self.workers, bool)
        if self.workers is not None and not (whole and 1 <= self.workers <= MAX_WORKERS):
            raise ConfigError(f"The number of workers lies between 1 and {MAX_WORKERS}, got {self.workers!r}.")
        if not isinstance(self.cluster, str):
            raise ConfigError(f"cluster must be an address, got {type(self.cluster).__name__}.")
        if self.cluster:
            cluster_address(self.cluster)

    def words(self) -> list[str]:
        """The options of `pipeline` and `resume` that say the same."""
        found = [] if self.workers is None else ["--workers", str(self.workers)]
        found += [] if self.device == "auto" else ["--device", self.device]
        return [*found, "--cluster", self.cluster] if self.cluster else found


def keep(run: Path, options: LaunchOptions) -> None:
    """Store the options with a run."""
    storage.write_json(run / FILE, to_dict(options))


def kept(run: Path) -> LaunchOptions:
    """Those stored with a run, else the defaults; StorageError if the file is damaged, ConfigError if a value is none."""
    return from_dict(LaunchOptions, storage.read_json(run / FILE)) if (run / FILE).exists() else LaunchOptions()
