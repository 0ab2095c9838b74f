"""Whether a loss may be computed from the logits of its probabilities: only where that makes nothing infinite.

With logits, what keeps a logarithm from 0 is left out. Where more is made of that logarithm, as its root, it may have
kept something else from 0, or from infinity: such a loss stays on the probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lossdsl.analysis.finite import Finite
from lossdsl.analysis.forms import Forms
from lossdsl.analysis.variants import variants
from lossdsl.checked import Checked
from lossdsl.guards import NoGradientError
from lossdsl.interval import UNIT, Interval
from lossdsl.ir.axes import Constraint
from lossdsl.ir.node import reachable
from lossdsl.precision import FLOAT32
from lossdsl.program import Form
from lossdsl.proof import FAR, entries_in, inputs

SEVERAL = 2.0
"""No axis is taken to be shorter: of one entry a softmax is 1, whatever its logits are."""


def stays_finite(checked: Checked, activation: str) -> bool:
    """Whether value and gradient are proved on logits, up to FAR in size, where they are on the probabilities."""
    given = inputs(checked, FAR)
    probabilities = {**given, "y_pred": given["y_pred"].meet(UNIT) or UNIT}
    logits = {**given, "y_pred": Interval(-FAR, FAR)}
    plain, instead = checked.display(), checked.display(activation)
    pairs = zip(_forms(plain.form, checked), _forms(instead.form, checked), strict=False)
    known = plain.elaborated.constraints
    return all(_is_finite(b, logits, known) or not _is_finite(a, probabilities, known) for a, b in pairs)


def _forms(form: Form, checked: Checked) -> Iterator[Form]:
    yield form
    if not checked.meaning.measure:
        try:
            yield form.gradient(0, "y_pred")
        except NoGradientError:
            return


def _is_finite(form: Form, given: Mapping[str, Interval], known: Sequence[Constraint]) -> bool:
    roots = variants(form.builder, form.roots[0], FLOAT32.computed)
    forms = Forms(reachable(roots), Interval(SEVERAL, entries_in(form.builder).hi), known)
    return not Finite(roots, given, forms).dangers
