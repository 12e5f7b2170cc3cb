"""The look at who may do what here: EDGENES_MODE, EDGENES_OPERATORS and the sign-in."""

from __future__ import annotations

import os
from pathlib import Path

from edgenes_core.access import OPERATORS, read_access
from edgenes_core.findings import FaultError, Look, Place, RemarkError
from edgenes_core.sign_in import read_secrets

FILE = Path(".streamlit") / "secrets.toml"


def access(place: Place) -> str:
    """Settings that cannot be read close an instance; a sign-in that cannot work lets nobody in."""
    found, way = read_access(os.environ), read_secrets(Path.home() / FILE, Path.cwd() / FILE)
    if fault := found.fault or way.fault:
        raise FaultError(fault)
    if way.providers and not found.operators:
        raise RemarkError(f"{OPERATORS} lists nobody, so all who sign in only look")
    return f"{found.mode.value}, {'sign-in by ' + ', '.join(way.providers) if way.providers else 'no sign-in'}"


LOOKS = (Look("access", access, "Set it up as docs/classroom.md says."),)
