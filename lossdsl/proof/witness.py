"""Concrete inputs for which a graph gives NaN or an infinity, found by running it in the type that it computes in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossdsl.backends import reference
from lossdsl.interval import LARGEST, SMALLEST, Interval
from lossdsl.ir.axes import is_pairs
from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.precision import FLOAT32, Precision
from lossdsl.types import BATCH, DType

Array = np.ndarray[Any, Any]
SAMPLES, PAIRED = 384, 16
"""Samples of a trial, and where every pair of samples is looked at."""
FEW = (1, 2, 3, PAIRED)
"""Samples of the trials in which they are looked at together."""
TINY = 1e-30
"""Products of smaller numbers are subnormal, which one framework keeps and another does not."""
SIZES = (3, 1, 12, 40)
"""Entries of an axis whose size is open."""
MOST_NUMBERS = 1_000_000
"""Numbers in one value of a trial."""
PLAIN = 18
"""Numbers of which every pair is tried."""
CORNERS = (0.0, 1e-20, 1e-8, 1e-4, 0.5, 1.0, 2.0, 10.0, 60.0, 89.0, 105.0, 1e4, 1e9, 2e19, LARGEST)
"""Sizes at which float32 functions begin to vanish or to overflow; each with both signs."""


@dataclass(frozen=True)
class Witness:
    """Data of one sample (or batch) that was run, and what came out."""

    y_true: Any
    y_pred: Any
    result: float
    precision: Precision = FLOAT32

    def __str__(self) -> str:
        named = (("y_true", self.y_true), ("y_pred", self.y_pred))
        return ", ".join(f"{name} = {self._shown(data)}" for name, data in named if data is not None)

    def _shown(self, data: Any) -> str:
        """The data, and what they are rounded to, where that is something else to be seen."""
        given = _shown(data)
        becomes = given if np.asarray(data).dtype.kind != "f" else _shown(self.precision.rounded(data))
        return given if becomes == given else f"{given} ({becomes} in {self.precision.name})"


def _shown(value: Any) -> str:
    array = np.asarray(value)
    if array.size and np.all(array == array.flat[0]):
        return f"{array.flat[0].item():.9g}"
    return str([float(f"{x:.9g}") for x in array.ravel()]) if array.ndim == 1 else str(array.tolist())


def witness(
    roots: Sequence[Node],
    builder: Builder,
    inputs: Mapping[str, Interval],
    kind: Precision = FLOAT32,
    stored: Precision = FLOAT32,
) -> Witness | None:
    """The plainest data found for which one of the roots (of the same meaning) is not finite; None where none is.

    The data are rounded to a type, and what comes out is `stored` in one.
    """
    layout = builder.layout.ids
    looked_at = {str(n.attr("name")) for n in reachable(roots) if n.op == INPUT}
    for size in sizes_of(builder):
        found: list[Witness] = []
        for data in trials(roots, builder, inputs, size, kind):
            given = {name: kind.rounded(x) if x.dtype.kind == "f" else x for name, x in data.items()}
            for root in roots:
                values = stored.rounded(reference.evaluate(root, layout, given, kind.computed))
                true = data["y_true"] if "y_true" in looked_at else None
                found += (replace(each, precision=kind) for each in _failing(root, values, true, data["y_pred"]))
        if found:
            return min(found, key=_extent)
    return None


def sizes_of(builder: Builder) -> list[int]:
    """Sizes to try for open axes: some of our own, then those that the formula asks for."""
    both = (side for constraint in builder.constraints for side in (constraint.left, constraint.right))
    return list(dict.fromkeys([*SIZES, *(side.offset for side in both if side.symbol is None)]))


def trials(
    roots: Sequence[Node],
    builder: Builder,
    inputs: Mapping[str, Interval],
    size: int,
    kind: Precision = FLOAT32,
    seed: int = 1,
) -> Iterator[dict[str, Array]]:
    """Data to try a formula with, for axes of so many entries where their size is open; none where that can't be."""
    inner = reachable(roots)
    nodes = {str(n.attr("name")): n for n in (*builder.graph.nodes, *inner) if n.op == INPUT}
    sizes = _sizes(nodes, size)
    if any(constraint.broken(sizes) is not None for constraint in builder.constraints):
        return
    pools = {name: _pool(roots, interval, kind) for name, interval in inputs.items()}
    together = any(map(is_pairs, builder.layout.ids)) or not all(root.type.has(BATCH) for root in roots)
    most = MOST_NUMBERS // max(_entries(node, sizes) for node in inner)
    random = np.random.default_rng(seed)
    for count in (min(count, most) for count in ([c for c in FEW for _ in range(3)] if together else [SAMPLES])):
        if count:
            yield from _trials(nodes, pools, size, count, random)


def _sizes(nodes: Mapping[str, Node], size: int) -> dict[str, int | None]:
    """The sizes of all axes of the inputs, where those that are open have so many entries."""
    sizes: dict[str, int | None] = {}
    for name, node in nodes.items():
        sizes |= {f"{name}.{i}": a.size.offset if a.size.symbol is None else size for i, a in enumerate(node.type.axes)}
    return sizes


def _entries(node: Node, sizes: dict[str, int | None]) -> int:
    """The entries of a value, for one sample."""
    return math.prod(axis.size.value(sizes) or 1 for axis in node.type.full if axis.id != BATCH)


def _extent(found: Witness) -> tuple[int, float]:
    """How long it takes to say, then how large its numbers are."""
    arrays = [np.asarray(x, float) for x in (found.y_true, found.y_pred) if x is not None]
    return len(str(found)), max(float(np.max(np.abs(x), initial=0.0)) for x in arrays)


def _pool(roots: Sequence[Node], interval: Interval, kind: Precision) -> Array:
    """Numbers of an interval at which something may go wrong: its ends, corners, constants and their neighbours."""
    constants = {float(n.value) for n in reachable(roots) if n.is_const and not isinstance(n.value, bool)}
    wanted = {interval.lo, interval.hi, *CORNERS, *(-x for x in CORNERS), *constants, *(-x for x in constants)}
    wanted |= {1.0 - x for x in constants if abs(x) < 1.0} | {2.0**kind.lowest, kind.largest}
    with np.errstate(over="ignore"):
        numbers = np.array(sorted(wanted), np.float32)
        near = np.concatenate([numbers, *(np.nextafter(numbers, np.float32(end)) for end in (-np.inf, np.inf))])
    near = near[np.isfinite(near) & (near >= interval.lo) & (near <= interval.hi)]
    plain = (
        (near == 0.0) | (np.abs(near) >= TINY) | (near == np.float32(interval.lo)) | (near == np.float32(interval.hi))
    )
    near = near[plain & ((near == 0.0) | (np.abs(near) >= SMALLEST))]
    return np.unique(near) if near.size else np.array([interval.lo], np.float32)


def _trials(
    nodes: Mapping[str, Node], pools: Mapping[str, Array], size: int, count: int, random: np.random.Generator
) -> Iterator[dict[str, Array]]:
    """Samples of one number each, of which all pairs of plain ones; of mixed numbers; of one number but for one entry;
    and with predictions that are the labels."""
    plain = [_plainest(pools.get(name, np.ones(1, np.float32))) for name in ("y_true", "y_pred")]
    pairs = random.permutation(np.array(np.meshgrid(*plain)).reshape(2, -1).T)[:count]
    for kind in ("one", "mixed", "spike", "equal"):
        data: dict[str, Array] = {}
        for name, node in nodes.items():
            shape = tuple(count if a.id == BATCH else a.size.offset if a.size.symbol is None else size
                          for a in node.type.axes)  # fmt: skip
            if not shape or name == "upstream":
                data[name] = np.ones(shape, np.float32)
            elif node.type.dtype is DType.INT:
                data[name] = random.integers(0, size, shape)
            else:
                data[name] = _numbers(kind, pools.get(name, np.ones(1, np.float32)), shape, random)
            if kind == "one" and name in ("y_true", "y_pred") and len(shape) and node.type.dtype is not DType.INT:
                row = pairs[:, int(name == "y_pred")].reshape(-1, *[1] * (len(shape) - 1))
                data[name][: len(row)] = np.broadcast_to(row, (len(row), *shape[1:]))
        if kind == "equal":
            _equate(data, pools)
        yield data


def _plainest(pool: Array) -> Array:
    """Some numbers of a pool that are short to say, and its ends."""
    short = sorted(pool.tolist(), key=lambda x: (len(f"{x:.9g}"), abs(x)))[: PLAIN - 2]
    return np.unique(np.array([*short, pool.min(), pool.max()], np.float32))


def _numbers(kind: str, pool: Array, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    mixed = random.choice(pool, shape)
    if kind == "mixed":
        return mixed
    same = np.broadcast_to(random.choice(pool, (shape[0], *[1] * (len(shape) - 1))), shape).copy()
    if kind == "spike" and len(shape) > 1:
        same.reshape(shape[0], -1)[:, 0] = mixed.reshape(shape[0], -1)[:, 0]
    return same


def _equate(data: dict[str, Array], pools: Mapping[str, Array]) -> None:
    """Make the predictions of a trial its labels, where they may be."""
    true, pred = data.get("y_true"), data.get("y_pred")
    if true is not None and pred is not None and true.shape == pred.shape and true.dtype == pred.dtype:
        both = np.intersect1d(pools["y_true"], pools["y_pred"])
        if both.size:
            data["y_pred"] = data["y_true"] = both[np.searchsorted(both, true).clip(0, both.size - 1)]


def _failing(root: Node, values: Array, true: Array | None, pred: Array) -> Iterator[Witness]:
    """The samples that came out as NaN or infinite."""
    if not root.type.has(BATCH):
        if not np.all(np.isfinite(values)):
            yield Witness(None if true is None else true[:2], pred[:2], float(values.flat[0]))
        return
    wrong = ~np.isfinite(values.reshape(len(values), -1))
    for i in np.flatnonzero(wrong.any(axis=1)):
        result = float(values.reshape(len(values), -1)[i][wrong[i]][0])
        yield Witness(None if true is None else true[i], pred[i], result)
