"""Whether a loss may be computed from the logits of its probabilities: only where that makes nothing infinite.

With logits, what keeps a logarithm from 0 is left out. Where more is made of that logarithm, as its root, it may have
kept something else from 0, or from infinity: such a loss stays on the probabilities.
"""

from __future__ import annotations

from lossdsl.analysis.finite import MOST_ENTRIES, Finite
from lossdsl.analysis.forms import Forms
from lossdsl.analysis.variants import variants
from lossdsl.checked import Checked
from lossdsl.interval import LARGEST, UNIT, Interval
from lossdsl.ir.node import reachable
from lossdsl.precision import precision
from lossdsl.program import Form
from lossdsl.proof import FAR, entries_in, forms_of, inputs

FEWEST = {"sigmoid": MOST_ENTRIES.lo, "softmax": 2.0}
"""How many entries axes of unknown size have at least: of one entry a softmax is 1, whatever its logits are."""


def stays_finite(checked: Checked, activation: str, dtype: str = "float32", strict: bool | float = False) -> bool:
    """Whether value and gradient of a loss of a type are proved on logits where they are on the probabilities.

    Logits are taken to be up to FAR in size, and so are undeclared labels, or up to what `strict` asks for.
    """
    kind = precision(dtype)
    plain, instead = (list(forms_of(checked, of)) for of in (None, activation))
    if len(instead) < len(plain):
        return False
    known, fewest = checked.display().elaborated.constraints, FEWEST[activation]
    far = min(FAR, kind.largest)
    size = min(max(far, LARGEST if strict is True else strict), kind.largest)

    def is_finite(name: str, form: Form, on_logits: bool) -> bool:
        given = inputs(checked, size, kind)
        given["y_pred"] = Interval(-far, far) if on_logits else given["y_pred"].meet(UNIT) or UNIT
        roots = variants(form.builder, form.roots[0], kind.computed)
        forms = Forms(reachable(roots), Interval(fewest, entries_in(form.builder).hi), known)
        stored = kind.computing if name == "value" else kind
        return not Finite(roots, given, forms, min(stored.largest, LARGEST)).dangers

    pairs = zip(plain, instead, strict=True)
    return all(
        is_finite(name, after, True) or not is_finite(name, before, False) for (name, before), (_, after) in pairs
    )
