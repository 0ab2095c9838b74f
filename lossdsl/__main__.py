"""`python -m lossdsl` and the command `lossdsl`."""

from __future__ import annotations

from lossdsl.cli import main

if __name__ == "__main__":
    main()
