"""Train the bundled run anew: `pipeline --preset standard` on digits, seed 0, then copied to assets/demo.

Its selected ensemble and DeepEns, which α* alone is part of, then predict corrupted and foreign validation images with the command
`shift`: severities 1, 3 and 5 of the validation corruptions, noise and shuffled pixels, 0.7 MB of float32.
Takes a few minutes on two cores. The command, seed, versions and commit are in assets/demo/run.json.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from edgenes_core.corruptions import VALIDATION_CORRUPTIONS
from edgenes_core.shifted import STAND_INS

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [
    sys.executable,
    "-m",
    "edgenes_core",
    "pipeline",
    "--dataset",
    "digits",
    "--preset",
    "standard",
    "--seed",
    "0",
]
SHIFTED = ("selected", "deepens")
LIMIT = 5_000_000


def shift(run: Path) -> None:
    """Predict shifted images with the networks of SHIFTED; nothing is printed, so nothing is looked at."""
    for name in SHIFTED:
        members = json.loads((run / "ensembles" / f"{name}.json").read_text())["members"]
        words = [
            "--keys",
            ",".join(members),
            "--corruptions",
            ",".join(VALIDATION_CORRUPTIONS),
            "--severities",
            "1,3,5",
        ]
        words += ["--outside", ",".join(STAND_INS), "--store", "val"]
        subprocess.run([*COMMAND[:3], "shift", str(run), *words], cwd=ROOT, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(COMMAND, cwd=ROOT, check=True, env={**os.environ, "EDGENES_RUNS": folder})
        (run,) = Path(folder).iterdir()
        shift(run)
        for name in ("lock", "pid"):
            (run / name).unlink(missing_ok=True)
        size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
        if size > LIMIT:
            raise SystemExit(f"The bundled run must stay under {LIMIT} bytes, this one has {size}.")
        demo = ROOT / "assets" / "demo"
        shutil.rmtree(demo, ignore_errors=True)
        shutil.copytree(run, demo)
        print(f"assets/demo: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
