"""The dependency audit: what it says, and that silence is never taken for good news."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from audit import CLEAN, UNKNOWN, VULNERABLE, verdict

ROOT = Path(__file__).parents[1]
GOOD = {"name": "numpy", "version": "2.4.6", "vulns": []}
BAD = {"name": "x", "version": "1.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.13.0)"}


@pytest.mark.parametrize(
    ("output", "errors", "status", "said"),
    [
        ([GOOD, GOOD], "", CLEAN, "in 2 packages"),
        ([GOOD, BAD, SKIPPED], "", VULNERABLE, "x 1.0: PYSEC-1, CVE-1; mended in 1.1"),
        ([GOOD, *[SKIPPED] * 7], "", UNKNOWN, "torch, torch, torch, torch, torch and 2 more"),
        ([], "", UNKNOWN, "any package"),
        (None, "Traceback\nConnectionError: Failed to resolve 'pypi.org'", UNKNOWN, "is there a network?"),
        (None, "", UNKNOWN, "it said nothing"),
    ],
)
def test_the_verdict(output, errors, status, said):
    found, text = verdict("" if output is None else json.dumps({"dependencies": output}), errors)
    assert found == status
    assert said in text


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-auth.txt", "requirements-dev.txt", "requirements-audit.txt"]
)
def test_every_requirement_is_pinned_exactly_and_once(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    names = [line.split("==")[0].lower().replace("_", "-") for line in lines]
    assert len(set(names)) == len(names)


def test_what_two_files_pin_they_pin_alike():
    found: dict[str, set[str]] = {}
    for file in ROOT.glob("requirements*.txt"):
        for name, version in re.findall(r"^([\w.-]+)==(\S+)$", file.read_text(), re.MULTILINE):
            found.setdefault(name.lower().replace("_", "-"), set()).add(version)
    assert all(len(versions) == 1 for versions in found.values()), found
