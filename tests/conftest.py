"""Settings of all tests: frameworks quiet, on the CPU, and away from the user's own Keras settings."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="lossdsl-keras-")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew from today's code")
