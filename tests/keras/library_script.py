"""Every library loss, value and gradient, on whichever backend `KERAS_BACKEND` names; run by `test_backends.py`."""

from __future__ import annotations

import json
from typing import Any

import keras
from backends_script import slope
from library_cases import ONE_EACH, data_of

import lossdsl


def found(case: Any) -> dict[str, Any]:
    y_true, y_pred = data_of(case)
    true = y_true.astype("float32" if y_true.dtype.kind == "f" else "int32")
    pred = y_pred.astype("float32")
    loss = lossdsl.compile(case.name, **case.params)
    value = float(keras.ops.convert_to_numpy(loss(true, pred)))
    return {"name": str(case), "value": value, "slope": slope(loss, true, pred, None)}


if __name__ == "__main__":
    print("FOUND", json.dumps([found(case) for case in ONE_EACH]))
