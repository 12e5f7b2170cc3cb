"""`make audit`: every pinned package looked up among the known vulnerabilities of PyPI's advisories, with pip-audit.

exit 0  all packages were looked up, none has a known vulnerability
exit 1  some have; each is named with the versions that mend it
exit 2  the advisories could not be asked about all of them (no network, or an index that has none): nothing is known then
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", "requirements-auth.txt", "requirements-dev.txt", "requirements-audit.txt")
SHOWN = 5
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


def main() -> int:
    files = [option for name in FILES for option in ("-r", str(ROOT / name))]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip_audit",
            "--no-deps",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "-f",
            "json",
            *files,
        ],
        capture_output=True,
        text=True,
    )
    status, text = verdict(done.stdout, done.stderr)
    print(text, file=sys.stderr if status else sys.stdout)
    return status


def verdict(output: str, errors: str) -> tuple[int, str]:
    """Exit status and what to say about pip-audit's JSON, or about its last words where it has none."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["it said nothing"])[-1][:300]
        return (
            UNKNOWN,
            f"The advisories cannot be asked: is there a network? Nothing is known about the packages. ({last})",
        )
    found = [f"{p['name']} {p['version']}: {_named(v)}" for p in packages for v in p.get("vulns", ())]
    if found:
        return VULNERABLE, "Known vulnerabilities:\n" + "\n".join(found)
    if unasked := [p["name"] for p in packages if "skip_reason" in p] or (["any package"] if not packages else []):
        more = f" and {len(unasked) - SHOWN} more" if len(unasked) > SHOWN else ""
        return UNKNOWN, (
            f"No known vulnerability in {len(packages) - len(unasked)} packages, but the advisories have no answer about "
            f"{', '.join(unasked[:SHOWN])}{more}: is pypi.org reached, or a mirror without advisories?"
        )
    return CLEAN, f"No known vulnerability in {len(packages)} packages."


def _named(vulnerability: dict[str, Any]) -> str:
    mended = ", ".join(vulnerability.get("fix_versions", ())) or "no version yet"
    return f"{', '.join([vulnerability['id'], *vulnerability.get('aliases', ())])}; mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
