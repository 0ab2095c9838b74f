"""The 32 losses that decided the rules (research F): each as a user would write it, against NumPy by hand."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from asking import codes, couples, data, probs, terms, value

T, P = probs(4, 5, 3, seed=1), probs(4, 5, 3, seed=2)
LABELS = np.array([0, 2, 1, 2])
SEQUENCE = np.random.default_rng(0).integers(0, 3, (4, 5))
HOT = np.eye(3)[LABELS]


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def check(text: str, true: np.ndarray, pred: np.ndarray, expected: object, **params: object) -> None:
    found = value(text, true, pred, params)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


# -- overlap ------------------------------------------------------------------------------------------------------


def test_dice() -> None:
    text = "1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))"
    check(text, T, P, 1 - 2 * (T * P).sum((1, 2)) / (T.sum((1, 2)) + P.sum((1, 2))))
    assert terms(text, (4, 5, 3)) == [("sample", 1)]


def test_dice_per_class() -> None:
    text = (
        "y_pred: prob[batch, *, classes]\no = sum(y_true * y_pred, axis=1)\n"
        "mean(1 - 2 * o / (sum(y_true, axis=1) + sum(y_pred, axis=1)))"
    )
    check(text, T, P, (1 - 2 * (T * P).sum(1) / (T.sum(1) + P.sum(1))).mean(-1))


def test_tversky() -> None:
    text = (
        "hit = sum(y_true * y_pred)\nmiss = sum(y_true * (1 - y_pred))\nfalse = sum((1 - y_true) * y_pred)\n"
        "1 - (hit + 1) / (hit + 0.7 * miss + 0.3 * false + 1)"
    )
    hit, miss, false = ((a * b).sum((1, 2)) for a, b in ((T, P), (T, 1 - P), (1 - T, P)))
    check(text, T, P, 1 - (hit + 1) / (hit + 0.7 * miss + 0.3 * false + 1))


GIOU = """
    y_true: float[batch, *, 4]
    y_pred: float[batch, *, 4]
    w = maximum(minimum(y_true[..., 2], y_pred[..., 2]) - maximum(y_true[..., 0], y_pred[..., 0]), 0)
    h = maximum(minimum(y_true[..., 3], y_pred[..., 3]) - maximum(y_true[..., 1], y_pred[..., 1]), 0)
    def area(b) = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    union = area(y_true) + area(y_pred) - w * h
    W = maximum(y_true[..., 2], y_pred[..., 2]) - minimum(y_true[..., 0], y_pred[..., 0])
    H = maximum(y_true[..., 3], y_pred[..., 3]) - minimum(y_true[..., 1], y_pred[..., 1])
    mean(1 - w * h / union + (W * H - union) / (W * H))
    """


def giou(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    low, high = np.maximum(t[..., :2], p[..., :2]), np.minimum(t[..., 2:], p[..., 2:])
    inner = np.maximum(high - low, 0).prod(-1)
    union = (t[..., 2:] - t[..., :2]).prod(-1) + (p[..., 2:] - p[..., :2]).prod(-1) - inner
    hull = (np.maximum(t[..., 2:], p[..., 2:]) - np.minimum(t[..., :2], p[..., :2])).prod(-1)
    return 1 - inner / union + (hull - union) / hull


def test_giou() -> None:
    """(B, 4) has nothing left to average, and means itself."""
    low, size = data(2, 4, 5, 2, seed=3), np.abs(data(2, 4, 5, 2, seed=4)) + 0.1
    t, p = np.concatenate([low, low + size], -1)
    check(GIOU, t, p, giou(t, p).mean(1))
    check(GIOU, t[:, 0], p[:, 0], giou(t[:, 0], p[:, 0]))


# -- metric learning ----------------------------------------------------------------------------------------------


def test_triplet_by_slices() -> None:
    text = "d = sum((y_pred[:, :1] - y_pred[:, 1:3])**2, axis=-1)\nrelu(d[:, 0] - d[:, 1] + 0.2)"
    p = data(4, 3, 6, seed=2)
    with pytest.raises(ValueError, match="never broadcast"):
        value(text, p, p)
    text = (
        "a = y_pred[:, 0]\nlike = sum((a - y_pred[:, 1])**2, axis=-1)\nother = sum((a - y_pred[:, 2])**2, axis=-1)\n"
        "relu(like - other + 0.2)"
    )
    like, other = ((p[:, 0] - p[:, 1]) ** 2).sum(-1), ((p[:, 0] - p[:, 2]) ** 2).sum(-1)
    check(text, p, p, np.maximum(like - other + 0.2, 0))


def test_supervised_contrast_by_labels() -> None:
    text = (
        "y_true: label[batch]\ny_pred: float[batch, f]\ns = sum(y_pred * pairs(y_pred), axis=f)\n"
        "same = y_true == pairs(y_true)\n-mean(log_softmax(s, axis=pairs), axis=pairs, where=same)"
    )
    p = data(4, 3, seed=2)
    logs, same = log_softmax(p @ p.T), LABELS[:, None] == LABELS
    check(text, LABELS, p, -(logs * same).sum(1) / same.sum(1))


def test_semi_hard_triplets_are_out() -> None:
    text = "y_pred: float[batch, f]\nd = norm(y_pred - pairs(y_pred), axis=f)\nmean(d - pairs(d))"
    assert codes(text) == ["pairs-of-pairs"]


def test_arcface() -> None:
    text = (
        "y_pred: float[batch, classes]\nangle = arccos(clip(y_pred, -0.999, 0.999))\nhot = one_hot(y_true, classes)\n"
        "-sum(hot * log_softmax(64 * where(hot == 1, cos(angle + 0.5), y_pred)))"
    )
    p = np.clip(data(4, 3, seed=2) / 2.1, -0.999, 0.999)
    moved = np.where(HOT == 1, np.cos(np.arccos(p) + 0.5), p)
    check(text, LABELS, p, -(HOT * log_softmax(64 * moved)).sum(1))


# -- one number for the batch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 3)])
def test_correlation_and_determination(shape: tuple[int, ...]) -> None:
    t, p = data(*shape, seed=1).reshape(6, -1), data(*shape, seed=2).reshape(6, -1)
    pearson = (
        "a = y_true - mean(y_true, axis=batch)\nb = y_pred - mean(y_pred, axis=batch)\n"
        "mean(1 - sum(a * b, axis=batch) / sqrt(sum(a**2, axis=batch) * sum(b**2, axis=batch)))"
    )
    each = [1 - np.corrcoef(t[:, k], p[:, k])[0, 1] for k in range(t.shape[1])]
    check(pearson, t.reshape(shape), p.reshape(shape), [np.mean(each)])
    r2 = "sum((y_true - y_pred)**2, axis=all) / sum((y_true - mean(y_true, axis=all))**2, axis=all)"
    check(r2, t.reshape(shape), p.reshape(shape), [((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum()])
    assert couples(pearson) == couples(r2) == "batch"


@pytest.mark.parametrize("shapes", [((6,), (6,)), ((6,), (6, 1)), ((6, 1), (6, 1))])
def test_concordance(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    t, p = data(6, seed=1), data(6, seed=2)
    text = (
        "mt = mean(y_true, axis=all)\nmp = mean(y_pred, axis=all)\n"
        "1 - 2 * mean((y_true - mt) * (y_pred - mp), axis=all)"
        " / (var(y_true, axis=all) + var(y_pred, axis=all) + (mt - mp)**2)"
    )
    covariance = ((t - t.mean()) * (p - p.mean())).mean()
    expected = [1 - 2 * covariance / (t.var() + p.var() + (t.mean() - p.mean()) ** 2)]
    check(text, t.reshape(shapes[0]), p.reshape(shapes[1]), expected)
    check("ccc(y_true, y_pred)", t.reshape(shapes[0]), p.reshape(shapes[1]), expected)


# -- ranking ------------------------------------------------------------------------------------------------------


def test_listnet() -> None:
    t, p = data(4, 5, seed=1), data(4, 5, seed=2)
    check("-sum(softmax(y_true) * log_softmax(y_pred))", t, p, -(np.exp(log_softmax(t)) * log_softmax(p)).sum(1))


def test_ranknet_on_a_list_does_not_go_over_the_batch() -> None:
    text = "d = y_pred - pairs(y_pred, axis=-1)\nmean(softplus(-d), where=y_true > pairs(y_true, axis=-1))"
    t, p = data(4, 5, seed=1), data(4, 5, seed=2)
    above = t[:, :, None] > t[:, None]
    check(text, t, p, (np.log1p(np.exp(p[:, None] - p[:, :, None])) * above).sum((1, 2)) / 10)
    assert couples(text) == "none"


def test_lists_of_different_lengths_by_where() -> None:
    text = (
        "inside = y_true >= 0\n-sum(xlogy(softmax(y_true, where=inside), softmax(y_pred, where=inside)), where=inside)"
    )
    t, p = np.abs(data(4, 5, seed=1)), data(4, 5, seed=2)
    for row, length in enumerate((5, 3, 1, 4)):
        t[row, length:] = -1
    expected = []
    for row, length in enumerate((5, 3, 1, 4)):
        expected.append(-(np.exp(log_softmax(t[row, :length])) * log_softmax(p[row, :length])).sum())
    np.testing.assert_allclose(value(text, t, p), expected, atol=1e-12)


# -- classification -----------------------------------------------------------------------------------------------


def test_cross_entropy_of_one_hot_and_of_sparse_labels() -> None:
    p = probs(4, 3, seed=2)
    expected = -np.log(p[np.arange(4), LABELS])
    check("-sum(y_true * log(y_pred))", HOT, p, expected)
    check("-sum(xlogy(y_true, y_pred), axis=-1)", HOT, p, expected)
    check("-log(take_along_axis(y_pred, y_true))", LABELS, p, expected)
    check("-log(take_along_axis(y_pred, y_true))", LABELS[:, None], p, expected)
    check("-sum(one_hot(y_true, 3) * log(y_pred))", LABELS[:, None], p, expected)


def test_smoothing_with_size() -> None:
    text = "t = (1 - 0.1) * y_true + 0.1 / size(y_true, axis=-1)\n-sum(t * log(y_pred), axis=-1)"
    check(text, HOT, P[:, 0], -((0.9 * HOT + 0.1 / 3) * np.log(P[:, 0])).sum(-1))


def test_soft_cross_entropy() -> None:
    text = "-(1 - eps) * sum(y_true * log(y_pred)) - eps * mean(log(y_pred))"
    logs = np.log(P[:, 0])
    check(text, HOT, P[:, 0], -0.9 * (HOT * logs).sum(-1) - 0.1 * logs.mean(-1), eps=0.1)
    assert terms(text, (4, 3), eps=0.1) == [("sum", 2), ("mean", 2)]


def test_masked_cross_entropy_as_a_ratio() -> None:
    text = (
        "y_true: label[batch, time]\ny_pred: logits[batch, time, classes]\nm = y_true >= 0\n"
        "ce = -take_along_axis(log_softmax(y_pred), where(m, y_true, 0))\nsum(m * ce, axis=1) / sum(m, axis=-1)"
    )
    t, p = np.where(np.arange(5) < [[5], [2], [3], [1]], SEQUENCE, -1), data(4, 5, 3, seed=2)
    ce = -np.take_along_axis(log_softmax(p), np.maximum(t, 0)[..., None], -1)[..., 0]
    check(text, t, p, ((t >= 0) * ce).sum(1) / (t >= 0).sum(1))


def test_distillation_with_temperature() -> None:
    text = "t = softmax(y_true / tau)\ntau**2 * sum(t * (log(t) - log_softmax(y_pred / tau)))"
    a, b = log_softmax(data(4, 3, seed=1) / 3), log_softmax(data(4, 3, seed=2) / 3)
    check(text, data(4, 3, seed=1), data(4, 3, seed=2), 9 * (np.exp(a) * (a - b)).sum(1), tau=3)


def test_focal_per_class() -> None:
    text = (
        "y_pred: prob[batch, *, classes]\nalpha: float[classes]\ngamma: float = 2.0\n"
        "-sum(alpha * y_true * (1 - y_pred)**gamma * log(y_pred), axis=classes)"
    )
    alpha = np.array([0.2, 0.3, 0.5])
    check(text, HOT, P[:, 0], -(alpha * HOT * (1 - P[:, 0]) ** 2 * np.log(P[:, 0])).sum(-1), alpha=alpha.tolist())
    check(text, T, P, -(alpha * T * (1 - P) ** 2 * np.log(P)).sum(-1), alpha=alpha.tolist())
    assert codes(text, (4, 3), alpha=[0.2, 0.3]) == ["shapes-differ"]


def test_class_weights_by_take() -> None:
    text = "take(w, y_true) * -take_along_axis(log_softmax(y_pred), y_true)"
    p = data(4, 3, seed=2)
    check(text, LABELS, p, np.array([1, 2, 5])[LABELS] * -log_softmax(p)[np.arange(4), LABELS], w=[1, 2, 5])


# -- regression ---------------------------------------------------------------------------------------------------


def test_huber_by_if() -> None:
    text = "e = abs(y_true - y_pred)\nmean(e**2 / 2 if e <= delta else delta * (e - delta / 2))"
    e = np.abs(T - P)
    check(text, T, P, np.where(e <= 0.1, e**2 / 2, 0.1 * (e - 0.05)).mean((1, 2)), delta=0.1)


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((4,), (4, 1)), ((4, 1), (4, 1))])
def test_mse_of_one_number_per_sample(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    t, p = np.array([0.0, 1, 2, 3]), np.array([1.0, 3, 2, 7])
    check("mean((y_true - y_pred)**2, axis=-1)", t.reshape(shapes[0]), p.reshape(shapes[1]), [1, 4, 0, 16])
    check("mse(y_true, y_pred)", t.reshape(shapes[0]), p.reshape(shapes[1]), [1, 4, 0, 16])


def test_heteroscedastic_regression() -> None:
    text = "0.5 * mean(exp(-y_pred[..., 1]) * (y_true - y_pred[..., 0])**2 + y_pred[..., 1])"
    t, p = data(4, 1, seed=1), data(4, 2, seed=2)
    check(text, t, p, 0.5 * (np.exp(-p[:, 1]) * (t[:, 0] - p[:, 0]) ** 2 + p[:, 1]))
    assert codes(text, (4, 5), (4, 2)) == codes(text, (4, 2), (4, 2)) == ["rank-differs"]


@pytest.mark.parametrize("true", [(4,), (4, 1)])
def test_quantiles(true: tuple[int, ...]) -> None:
    text = "y_true: float[batch]\ne = y_true - y_pred\nsum(maximum(taus * e, (taus - 1) * e))"
    taus = np.array([0.1, 0.5, 0.9])
    t, p = data(4, 1, seed=1), data(4, 3, seed=2)
    check(text, t.reshape(true), p, np.maximum(taus * (t - p), (taus - 1) * (t - p)).sum(1), taus=taus.tolist())


@pytest.mark.parametrize("true", [(4,), (4, 1)])
def test_a_mixture_of_densities(true: tuple[int, ...]) -> None:
    text = """
        y_true: float[batch]
        y_pred: float[batch, 9]
        logit = y_pred[..., 0:3]
        mu = y_pred[..., 3:6]
        s = y_pred[..., 6:9]
        -logsumexp(log_softmax(logit) - s - 0.5 * log(2 * pi) - 0.5 * ((y_true - mu) / exp(s))**2, axis=-1)
        """
    t, p = data(4, 1, seed=1), data(4, 9, seed=2)
    logit, mu, s = p[:, :3], p[:, 3:6], p[:, 6:]
    each = log_softmax(logit) - s - 0.5 * np.log(2 * pi) - 0.5 * ((t - mu) / np.exp(s)) ** 2
    check(text, t.reshape(true), p, -np.log(np.exp(each).sum(1)))


def test_weights_per_time_step() -> None:
    text = "y_pred: float[batch, time, f]\nw: float[time]\nmean(w * (y_true - y_pred)**2)"
    w = np.arange(1.0, 6)
    check(text, T, P, (w[:, None] * (T - P) ** 2).mean((1, 2)), w=w.tolist())


def test_total_variation() -> None:
    text = "mean(abs(y_pred[:, 1:] - y_pred[:, :-1])) + mean(abs(y_pred[:, :, 1:] - y_pred[:, :, :-1]))"
    p = data(4, 5, 6, 2, seed=2)
    down, across = np.abs(np.diff(p, axis=1)), np.abs(np.diff(p, axis=2))
    check(text, p, p, down.mean((1, 2, 3)) + across.mean((1, 2, 3)))


def test_detection_after_yolo() -> None:
    text = """
        y_true: float[batch, cells, 5]
        y_pred: float[batch, cells, 5]
        there = y_true[..., 0]
        box = sum((y_true[..., 1:] - y_pred[..., 1:])**2, axis=-1)
        sure = (y_true[..., 0] - y_pred[..., 0])**2
        5 * sum(there * box) + sum(there * sure) + 0.5 * sum((1 - there) * sure)
        """
    t, p = data(4, 6, 5, seed=1), data(4, 6, 5, seed=2)
    t[..., 0] = t[..., 0] > 0
    box, sure = ((t - p)[..., 1:] ** 2).sum(-1), (t - p)[..., 0] ** 2
    there = t[..., 0]
    check(text, t, p, 5 * (there * box).sum(1) + (there * sure).sum(1) + 0.5 * ((1 - there) * sure).sum(1))
    assert terms(text, (4, 6, 5)) == [("sum", 2)] * 3


@pytest.mark.parametrize(
    "text", ["mean(reshape(y_pred, (2, 3)))", "mean(conv(y_true, y_pred))", "mean(einsum(y_pred))"]
)
def test_what_the_language_has_not(text: str) -> None:
    assert "unknown-function" in codes(text)
