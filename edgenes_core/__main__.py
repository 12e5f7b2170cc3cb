"""`python -m edgenes_core`."""

from edgenes_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
