"""What `doctor` looks with: one look at one thing, and what it may find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NamedTuple

from edgenes_core import EdgeNESError

PORT = 8501  # where the app listens unless it is told otherwise


class Place(NamedTuple):
    """What is examined: the folder of runs, the port of the app, and a cluster's address if one is asked about."""

    runs: Path
    port: int = PORT
    cluster: str = ""


@dataclass(frozen=True)
class Check:
    """One finding; `ok` is False if the app or a run would suffer. `mend` says what to do, also about what is no fault."""

    name: str
    ok: bool
    finding: str
    mend: str = ""


class FaultError(EdgeNESError):
    """What a look found to be wrong."""


class RemarkError(EdgeNESError):
    """What is no fault, but can be better."""


class Look(NamedTuple):
    """`find` says what is there, or raises FaultError, RemarkError or what it stumbles on; `mend` is the way out then."""

    name: str
    find: Callable[[Place], str]
    mend: str

    def check(self, place: Place) -> Check:
        try:
            return Check(self.name, True, self.find(place))
        except RemarkError as remark:
            return Check(self.name, True, str(remark), self.mend)
        except (EdgeNESError, PackageNotFoundError, OSError, ImportError, RuntimeError) as error:
            return Check(self.name, False, str(error) or type(error).__name__, self.mend)
