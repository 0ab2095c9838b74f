"""Every row of the operation table, held to its own claims."""

from __future__ import annotations

import pytest

from laws import LAWS
from lossdsl.ops import INTERNAL, OPERATORS, OPS
from lossdsl.ops.op import Op

ROWS = [*OPS.values(), *INTERNAL.values()]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_row(op: Op, law) -> None:
    law(op)
