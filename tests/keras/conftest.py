"""The tests that need Keras: marked so, left out of collection where they are not wanted, and seeded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Even collecting these files imports Keras, which takes seconds."""
    if "not keras" in config.option.markexpr and collection_path.is_relative_to(HERE):
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("keras")


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    import keras

    keras.utils.set_random_seed(7)
    yield
    keras.config.set_epsilon(1e-7)
