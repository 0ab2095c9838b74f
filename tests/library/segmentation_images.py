"""Oracles of the family that look at images: neighbours, windows, contours; and the data for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp
from plain import mean, per_sample
from samples import Pair
from segmentation_shared import average, each_sample


def images() -> Pair:
    """Height, width and channels; values in [0, 1]."""
    random = np.random.default_rng(51)
    shape = (2, 4, 5, 2)
    return random.uniform(size=shape), random.uniform(size=shape)


def image_and_map() -> Pair:
    """An image, and a map of one channel."""
    true, pred = images()
    return 3 * true, pred[..., :1]


def only_images() -> tuple[None, np.ndarray]:
    return None, images()[1]


def steps(x: Any, axis: int) -> Any:
    """The differences of neighbours along an axis."""
    return np.diff(x, axis=axis)


def active_contour(t: Any, p: Any, weight: float) -> Any:
    height, width = p.shape[1:3]
    lengths = [
        [
            mp.sqrt((b[i + 1, j, c] - b[i, j, c]) ** 2 + (b[i, j + 1, c] - b[i, j, c]) ** 2 + mp.mpf(1e-8))
            for i in range(height - 1)
            for j in range(width - 1)
            for c in range(b.shape[-1])
        ]
        for b in p
    ]
    inside, outside = per_sample(p * (t - 1) ** 2), per_sample((1 - p) * (t - 0) ** 2)
    return np.array([average(found) for found in lengths]) + weight * (inside + outside)


def total_variation(t: Any, p: Any) -> Any:
    return np.array([sum(np.sum(abs(steps(x, axis))) for axis in (0, 1)) for x in p])


def gradient_difference(t: Any, p: Any, alpha: float) -> Any:
    return np.array(
        [
            sum(np.sum(abs(abs(steps(a, k)) - abs(steps(b, k))) ** alpha) for k in (0, 1))
            for a, b in zip(t, p, strict=True)
        ]
    )


def edge_aware_smoothness(t: Any, p: Any) -> Any:
    def one(image: Any, depth: Any, axis: int) -> Any:
        slopes, edges = abs(steps(depth, axis))[..., 0], mean(abs(steps(image, axis)), axis=-1)
        return average(d * mp.exp(-e) for d, e in zip(slopes.flat, edges.flat, strict=True))

    return np.array([one(a, b, 0) + one(a, b, 1) for a, b in zip(t, p, strict=True)])


@each_sample
def psnr(t: Any, p: Any, max_val: float) -> Any:
    return -20 * mp.log(max_val / mp.sqrt(average((a - b) ** 2 for a, b in zip(t, p, strict=True))), 10)


def windows(x: Any) -> Any:
    """All windows of 3 by 3: sample, row, column, channel, pixel."""
    return np.stack([x[:, i : x.shape[1] - 2 + i, j : x.shape[2] - 2 + j] for i in range(3) for j in range(3)], axis=-1)


def dssim(t: Any, p: Any, max_val: float) -> Any:
    """Luminance, contrast and structure, with C3 = C2 / 2, as the paper has them."""
    c1, c2 = (mp.mpf(0.01) * max_val) ** 2, (mp.mpf(0.03) * max_val) ** 2

    def one(x: Any, y: Any) -> Any:
        mx, my = average(x), average(y)
        sx, sy = (mp.sqrt(average((v - m) ** 2 for v in z)) for z, m in ((x, mx), (y, my)))
        common = average((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        luminance, contrast = (2 * mx * my + c1) / (mx**2 + my**2 + c1), (2 * sx * sy + c2) / (sx**2 + sy**2 + c2)
        return (1 - luminance * contrast * (common + c2 / 2) / (sx * sy + c2 / 2)) / 2

    a, b = windows(t), windows(p)
    values = [one(a[place], b[place]) for place in np.ndindex(*a.shape[:-1])]
    return per_sample(np.array(values).reshape(a.shape[:-1]))


def ssim(
    t: Any, p: Any, max_val: float, filter_size: int, filter_sigma: float, k1: float = 0.01, k2: float = 0.03
) -> Any:
    """Moments about the mean of every window, by a table of weights in two dimensions."""
    c1, c2 = (mp.mpf(k1) * max_val) ** 2, (mp.mpf(k2) * max_val) ** 2
    size, middle = filter_size, mp.mpf(filter_size - 1) / 2
    places = [(i, j) for i in range(size) for j in range(size)]
    bell = [mp.exp(-((i - middle) ** 2 + (j - middle) ** 2) / (2 * mp.mpf(filter_sigma) ** 2)) for i, j in places]

    def weighed(values: Any) -> Any:
        return mp.fsum(w * v for w, v in zip(bell, values, strict=True)) / mp.fsum(bell)

    def one(x: Any, y: Any) -> Any:
        mx, my = weighed(x), weighed(y)
        vx, vy = (weighed([(v - m) ** 2 for v in z]) for z, m in ((x, mx), (y, my)))
        common = weighed([(a - mx) * (b - my) for a, b in zip(x, y, strict=True)])
        return (2 * mx * my + c1) / (mx**2 + my**2 + c1) * (2 * common + c2) / (vx + vy + c2)

    def of_images(a: Any, b: Any) -> Any:
        rows, columns = a.shape[0] - size + 1, a.shape[1] - size + 1
        corners = [(r, c, k) for r in range(rows) for c in range(columns) for k in range(a.shape[2])]
        return average(
            one([a[r + i, c + j, k] for i, j in places], [b[r + i, c + j, k] for i, j in places]) for r, c, k in corners
        )

    return np.array([1 - of_images(a, b) for a, b in zip(t, p, strict=True)])


def sobel_edge(t: Any, p: Any) -> Any:
    """Both filters as tables, over every window."""
    tables = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]), np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    edges = [(windows(t) @ table.reshape(-1), windows(p) @ table.reshape(-1)) for table in tables]
    return sum(per_sample(abs(a - b)) for a, b in edges) / 2


def gram_style(t: Any, p: Any) -> Any:
    def one(image: Any, other: Any) -> Any:
        a, g = (x.reshape(-1, x.shape[-1]).T @ x.reshape(-1, x.shape[-1]) for x in (image, other))
        places, channels = image.shape[0] * image.shape[1], image.shape[2]
        return np.sum((g - a) ** 2) / (4 * channels**2 * places**2)

    return np.array([one(*pair) for pair in zip(t, p, strict=True)])
