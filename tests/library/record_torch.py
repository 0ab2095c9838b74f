"""Write `torch.json` anew: what PyTorch's own losses give on our samples. Needs the extra `oracles`.

python tests/library/record_torch.py
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
FILE = HERE / "torch.json"


def record(name: str, function: Any, data: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The values of one loss, one per sample or one for the batch, and the gradient of their sum."""
    import torch

    y_true, y_pred = data()
    pred = torch.tensor(np.asarray(y_pred), dtype=torch.float64, requires_grad=True)
    values = function(torch, None if y_true is None else torch.tensor(np.asarray(y_true)), pred)
    values.sum().backward()
    assert pred.grad is not None
    return {
        "name": name,
        "params": params,
        "values": values.detach().reshape(-1).tolist(),
        "gradient": pred.grad.tolist(),
    }


def main() -> None:
    import torch

    from lossdsl import library

    found = [
        record(*entry) for family in library.FAMILIES for entry in getattr(importlib.import_module(family), "TORCH", [])
    ]
    lines = ",\n".join(json.dumps(entry) for entry in found)
    FILE.write_text(f'{{"torch": "{torch.__version__}", "losses": [\n{lines}\n]}}\n', "utf-8")
    print(f"{len(found)} losses of torch {torch.__version__}")


if __name__ == "__main__":
    sys.path += [str(HERE), str(HERE.parent)]
    main()
