"""`python -m edgenes_core`."""

import os

# Before torch is loaded: idle threads sleep instead of spinning, which on a busy machine made steps ten times as slow.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from edgenes_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
