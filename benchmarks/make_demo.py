"""Train the bundled run anew: `pipeline --preset standard` on digits, seed 0, then copied to assets/demo.

Takes a few minutes on two cores. The command, seed, versions and commit are in assets/demo/run.json.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

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
LIMIT = 5_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(COMMAND, cwd=ROOT, check=True, env={**os.environ, "EDGENES_RUNS": folder})
        (run,) = Path(folder).iterdir()
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
