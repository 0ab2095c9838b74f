"""Reads hostile formulas from standard input and says, a line each, what became of them and what they cost.

A process of its own, so that a formula that took the machine down would take this process and no other: the kernel
stops it at a minute of work or 4 GB.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time

from lossdsl import api
from lossdsl.backends.load import vet
from lossdsl.budgets import limits
from lossdsl.checked import Checked, analyse
from lossdsl.errors import LossError

ORDINARY = "y_pred: prob[batch, *]\nmean(binary_crossentropy(y_true, y_pred)) + 0.1 * dice(y_true, y_pred)"


def compiled(checked: Checked) -> None:
    """Everything that a compiler does: the code of value and gradient, and the report."""
    program = checked.display()
    vet(program.source)
    joint = program.joint_source()
    if joint is not None:
        vet(joint[0])


def outcome(case: dict[str, object]) -> dict[str, object]:
    """The codes and the place of the errors, `[]` for a formula that compiled, or the name of any other exception."""
    changed = limits(**case["limits"]) if case["limits"] else contextlib.nullcontext()
    try:
        with changed:
            checked = analyse(case["text"], case["params"])
            if case["shapes"]:
                checked.program(*case["shapes"])
            else:
                compiled(checked)
        return {"codes": [], "at": [None], "shown": "", "nodes": len(checked.elaborated.builder.graph.nodes)}
    except LossError as error:
        spans = [d.span for d in error.diagnostics]
        at = [[s.source.name, s.start, s.stop, s.text[:200]] if s else None for s in spans]
        return {"codes": [d.code for d in error.diagnostics], "at": at, "shown": str(error)}
    except Exception as error:  # what a hostile text must never get out of us
        return {"codes": [f"{type(error).__name__}: {error}"], "at": [None], "shown": ""}


def main() -> None:
    """Answer every case, after an ordinary one has loaded all there is to load."""
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
    compiled(analyse(ORDINARY))
    api.check("mean(y_ture) + reduce_mean(y_pred)")
    usual = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for line in sys.stdin:
        case = json.loads(line)
        started = time.process_time()
        found = outcome(case)
        found["seconds"] = time.process_time() - started
        found["megabytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - usual) / 1024
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
