"""`python -m lossdsl` and the command `lossdsl`."""

from __future__ import annotations

import gc

# A sixth of the start is the collector looking through modules that all stay: it waits until they are there.
gc.disable()
from lossdsl.cli import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
