"""Oracles and claims of the family: masks and images."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from case import Case, Claim, between, case, convex, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from plain import held, per_sample
from samples import Pair, bits, bits_logits, numbers, one_hot
from segmentation_images import (
    active_contour,
    dssim,
    edge_aware_smoothness,
    gradient_difference,
    gram_style,
    image_and_map,
    images,
    only_images,
    psnr,
    sobel_edge,
    ssim,
    total_variation,
)
from segmentation_shared import average, each_sample

# -- data --------------------------------------------------------------------------------------------------


def masks() -> Pair:
    """Bits instead of the true values."""
    true, pred = images()
    return np.round(true), pred


def maps() -> Pair:
    """Class masks of an image of 3 by 4; in the last sample the last class is absent."""
    random = np.random.default_rng(52)
    labels = random.integers(0, 3, size=(3, 3, 4))
    labels[0], labels[-1] = np.minimum(labels[0], 2), np.minimum(labels[-1], 1)
    return np.eye(3)[labels], random.dirichlet(np.ones(3), size=(3, 3, 4))


def rows_of_pixels() -> Pair:
    """In the last sample the last class is absent."""
    true, pred = maps()
    return true.reshape(3, 12, 3), pred.reshape(3, 12, 3)


def row_logits() -> Pair:
    """Bits and logits of rows of pixels; the last row has no hits."""
    random = np.random.default_rng(53)
    true = random.integers(0, 2, size=(4, 7)) * 1.0
    true[-1] = 0
    return true, 1.5 * random.normal(size=(4, 7))


def signed_distances(positions: tuple[int, ...] = ()) -> Pair:
    return numbers(positions)[0], bits(positions)[1]


def masks_with_distances(positions: tuple[int, ...] = ()) -> Pair:
    """A mask (a probability) and a distance in the last axis."""
    true, pred = bits((*positions, 3))
    far = np.random.default_rng(54).uniform(0.2, 3, size=(2, *true.shape[:-1]))
    return np.stack([true[..., 0], far[0]], axis=-1), np.stack([pred[..., 0], far[1]], axis=-1)


# -- overlaps ----------------------------------------------------------------------------------------------


def confusion(t: Any, p: Any) -> tuple[Any, Any, Any]:
    """Of each sample: what was hit, false alarms, what was missed."""
    axes = tuple(range(1, t.ndim))
    return np.sum(t * p, axis=axes), np.sum((1 - t) * p, axis=axes), np.sum(t * (1 - p), axis=axes)


def tversky(t: Any, p: Any, alpha: float = 0.5, beta: float = 0.5, smooth: float = 0.0) -> Any:
    hits, false_alarms, missed = confusion(t, p)
    return 1 - (hits + smooth) / (hits + alpha * false_alarms + beta * missed + smooth)


def focal_tversky(t: Any, p: Any, gamma: float, **params: float) -> Any:
    return tversky(t, p, **params) ** (1 / gamma)


def dice(t: Any, p: Any, smooth: float = 0.0) -> Any:
    hits, false_alarms, missed = confusion(t, p)
    return 1 - (2 * hits + smooth) / (2 * hits + false_alarms + missed + smooth)


def jaccard(t: Any, p: Any, smooth: float = 0.0) -> Any:
    hits, false_alarms, missed = confusion(t, p)
    return 1 - (hits + smooth) / (hits + false_alarms + missed + smooth)


def set_dice(t: Any, p: Any, smooth: float = 0.0) -> Any:
    """Twice what two lists have in common, by the size of both."""
    hits = mp.fsum(a * b for a, b in zip(t, p, strict=True))
    return (2 * hits + smooth) / (mp.fsum(t) + mp.fsum(p) + smooth)


@each_sample
def squared_dice(t: Any, p: Any, smooth: float = 0.0) -> Any:
    error, total = mp.fsum((a - b) ** 2 for a, b in zip(t, p, strict=True)), mp.fsum(a**2 for a in t + p)
    return error / (total + smooth)


def batch_dice(t: Any, p: Any, smooth: float = 0.0) -> Any:
    return 1 - set_dice(t.reshape(-1), p.reshape(-1), smooth)


def generalized_dice(t: Any, p: Any) -> Any:
    def one(t: Any, p: Any) -> Any:
        sizes = [np.sum(t[..., k]) for k in range(t.shape[-1])]
        weights = [1 / (size if size else min(s for s in sizes if s)) ** 2 for size in sizes]
        common = sum(w * np.sum(t[..., k] * p[..., k]) for k, w in enumerate(weights))
        return 1 - 2 * common / sum(w * np.sum(t[..., k] + p[..., k]) for k, w in enumerate(weights))

    return np.array([one(*pair) for pair in zip(t, p, strict=True)])


@each_sample
def log_cosh_dice(t: Any, p: Any, smooth: float = 0.0) -> Any:
    lost = 1 - set_dice(t, p, smooth)
    return mp.log((mp.exp(lost) + mp.exp(-lost)) / 2)


@each_sample
def power_jaccard(true: Any, pred: Any, p: float, smooth: float = 0.0) -> Any:
    common = mp.fsum(a * b for a, b in zip(true, pred, strict=True))
    return 1 - (common + smooth) / (mp.fsum(a**p for a in true + pred) - common + smooth)


def entropy(y: Any, p: Any, positive: Any = 1, negative: Any = 1) -> Any:
    """The cross-entropy of a bit; each side has a weight."""
    return -positive * mp.log(p) if y == 1 else -negative * mp.log(1 - p)


@each_sample
def combo(t: Any, p: Any, alpha: float, beta: float, smooth: float) -> Any:
    crossentropy = average(entropy(y, q, beta, 1 - beta) for y, q in zip(t, p, strict=True))
    return alpha * crossentropy - (1 - alpha) * set_dice(t, p, smooth)


@each_sample
def bce_dice(t: Any, p: Any, weight: float, smooth: float, from_logits: bool = False) -> Any:
    p = [1 / (1 + mp.exp(-z)) for z in p] if from_logits else p
    return average(map(entropy, t, p)) + weight * (1 - set_dice(t, p, smooth))


@each_sample
def bce_jaccard(
    t: Any, p: Any, weight: float, smooth: float, log_jaccard: bool = False, from_logits: bool = False
) -> Any:
    p = [1 / (1 + mp.exp(-z)) for z in p] if from_logits else p
    common = mp.fsum(a * b for a, b in zip(t, p, strict=True))
    index = (common + smooth) / (mp.fsum(t) + mp.fsum(p) - common + smooth)
    return average(map(entropy, t, p)) + weight * (-mp.log(index) if log_jaccard else 1 - index)


@each_sample
def sensitivity_specificity(t: Any, p: Any, r: float) -> Any:
    inside = average((1 - q) ** 2 for y, q in zip(t, p, strict=True) if y == 1)
    outside = average(q**2 for y, q in zip(t, p, strict=True) if y == 0)
    return r * inside + (1 - r) * outside


# -- classes -----------------------------------------------------------------------------------------------


def exp_log(t: Any, p: Any, w_dice: float, w_cross: float, gamma: float, class_weights: Any) -> Any:
    def one(t: Any, p: Any) -> Any:
        weights = np.broadcast_to(class_weights, t.shape[-1:])
        each = range(t.shape[-1])
        shape_loss = average((-mp.log(set_dice(list(t[..., k].flat), list(p[..., k].flat), 1))) ** gamma for k in each)
        surprises = [
            weights[k] * (-mp.log(p[(*place, k)])) ** gamma
            for place in np.ndindex(*t.shape[:-1])
            for k in each
            if t[(*place, k)] == 1
        ]
        return w_dice * shape_loss + w_cross * average(surprises)

    return np.array([one(*pair) for pair in zip(t, p, strict=True)])


def asymmetric_focal(t: Any, p: Any, delta: float, gamma: float) -> Any:
    def one(y: Any, q: Any) -> Any:
        label = list(y).index(1)
        return -delta * mp.log(q[label]) if label else -(1 - delta) * (1 - q[0]) ** gamma * mp.log(q[0])

    places = zip(t.reshape(-1, t.shape[-1]), p.reshape(-1, p.shape[-1]), strict=True)
    return per_sample(np.array([one(y, q) for y, q in places]).reshape(len(t), -1))


def asymmetric_focal_tversky(t: Any, p: Any, delta: float, gamma: float) -> Any:
    lost = np.stack([tversky(t[..., k], p[..., k], alpha=1 - delta, beta=delta) for k in range(t.shape[-1])], axis=-1)
    return (lost[:, 0] + np.sum(lost[:, 1:] ** (1 - gamma), axis=-1)) / t.shape[-1]


def unified_focal(t: Any, p: Any, weight: float, **params: float) -> Any:
    return weight * asymmetric_focal_tversky(t, p, **params) + (1 - weight) * asymmetric_focal(t, p, **params)


def lovasz(errors: Any, truth: Any) -> Any:
    """The Lovasz extension of the Jaccard loss: the integral, over all levels, of the loss of what errs more than that."""

    def jaccard_loss(wrong: set[int]) -> Any:
        mask = {k for k, y in enumerate(truth) if y == 1}
        found = mask ^ wrong
        return 1 - mp.mpf(len(mask & found)) / len(mask | found) if mask | found else mp.mpf(0)

    levels = [mp.mpf(0), *sorted(errors)]
    return mp.fsum(
        (high - low) * jaccard_loss({k for k, e in enumerate(errors) if e >= high})
        for low, high in pairwise(levels)
        if high > low
    )


def lovasz_hinge(t: Any, p: Any) -> Any:
    errors = [
        [max(mp.mpf(0), 1 - z if y == 1 else 1 + z) for y, z in zip(*pair, strict=True)]
        for pair in zip(t, p, strict=True)
    ]
    return np.array([lovasz(*pair) for pair in zip(errors, t, strict=True)])


def lovasz_softmax(t: Any, p: Any) -> Any:
    def one(t: Any, p: Any) -> Any:
        return average(lovasz(list(abs(t[:, k] - p[:, k])), t[:, k]) for k in range(t.shape[-1]) if any(t[:, k] == 1))

    return np.array([one(*pair) for pair in zip(t, p, strict=True)])


# -- distances ---------------------------------------------------------------------------------------------


@each_sample
def boundary(t: Any, p: Any) -> Any:
    return average(a * b for a, b in zip(t, p, strict=True))


def hausdorff_dt(t: Any, p: Any, alpha: float) -> Any:
    """The maps of distances take no gradient."""
    return per_sample((t[..., 0] - p[..., 0]) ** 2 * (t[..., 1] ** alpha + held(p[..., 1]) ** alpha))


CASES: list[Case] = [
    case("tversky", tversky, bits, alpha=0.2, beta=0.9, smooth=0.5),
    case("focal_tversky", focal_tversky, bits, alpha=0.2, beta=0.9, gamma=1.6, smooth=0.25),
    case("dice", dice, bits, smooth=0.75),
    case("dice", dice, bits),
    case("jaccard", jaccard, bits, smooth=0.75),
    case("squared_dice", squared_dice, bits, smooth=0.75),
    case("batch_dice", batch_dice, bits, smooth=0.75),
    case("generalized_dice", generalized_dice, maps),
    case("log_cosh_dice", log_cosh_dice, bits, smooth=0.75),
    case("power_jaccard", power_jaccard, bits, p=1.6, smooth=0.75),
    case("combo", combo, bits, alpha=0.3, beta=0.8, smooth=0.75),
    case("bce_dice", bce_dice, bits, weight=0.6, smooth=0.75),
    case("bce_dice", bce_dice, bits_logits, weight=0.6, smooth=0.75, from_logits=True),
    case("bce_jaccard", bce_jaccard, bits, weight=0.6, smooth=0.75),
    case("bce_jaccard", bce_jaccard, bits, weight=0.6, smooth=0.75, log_jaccard=True),
    case("bce_jaccard", bce_jaccard, bits_logits, weight=0.6, smooth=0.75, from_logits=True),
    case("sensitivity_specificity", sensitivity_specificity, bits, r=0.3),
    case("exp_log", exp_log, maps, w_dice=0.7, w_cross=0.4, gamma=0.6, class_weights=[0.5, 2.0, 3.0]),
    case("exp_log", exp_log, maps, w_dice=0.7, w_cross=0.4, gamma=1.4, class_weights=1.5),
    case("asymmetric_focal", asymmetric_focal, one_hot, delta=0.8, gamma=1.6),
    case("asymmetric_focal", asymmetric_focal, rows_of_pixels, delta=0.8, gamma=1.6),
    case("asymmetric_focal_tversky", asymmetric_focal_tversky, maps, delta=0.8, gamma=0.6),
    case("unified_focal", unified_focal, maps, weight=0.3, delta=0.8, gamma=0.6),
    case("lovasz_hinge", lovasz_hinge, row_logits),
    case("lovasz_softmax", lovasz_softmax, rows_of_pixels),
    case("boundary", boundary, signed_distances),
    case("hausdorff_dt", hausdorff_dt, masks_with_distances, alpha=1.7),
    case("active_contour", active_contour, images, weight=0.7),
    case("total_variation", total_variation, only_images),
    case("gradient_difference", gradient_difference, images, alpha=1.7),
    case("gradient_difference", gradient_difference, images, alpha=1.0),
    case("edge_aware_smoothness", edge_aware_smoothness, image_and_map),
    case("psnr", psnr, numbers, max_val=3.0),
    case("dssim", dssim, images, max_val=2.0),
    case("ssim", ssim, images, max_val=2.0, filter_size=3, filter_sigma=0.8),
    case("ssim", ssim, images, max_val=1.0, filter_size=4, filter_sigma=1.5, k1=0.02, k2=0.05),
    case("sobel_edge", sobel_edge, images),
    case("gram_style", gram_style, images),
]


# -- claims ------------------------------------------------------------------------------------------------


def at_corners() -> None:
    """On masks of 0 and 1 the Lovasz extension is the Jaccard loss itself."""
    random = np.random.default_rng(55)
    true, found = (random.integers(0, 2, size=(6, 9)) * 1.0 for _ in range(2))
    classes = [np.stack([x, 1 - x], axis=-1) for x in (true, found)]
    expected = (loss("jaccard", true, found) + loss("jaccard", 1 - true, 1 - found)) / 2
    np.testing.assert_allclose(loss("lovasz_softmax", *classes), expected, rtol=1e-9)


def small_masks_count() -> None:
    """The loss of a class does not depend on how many pixels it has: a mask three times as wide weighs the same."""
    true, pred = maps()
    wide = [np.concatenate([x, x, x], axis=2) for x in (true, pred)]
    np.testing.assert_allclose(loss("generalized_dice", *wide), loss("generalized_dice", true, pred), rtol=1e-9)


def higher_and_brighter(t: Any, p: Any) -> Pair:
    """A constant on each channel."""
    return t + np.array([0.3, -0.7]), p + np.array([0.3, -0.7])


def other_places(t: Any, p: Any) -> Pair:
    """The rows of the image in another order."""
    return t[:, ::-1], p[:, ::-1]


OVERLAPS = ("squared_dice", "batch_dice", "log_cosh_dice", "power_jaccard", "sensitivity_specificity")
CLAIMS: list[Claim] = [
    zero_at_truth("tversky", bits, alpha=0.2, beta=0.9),
    zero_at_truth("dice", bits),
    zero_at_truth("jaccard", bits),
    symmetric("dice", bits),
    symmetric("jaccard", bits),
    between("tversky", bits, 0, 1, alpha=0.2, beta=0.9),
    between("dice", bits, 0, 1),
    equals("tversky", "dice(y_true, y_pred)", bits, alpha=0.5, beta=0.5),
    equals("tversky", "jaccard(y_true, y_pred)", bits, alpha=1.0, beta=1.0),
    equals("focal_tversky", "tversky(y_true, y_pred, alpha=0.2, beta=0.9)", bits, alpha=0.2, beta=0.9, gamma=1.0),
    *(zero_at_truth(name, bits) for name in OVERLAPS),
    *(between(name, bits, 0, 1) for name in OVERLAPS),
    *(symmetric(name, bits) for name in ("squared_dice", "batch_dice", "log_cosh_dice", "power_jaccard")),
    zero_at_truth("generalized_dice", maps),
    *(zero_at_truth(name, maps, gamma=0.0) for name in ("unified_focal", "asymmetric_focal_tversky")),
    zero_at_truth("asymmetric_focal", one_hot),
    zero_at_truth("lovasz_softmax", rows_of_pixels),
    *(zero_at_truth(name, images) for name in ("gradient_difference", "dssim", "sobel_edge", "gram_style")),
    zero_at_truth("ssim", images, filter_size=3),
    symmetric("ssim", images, filter_size=4),
    equals("dssim", "ssim(y_true, y_pred, filter_size=3, filter_sigma=1e6) / 2", images),
    *(symmetric(name, images) for name in ("gradient_difference", "dssim", "sobel_edge", "gram_style", "psnr")),
    between("generalized_dice", maps, 0, 1),
    between("dssim", images, 0, 1),
    between("lovasz_softmax", rows_of_pixels, 0, 1),
    convex("lovasz_softmax", rows_of_pixels),
    convex("lovasz_hinge", row_logits),
    convex("total_variation", images),
    Claim("lovasz_softmax", "the Jaccard loss on masks", at_corners),
    Claim("generalized_dice", "all sizes weigh the same", small_masks_count),
    equals("power_jaccard", "jaccard(y_true, y_pred)", bits, p=1.0),
    equals("log_cosh_dice", "log(cosh(dice(y_true, y_pred)))", bits),
    equals("combo", "binary_crossentropy(y_true, y_pred) / 2", bits, alpha=1.0),
    equals("combo", "dice(y_true, y_pred) - 1", bits, alpha=0.0, smooth=0.0),
    equals("bce_dice", "binary_crossentropy(y_true, y_pred)", bits, weight=0.0),
    equals("bce_jaccard", "binary_crossentropy(y_true, y_pred) + jaccard(y_true, y_pred)", bits),
    equals("sensitivity_specificity", "mean(square(y_true - y_pred), where=y_true == 1)", bits, r=1.0),
    equals("asymmetric_focal", "categorical_crossentropy(y_true, y_pred) / 2", one_hot, delta=0.5, gamma=0.0),
    equals("unified_focal", "asymmetric_focal(y_true, y_pred, delta=0.6, gamma=0.5)", maps, weight=0.0),
    equals("unified_focal", "asymmetric_focal_tversky(y_true, y_pred, delta=0.6, gamma=0.5)", maps, weight=1.0),
    equals("exp_log", "categorical_crossentropy(y_true, y_pred)", maps, w_dice=0.0, w_cross=1.0, gamma=1.0),
    equals("psnr", "10 * log10(mse(y_true, y_pred))", images),
    equals("hausdorff_dt", "2 * mse(y_true[..., 0], y_pred[..., 0])", masks_with_distances, alpha=1e-9),
    unchanged("total_variation", "a constant", images, higher_and_brighter),
    unchanged("gradient_difference", "a constant", images, higher_and_brighter),
    unchanged("sobel_edge", "a constant", images, higher_and_brighter),
    unchanged("edge_aware_smoothness", "a constant", image_and_map, lambda t, p: (t + 0.3, p - 0.7)),
    unchanged("gram_style", "where the features are", images, other_places),
    ordered(
        "boundary",
        "falls as it fills the inside",
        np.array([[-2.0, -1, 1, 2]]),
        [[1, 1, 0, 0]],
        [[1, 0, 0, 0]],
        [[0, 0, 1, 1]],
    ),
    ordered("active_contour", "least at the truth", masks()[0], masks()[0], 0.7 * masks()[0] + 0.15, weight=50.0),
]
