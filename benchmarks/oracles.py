"""The oracles of the tests, which stand beside the benchmarks: mpmath, nothing of the compiler's own numbers."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path.extend(str(folder) for folder in (TESTS, TESTS / "library"))

import plain  # noqa: E402
from case import Case, call  # noqa: E402
from graph_oracle import fitted, value  # noqa: E402

__all__ = ["Case", "call", "fitted", "plain", "value"]
