"""What could be wrong with this machine and its runs, each with how to mend it: `python -m edgenes_core doctor`."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgenes_core import doctor_access, doctor_folders, doctor_machine
from edgenes_core.findings import Check, Place
from edgenes_core.reply import Reply
from edgenes_core.schema import to_dict

LOOKS = (*doctor_machine.LOOKS, *doctor_folders.LOOKS, *doctor_access.LOOKS)


def examine(place: Place) -> list[Check]:
    """Every look, in order; one that fails does not keep the others from looking."""
    return [look.check(place) for look in LOOKS]


def doctor(options: argparse.Namespace) -> Reply:
    """Exit status 1 if anything is a fault."""
    checks = examine(Place(Path(options.runs), options.port, options.cluster or ""))
    return Reply(
        {"checks": [to_dict(c) for c in checks]}, "\n".join(map(spoken, checks)), int(not all(c.ok for c in checks))
    )


def spoken(check: Check) -> str:
    """A line for what was found, and one for what to do about it."""
    word = "FAIL" if not check.ok else "note" if check.mend else "ok  "
    return f"{word} {check.name}: {check.finding}" + (f"\n     → {check.mend}" if check.mend else "")
