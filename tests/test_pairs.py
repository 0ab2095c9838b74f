"""Pairs: the samples, or the entries of a list, once more on an axis of their own; and what dead samples do there."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, couples, data, value

from lossdsl.backends import reference
from lossdsl.checked import analyse
from lossdsl.errors import LossError

T, P = data(5, 3, seed=1), data(5, 3, seed=2)
CLASSES = np.array([0, 1, 0, 1, 1])
Z = P / np.sqrt((P**2).sum(1, keepdims=True))


def lse(x: np.ndarray, where: np.ndarray) -> np.ndarray:
    """log of the sum of exponentials over the second axis, of the entries that count."""
    return np.log((np.exp(x) * where).sum(1))


# -- what `pairs` is ----------------------------------------------------------------------------------------------


def test_every_difference_of_two_samples() -> None:
    difference = P[:, None] - P[None]
    for text, expected in {
        "mean(abs(y_pred - pairs(y_pred)))": np.abs(difference).mean((1, 2)),
        "mean(abs(y_pred - pairs(y_pred)), axis=pairs)": np.abs(difference).mean(1),
        "mean(abs(y_pred - pairs(y_pred)), axis=1)": np.abs(difference).mean(1),
        "max(norm(y_pred - pairs(y_pred), axis=-1), axis=pairs)": np.sqrt((difference**2).sum(-1)).max(1),
        "sum(y_true * pairs(y_pred), axis=(1, 2))": (T[:, None] * P[None]).sum((1, 2)),
        "mean(pairs(y_pred) * y_true, axis=pairs)": T * P.mean(0),
        "mean(abs(y_pred - pairs(y_pred)), axis=all)": [np.abs(difference).mean()],
    }.items():
        np.testing.assert_allclose(value(text, T, P), expected)


def test_a_sample_is_a_pair_with_itself_too() -> None:
    assert value("mean(min(abs(y_pred - pairs(y_pred)), axis=pairs))", T, P).tolist() == [0] * 5


def test_not_itself_by_index() -> None:
    other = ~np.eye(5, dtype=bool)
    distance = np.abs(P[:, 0][:, None] - P[:, 0])
    text = (
        "y_pred: float[batch, f]\nd = abs(y_pred[..., 0] - pairs(y_pred[..., 0]))\n"
        "i = index(y_pred, axis=batch)\n{}(d, axis=pairs, where=i != pairs(i))"
    )
    np.testing.assert_allclose(value(text.format("min"), T, P), np.where(other, distance, np.inf).min(1))
    np.testing.assert_allclose(value(text.format("mean"), T, P), distance.sum(1) / 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mean(pairs(pairs(y_pred)))", "pairs-of-pairs"),
        ("mean(pairs(y_pred - pairs(y_pred)))", "pairs-of-pairs"),
        ("mean(pairs(pairs(y_pred, axis=-1), axis=batch))", "pairs-of-pairs"),
        ("mean(abs(y_pred - pairs(y_pred)), axis=-1)", "pairs-left-standing"),
        ("y_pred * pairs(y_pred)", "pairs-left-standing"),
        ("mean(y_pred, axis=pairs)", "axis-absent"),
        ("mean(pairs(y_pred, axis=(0, 1)))", "one-axis-only"),
        ("mean(y_pred * pairs(index(y_pred)))", "axis-absent"),
        ("mean(y_pred * pairs(mean(y_pred, axis=-1), axis=-1))", "axis-already-reduced"),
    ],
)
def test_pairs_that_are_refused(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_pairs_along_a_list() -> None:
    """RankNet on (B, L): the pairs are of one sample's entries, and no sample knows of another."""
    further = T[:, :, None] > T[:, None, :]
    losses = np.log1p(np.exp(-(P[:, :, None] - P[:, None, :])))
    expected = (losses * further).sum((1, 2)) / further.sum((1, 2))
    declared = "y_pred: float[batch, list]\n"
    for axis, shapes in {"list": declared, "-1": "", "1": declared}.items():
        text = (
            f"{shapes}mean(softplus(-(y_pred - pairs(y_pred, axis={axis}))), where=y_true > pairs(y_true, axis={axis}))"
        )
        np.testing.assert_allclose(value(text, T, P), expected)
        assert couples(text) == "none"


def test_pairs_of_samples_and_of_entries_are_apart() -> None:
    text = "mean(abs(y_pred - pairs(y_pred)), axis=pairs) * sum(y_pred * pairs(y_true, axis=-1), axis=2)"
    expected = np.abs(P[:, None] - P[None]).mean(1) * (P[:, :, None] * T[:, None, :]).sum(2)
    np.testing.assert_allclose(value(text, T, P), expected)


# -- losses over pairs --------------------------------------------------------------------------------------------


def test_nt_xent() -> None:
    text = (
        "z = normalize(y_pred)\ni = index(z, axis=batch)\ns = sum(z * pairs(z), axis=-1) / 0.5\n"
        "positive = sum(z * normalize(y_true), axis=-1) / 0.5\nlogsumexp(s, axis=pairs, where=i != pairs(i)) - positive"
    )
    other = ~np.eye(5, dtype=bool)
    unit = T / np.sqrt((T**2).sum(1, keepdims=True))
    np.testing.assert_allclose(value(text, T, P), lse(Z @ Z.T / 0.5, other) - (Z * unit).sum(1) / 0.5)
    assert couples(text) == "rows"


def test_supervised_contrastive_with_not_self_by_index() -> None:
    text = (
        "y_true: label[batch]\ny_pred: float[batch, f]\nz = normalize(y_pred)\ni = index(y_true, axis=batch)\n"
        "other = i != pairs(i)\nalike = other and y_true == pairs(y_true)\ns = sum(z * pairs(z), axis=f) / 0.1\n"
        "-mean(s - logsumexp(s, axis=pairs, where=other), axis=pairs, where=alike)"
    )
    other = ~np.eye(5, dtype=bool)
    alike = other & (CLASSES[:, None] == CLASSES)
    s = Z @ Z.T / 0.1
    logs = s - lse(s, other)[:, None]
    np.testing.assert_allclose(value(text, CLASSES, P), -(logs * alike).sum(1) / alike.sum(1))
    np.testing.assert_allclose(value("supcon(y_true, y_pred)", CLASSES, P), -(logs * alike).sum(1) / alike.sum(1))


def test_batch_hard_triplets() -> None:
    text = (
        "y_true: label[batch]\ny_pred: float[batch, f]\nd = sum((y_pred - pairs(y_pred))**2, axis=f)\n"
        "same = y_true == pairs(y_true)\n"
        "relu(max(d, axis=pairs, where=same) - min(d, axis=pairs, where=not same) + 0.2)"
    )
    d = ((P[:, None] - P[None]) ** 2).sum(-1)
    same = CLASSES[:, None] == CLASSES
    far, near = np.where(same, d, -np.inf).max(1), np.where(same, np.inf, d).min(1)
    np.testing.assert_allclose(value(text, CLASSES, P), np.maximum(far - near + 0.2, 0))


def test_barlow_twins_by_contraction() -> None:
    text = (
        "a = (y_true - mean(y_true, axis=batch)) / std(y_true, axis=batch)\n"
        "b = (y_pred - mean(y_pred, axis=batch)) / std(y_pred, axis=batch)\n"
        "c = mean(a * pairs(b, axis=-1), axis=batch)\ni = index(y_pred)\n"
        "sum(where(i == pairs(i, axis=-1), (1 - c)**2, 0.005 * c**2))"
    )
    a, b = (T - T.mean(0)) / T.std(0), (P - P.mean(0)) / P.std(0)
    c = a.T @ b / 5
    expected = ((1 - np.diag(c)) ** 2).sum() + 0.005 * ((c**2).sum() - (np.diag(c) ** 2).sum())
    found = value(text, T, P)
    assert found.shape == (1,)
    np.testing.assert_allclose(found, [expected])
    assert couples(text) == "batch"


def test_covariance() -> None:
    """VICReg's: the entries of the covariance matrix off the diagonal."""
    text = (
        "z = y_pred - mean(y_pred, axis=batch)\nc = sum(z * pairs(z, axis=-1), axis=batch) / (batch - 1)\ni = index(z)\n"
        "sum(c**2, where=i != pairs(i, axis=-1)) / size(z, axis=-1)"
    )
    c = np.cov(P.T)
    np.testing.assert_allclose(value(text, T, P), [((c**2).sum() - (np.diag(c) ** 2).sum()) / 3])


def test_semi_hard_and_gram_along_a_list() -> None:
    p = data(4, 6, 3, seed=2)
    gram = np.einsum("bij,bik->bjk", p, p)
    np.testing.assert_allclose(
        value("sum(sum(y_pred * pairs(y_pred, axis=2), axis=1)**2)", p, p), (gram**2).sum((1, 2))
    )


def test_a_product_of_pairs_is_never_laid_out() -> None:
    """Research B8: `sum(z * pairs(z), axis=-1)` would take B * B * D numbers; it is one contraction."""
    for text in (
        "z = normalize(y_pred)\nmean(sum(z * pairs(z), axis=-1), axis=pairs)",
        "sum(mean(y_pred * pairs(y_pred, axis=-1), axis=batch)**2)",
    ):
        program = analyse(text).program((2048, 256), (2048, 256))
        assert "ops.einsum" in program.source
        largest = max(
            np.prod([a.size.value({"y_pred.0": 2048, "y_pred.1": 256}) for a in n.type.full]) for n in program.nodes
        )
        assert largest <= 2048 * 2048


def test_pairs_of_a_large_batch_are_refused_before_they_are_made() -> None:
    assert codes("mean(abs(y_pred - pairs(y_pred)))", (100_000, 8)) == ["tensor-too-large"]
    assert codes("mean(abs(y_pred - pairs(y_pred)), axis=all)", (100_000,)) == ["tensor-too-large"]


# -- samples that do not count ------------------------------------------------------------------------------------

COUPLED = (
    "mean(abs(y_pred - pairs(y_pred)))",
    "sum(abs(y_pred - pairs(y_pred)))",
    "max(norm(y_pred - pairs(y_pred), axis=-1), axis=pairs)",
    "mean((y_pred - mean(y_pred, axis=batch))**2)",
    "mean(abs(y_pred - y_true) / std(y_pred, axis=batch))",
    "sum(y_pred, axis=batch) / batch * mean(y_true)",
    "mean(y_pred) * size(y_pred, axis=batch)",
    "mean(y_pred) * mean(size(y_pred - pairs(y_pred), axis=pairs) + 0 * y_pred, axis=batch)",
    "logsumexp(sum(y_true * pairs(y_pred), axis=-1), axis=pairs)",
    "min(y_pred, axis=all) + prod(y_pred, axis=all) + norm(y_pred, axis=all) + var(y_pred, axis=all)",
    "sum(mean(y_pred * pairs(y_true, axis=-1), axis=batch)**2)",
    "mean(abs(y_pred - pairs(y_pred)), axis=all)",
    "sum(softmax(sum(y_true * pairs(y_pred), axis=-1), axis=pairs) * pairs(mean(y_pred)), axis=pairs)",
    "mean(abs(y_pred - pairs(y_pred)), where=y_true > 0)",
    "ccc(y_true, y_pred)",
    "info_nce(y_true, y_pred)",
)  # fmt: skip


@pytest.mark.parametrize("text", COUPLED)
def test_a_dead_sample_is_as_though_absent(text: str) -> None:
    alive = np.array([True, False, True, True, False])
    t, p = T.copy(), P.copy()
    t[~alive], p[~alive] = 0.5, 0.5
    elaborated = analyse(text).program(t.shape, p.shape, alive=True).elaborated
    assert elaborated.root is not None
    found = reference.evaluate(
        elaborated.root, elaborated.builder.layout.ids, {"y_true": t, "y_pred": p, "alive": alive}
    )
    expected = value(text, T[alive], P[alive])
    np.testing.assert_allclose(found if len(found) == 1 else found[alive], expected)


@pytest.mark.parametrize(
    "function", ["sort(y_pred, axis=0)", "cumsum(y_pred, axis=batch)", "normalize(y_pred, axis=0)"]
)
def test_what_goes_along_the_samples_can_leave_none_out(function: str) -> None:
    checked = analyse(f"mean({function} * y_true)")
    with pytest.raises(LossError, match="none can be left out"):
        checked.program((4, 3), (4, 3), alive=True)
