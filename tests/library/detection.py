"""Oracles and claims of the family: boxes, key points and dense detectors."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from case import Case, Claim, between, case, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from plain import held, mean, per_sample, probabilities, sigmoid
from samples import Pair, bits

# -- data --------------------------------------------------------------------------------------------------


def boxes(positions: tuple[int, ...] = ()) -> Pair:
    """Two corners each; the two boxes of a pair overlap in part."""
    random = np.random.default_rng(21)
    shape = (4, *positions, 2)
    centre, shift = random.uniform(-3, 3, size=shape), random.uniform(-0.6, 0.6, size=shape)
    half, other = random.uniform(0.8, 2.5, size=shape), random.uniform(0.8, 2.5, size=shape)
    return (
        np.concatenate([centre - half, centre + half], axis=-1),
        np.concatenate([centre + shift - other, centre + shift + other], axis=-1),
    )


def far_boxes(positions: tuple[int, ...] = ()) -> Pair:
    """The boxes of a pair do not meet."""
    true, pred = boxes(positions)
    return true, pred + np.array([9.0, -7.0, 9.0, -7.0])


def turned_boxes(positions: tuple[int, ...] = ()) -> Pair:
    """Centre, width, height and angle."""
    random = np.random.default_rng(22)
    shape = (3, *positions, 2)

    def some() -> np.ndarray:
        centre, size = random.uniform(-2, 2, size=shape), random.uniform(0.7, 4, size=shape)
        return np.concatenate([centre, size, random.uniform(-1.4, 1.4, size=(*shape[:-1], 1))], axis=-1)

    return some(), some()


def qualities(positions: tuple[int, ...] = ()) -> Pair:
    """The IoU of a box where there is one, and 0 elsewhere; probabilities."""
    random = np.random.default_rng(23)
    shape = (3, *positions, 4)
    true = random.uniform(0.1, 1, size=shape) * (random.uniform(size=shape) < 0.6)
    return true, random.uniform(0.03, 0.97, size=shape)


def qualities_logits(positions: tuple[int, ...] = ()) -> Pair:
    true, _ = qualities(positions)
    return true, 2 * np.random.default_rng(24).normal(size=true.shape)


def heat(positions: tuple[int, ...] = ()) -> Pair:
    """Heat maps with key points (1); the last sample has none."""
    true, pred = qualities(positions)
    true = np.where(true > 0.6, 1, true)
    true[-1] = np.minimum(true[-1], 0.7)
    return true, pred


def heat_logits(positions: tuple[int, ...] = ()) -> Pair:
    return heat(positions)[0], qualities_logits(positions)[1]


def distances(positions: tuple[int, ...] = (3,)) -> Pair:
    """Distances in bins, and logits of five bins."""
    random = np.random.default_rng(25)
    return random.uniform(0, 4, size=(3, *positions)), 2 * random.normal(size=(3, *positions, 5))


def poses() -> Pair:
    """x, y, visibility and scale of four key points; x and y."""
    random = np.random.default_rng(26)
    true = random.uniform(0.5, 2.5, size=(3, 4, 4))
    true[..., 2] = random.integers(1, 3, size=(3, 4))
    true[0, 1, 2] = true[2, 0, 2] = true[2, 3, 2] = 0
    return true, true[..., :2] + random.normal(size=(3, 4, 2))


# -- boxes -------------------------------------------------------------------------------------------------


def per_box(measure: Callable[..., Any]) -> Callable[..., Any]:
    """The mean over the boxes of a sample."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        width = t.shape[-1]
        samples = zip(t.reshape(len(t), -1, width), p.reshape(len(p), -1, width), strict=True)
        return np.array(
            [mean(np.array([measure(a, b, **params) for a, b in zip(*pair, strict=True)])) for pair in samples]
        )

    return oracle


def areas(a: Any, b: Any) -> tuple[Any, Any]:
    """Overlap and union, counted over the cells of the grid that the edges of both boxes make."""
    overlap = union = mp.mpf(0)
    xs, ys = sorted([a[0], a[2], b[0], b[2]]), sorted([a[1], a[3], b[1], b[3]])
    for left, right in pairwise(xs):
        for low, high in pairwise(ys):
            x, y = (left + right) / 2, (low + high) / 2
            inside = [box[0] < x < box[2] and box[1] < y < box[3] for box in (a, b)]
            overlap += (right - left) * (high - low) * all(inside)
            union += (right - left) * (high - low) * any(inside)
    return overlap, union


def ratio(a: Any, b: Any) -> Any:
    overlap, union = areas(a, b)
    return overlap / union


def around(a: Any, b: Any) -> tuple[Any, Any]:
    """Width and height of the smallest box around both."""
    return max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])


def apart(a: Any, b: Any) -> tuple[Any, Any]:
    """What lies between the centres."""
    return (b[0] + b[2]) / 2 - (a[0] + a[2]) / 2, (b[1] + b[3]) / 2 - (a[1] + a[3]) / 2


@per_box
def box_iou(a: Any, b: Any) -> Any:
    return 1 - ratio(a, b)


@per_box
def unitbox(a: Any, b: Any) -> Any:
    return -mp.log(ratio(a, b))


@per_box
def alpha_iou(a: Any, b: Any, alpha: float) -> Any:
    return 1 - ratio(a, b) ** alpha


@per_box
def giou(a: Any, b: Any) -> Any:
    width, height = around(a, b)
    _, union = areas(a, b)
    return 1 - (ratio(a, b) - (width * height - union) / (width * height))


def distance_iou(a: Any, b: Any) -> Any:
    (dx, dy), (width, height) = apart(a, b), around(a, b)
    return 1 - ratio(a, b) + (dx**2 + dy**2) / (width**2 + height**2)


diou = per_box(distance_iou)


@per_box
def ciou(a: Any, b: Any) -> Any:
    turn = mp.atan((a[2] - a[0]) / (a[3] - a[1])) - mp.atan((b[2] - b[0]) / (b[3] - b[1]))
    v = 4 / mp.pi**2 * turn**2
    return distance_iou(a, b) + held(v / ((1 - ratio(a, b)) + v)) * v


def efficient_iou(a: Any, b: Any) -> Any:
    width, height = around(a, b)
    wider, taller = (a[2] - a[0]) - (b[2] - b[0]), (a[3] - a[1]) - (b[3] - b[1])
    return distance_iou(a, b) + wider**2 / width**2 + taller**2 / height**2


eiou = per_box(efficient_iou)


@per_box
def focal_eiou(a: Any, b: Any, gamma: float) -> Any:
    return held(ratio(a, b) ** gamma) * efficient_iou(a, b)


@per_box
def siou(a: Any, b: Any, theta: float) -> Any:
    (dx, dy), (width, height) = apart(a, b), around(a, b)
    sine = abs(dy) / mp.hypot(dx, dy)
    angle = 1 - 2 * mp.sin(mp.asin(sine) - mp.pi / 4) ** 2
    far = sum(1 - mp.exp(-(2 - angle) * (d / side) ** 2) for d, side in ((dx, width), (dy, height)))
    sides = [(a[2] - a[0], b[2] - b[0]), (a[3] - a[1], b[3] - b[1])]
    shape = sum((1 - mp.exp(-abs(s - r) / max(s, r))) ** theta for s, r in sides)
    return 1 - ratio(a, b) + (far + shape) / 2


@per_box
def wise_iou(a: Any, b: Any) -> Any:
    (dx, dy), (width, height) = apart(a, b), around(a, b)
    return (1 - ratio(a, b)) * mp.exp((dx**2 + dy**2) / held(width**2 + height**2))


def normal(box: Any) -> tuple[Any, Any]:
    """Mean and covariance of the normal distribution that a turned box stands for."""
    turn = mp.matrix([[mp.cos(box[4]), -mp.sin(box[4])], [mp.sin(box[4]), mp.cos(box[4])]])
    return mp.matrix([box[0], box[1]]), turn * mp.diag([box[2] ** 2 / 4, box[3] ** 2 / 4]) * turn.T


def trace(matrix: Any) -> Any:
    return matrix[0, 0] + matrix[1, 1]


@per_box
def box_wasserstein(a: Any, b: Any, tau: float) -> Any:
    (m1, s1), (m2, s2) = normal(a), normal(b)
    root = mp.sqrtm(s1)
    distance = mp.norm(m1 - m2) ** 2 + trace(s1 + s2 - 2 * mp.sqrtm(root * s2 * root))
    return 1 - 1 / (tau + mp.log(distance + 1))


@per_box
def box_kl(a: Any, b: Any, tau: float) -> Any:
    (mt, st), (mp_, sp) = normal(a), normal(b)
    back = mp.inverse(st)
    square = ((mp_ - mt).T * back * (mp_ - mt))[0]
    divergence = (square + trace(back * sp) + mp.log(mp.det(st) / mp.det(sp))) / 2 - 1
    return 1 - 1 / (tau + mp.log(divergence + 1))


# -- dense detectors ---------------------------------------------------------------------------------------


def quality_focal(t: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = sigmoid(p) if from_logits else p
    entropy = np.frompyfunc(lambda y, s: -((1 - y) * mp.log(1 - s) + y * mp.log(s)), 2, 1)
    return per_sample(abs(t - p) ** beta * entropy(t, probabilities(p)))


def varifocal(t: Any, p: Any, alpha: float, gamma: float, from_logits: bool = False) -> Any:
    def one(q: Any, p: Any) -> Any:
        p = 1 / (1 + mp.exp(-p)) if from_logits else p
        return -q * (q * mp.log(p) + (1 - q) * mp.log(1 - p)) if q > 0 else -alpha * p**gamma * mp.log(1 - p)

    return per_sample(np.frompyfunc(one, 2, 1)(t, p))


def distribution_focal(t: Any, p: Any) -> Any:
    def one(y: Any, z: Any) -> Any:
        left = int(mp.floor(y))
        chance = [mp.exp(value) / sum(map(mp.exp, z)) for value in z]
        return -((left + 1 - y) * mp.log(chance[left]) + (y - left) * mp.log(chance[left + 1]))

    values = [one(y, z) for y, z in zip(t.reshape(-1), p.reshape(-1, p.shape[-1]), strict=True)]
    return per_sample(np.array(values).reshape(t.shape))


def centernet_focal(t: Any, p: Any, alpha: float, beta: float, from_logits: bool = False) -> Any:
    totals = []
    for row, guesses in zip(t.reshape(len(t), -1), p.reshape(len(p), -1), strict=True):
        found, total = 0, mp.mpf(0)
        for y, guess in zip(row, guesses, strict=True):
            q = 1 / (1 + mp.exp(-guess)) if from_logits else guess
            found += y == 1
            total -= (1 - q) ** alpha * mp.log(q) if y == 1 else (1 - y) ** beta * q**alpha * mp.log(1 - q)
        totals.append(total / max(found, 1))
    return np.array(totals)


def keypoint_similarity(t: Any, p: Any) -> Any:
    result = []
    for points, guesses in zip(t, p, strict=True):
        seen = [
            mp.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * scale**2))
            for (x, y, visible, scale), (u, v) in zip(points, guesses, strict=True)
            if visible > 0
        ]
        result.append(1 - sum(seen) / len(seen))
    return np.array(result)


CASES: list[Case] = [
    case("box_iou", box_iou, boxes),
    case("box_iou", box_iou, far_boxes),
    case("unitbox", unitbox, boxes),
    case("alpha_iou", alpha_iou, boxes, alpha=2.4),
    case("alpha_iou", alpha_iou, far_boxes, alpha=2.4),
    case("giou", giou, boxes),
    case("giou", giou, far_boxes),
    case("diou", diou, boxes),
    case("diou", diou, far_boxes),
    case("ciou", ciou, boxes),
    case("ciou", ciou, far_boxes),
    case("eiou", eiou, boxes),
    case("focal_eiou", focal_eiou, boxes, gamma=0.8),
    case("focal_eiou", focal_eiou, far_boxes, gamma=0.8),
    case("siou", siou, boxes, theta=3.0),
    case("siou", siou, far_boxes, theta=4.0),
    case("wise_iou", wise_iou, boxes),
    case("wise_iou", wise_iou, far_boxes),
    case("box_wasserstein", box_wasserstein, turned_boxes, tau=1.7),
    case("box_kl", box_kl, turned_boxes, tau=1.7),
    case("quality_focal", quality_focal, qualities, beta=1.6),
    case("quality_focal", quality_focal, qualities_logits, beta=2.3, from_logits=True),
    case("varifocal", varifocal, qualities, alpha=0.6, gamma=1.7),
    case("varifocal", varifocal, qualities_logits, alpha=0.6, gamma=1.7, from_logits=True),
    case("distribution_focal", distribution_focal, distances),
    case("centernet_focal", centernet_focal, heat, alpha=1.6, beta=3.1),
    case("centernet_focal", centernet_focal, heat_logits, alpha=1.6, beta=3.1, from_logits=True),
    case("keypoint_similarity", keypoint_similarity, poses),
]


# -- claims ------------------------------------------------------------------------------------------------


def scaled(t: Any, p: Any) -> Pair:
    """Seven times as large, and elsewhere."""
    return 7 * t + 3, 7 * p + 3


def swapped(t: Any, p: Any) -> Pair:
    """x and y the other way round."""
    return t[..., [1, 0, 3, 2]], p[..., [1, 0, 3, 2]]


def half_turn(t: Any, p: Any) -> Pair:
    """A box turned by pi is the same box; one with its sides exchanged is it at pi / 2."""
    return t + np.array([0, 0, 0, 0, np.pi]), p[..., [0, 1, 3, 2, 4]] + np.array([0, 0, 0, 0, np.pi / 2])


def grows(name: str) -> Claim:
    """Beyond each other, boxes still cost the more the farther they are apart: IoU alone does not see that."""
    true = np.array([[0.0, 0, 2, 2]])
    return ordered(name, "grows with the distance of boxes that do not meet", true, *(true + far for far in (3, 5, 9)))


def never_below_iou() -> None:
    for data in (boxes, far_boxes):
        for name in ("giou", "diou", "ciou", "eiou", "siou"):
            assert np.all(loss(name, *data()) >= loss("box_iou", *data()))


INVARIANT = ("box_iou", "unitbox", "alpha_iou", "giou", "diou", "ciou", "eiou", "focal_eiou", "siou", "wise_iou")
CLAIMS: list[Claim] = [
    *(zero_at_truth(name, boxes) for name in INVARIANT),
    *(unchanged(name, "scale and place", boxes, scaled) for name in INVARIANT),
    *(unchanged(name, "the order of x and y", boxes, swapped) for name in INVARIANT),
    *(symmetric(name, boxes) for name in ("box_iou", "giou", "diou", "ciou", "eiou")),
    *(grows(name) for name in ("giou", "diou", "ciou", "eiou", "wise_iou")),
    *(between(name, far_boxes, 1, 2) for name in ("giou", "diou")),
    between("box_iou", boxes, 0, 1),
    between("wise_iou", far_boxes, 1, np.e),
    Claim("giou", "never below the IoU loss", never_below_iou),
    equals("alpha_iou", "box_iou(y_true, y_pred)", boxes, alpha=1.0),
    equals("focal_eiou", "eiou(y_true, y_pred)", boxes, gamma=0.0),
    equals("unitbox", "-log(1 - box_iou(y_true, y_pred))", boxes),
    zero_at_truth("box_wasserstein", turned_boxes),
    zero_at_truth("box_kl", turned_boxes),
    symmetric("box_wasserstein", turned_boxes),
    unchanged("box_wasserstein", "how a box is written", turned_boxes, half_turn),
    unchanged("box_kl", "how a box is written", turned_boxes, half_turn),
    unchanged("box_kl", "scale", turned_boxes, lambda t, p: (t * [3, 3, 3, 3, 1], p * [3, 3, 3, 3, 1])),
    between("box_wasserstein", turned_boxes, 0, 1),
    between("box_kl", turned_boxes, 0, 1),
    zero_at_truth("quality_focal", qualities),
    equals("quality_focal", "binary_focal_crossentropy(y_true, y_pred)", bits),
    equals(
        "varifocal", "-mean(0.6 * (1 - y_true) * y_pred**2 * log(1 - y_pred) + y_true * log(y_pred))", bits, alpha=0.6
    ),
    equals("centernet_focal", "4 * binary_focal_crossentropy(y_true, y_pred) / maximum(sum(y_true), 1)", bits),
    equals(
        "distribution_focal",
        "sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)",
        lambda: (np.array([[0, 3, 4], [2, 2, 1], [1, 0, 3]]), distances()[1]),
    ),
    between("keypoint_similarity", poses, 0, 1),
    unchanged("keypoint_similarity", "the order of the points", poses, lambda t, p: (t[:, ::-1], p[:, ::-1])),
    ordered(
        "keypoint_similarity",
        "grows with the distance",
        poses()[0],
        *(poses()[0][..., :2] + far for far in (0, 0.2, 1)),
    ),
]


def torch_distribution_focal(torch: Any, t: Any, p: Any) -> Any:
    lower, logits = t.long(), p.movedim(-1, 1)
    entropy = torch.nn.functional.cross_entropy
    each = entropy(logits, lower, reduction="none") * (lower + 1 - t)
    return (each + entropy(logits, lower + 1, reduction="none") * (t - lower)).mean(dim=-1)


TORCH = [("distribution_focal", torch_distribution_focal, distances, {})]
