"""Library losses against PyTorch's own, by values that `record_torch.py` wrote down; torch itself is not needed."""

from __future__ import annotations

import importlib
import json
from typing import Any

import numpy as np
import pytest
from case import call, loss
from graph_oracle import Driven
from record_torch import FILE

from lossdsl import library

ENTRIES = [entry for family in library.FAMILIES for entry in getattr(importlib.import_module(family), "TORCH", [])]
RECORDED = json.loads(FILE.read_text("utf-8"))["losses"]


def test_the_record_is_current() -> None:
    assert [(found["name"], found["params"]) for found in RECORDED] == [
        (name, params) for name, _, _, params in ENTRIES
    ]


@pytest.mark.parametrize(("entry", "recorded"), list(zip(ENTRIES, RECORDED, strict=False)), ids=[e[0] for e in ENTRIES])
def test_as_torch(entry: Any, recorded: Any) -> None:
    name, _, data, params = entry
    y_true, y_pred = data()
    np.testing.assert_allclose(loss(name, y_true, y_pred, **params), recorded["values"], rtol=1e-6, atol=1e-8)
    shown = np.zeros(np.shape(y_pred)) if y_true is None else y_true
    found = Driven(call(name, **params), shown, y_pred).gradient("y_pred", ones=True)
    np.testing.assert_allclose(found, recorded["gradient"], rtol=1e-5, atol=1e-7)
