"""Concrete inputs for which a graph gives NaN or an infinity, found by running it in float32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossdsl.backends import reference
from lossdsl.interval import LARGEST, SMALLEST, Interval
from lossdsl.ir.axes import is_pairs
from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.types import BATCH, DType

Array = np.ndarray[Any, Any]
SAMPLES, PAIRED = 384, 16
"""Samples of a trial, and where every pair of samples is looked at."""
TINY = 1e-30
"""Products of smaller numbers are subnormal, which one framework keeps and another does not."""
SIZES = (3, 12, 40)
"""Entries of an axis whose size is open: the first that the formula can do with."""
CORNERS = (0.0, 1e-20, 1e-8, 1e-4, 0.5, 1.0, 2.0, 10.0, 60.0, 89.0, 105.0, 1e4, 1e9, 2e19, LARGEST)
"""Sizes at which float32 functions begin to vanish or to overflow; each with both signs."""


@dataclass(frozen=True)
class Witness:
    """Data of one sample (or batch) that was run, and what came out."""

    y_true: Any
    y_pred: Any
    result: float

    def __str__(self) -> str:
        true = "" if self.y_true is None else f"y_true = {_shown(self.y_true)}, "
        return f"{true}y_pred = {_shown(self.y_pred)}"


def _shown(value: Any) -> str:
    array = np.asarray(value)
    if array.size and np.all(array == array.flat[0]):
        return f"{array.flat[0].item():.9g}"
    return str([float(f"{x:.9g}") for x in array.ravel()]) if array.ndim == 1 else str(array.tolist())


def witness(roots: Sequence[Node], builder: Builder, inputs: Mapping[str, Interval], seed: int = 1) -> Witness | None:
    """The plainest data found for which one of the roots (of the same meaning) is not finite; None where none is."""
    layout = builder.layout.ids
    nodes = {str(n.attr("name")): n for n in builder.graph.nodes if n.op == INPUT}
    looked_at = {str(n.attr("name")) for n in reachable(roots) if n.op == INPUT}
    pools = {name: _pool(roots, interval) for name, interval in inputs.items()}
    paired = any(map(is_pairs, layout))
    for size in SIZES:
        if any(_broken(builder, nodes, size)):
            continue
        found: list[Witness] = []
        for data in _trials(nodes, pools, size, paired, np.random.default_rng(seed)):
            for root in roots:
                values = reference.evaluate(root, layout, data, np.float32)
                found += _failing(root, values, data["y_true"] if "y_true" in looked_at else None, data["y_pred"])
        return min(found, key=_extent, default=None)
    return None


def _broken(builder: Builder, nodes: Mapping[str, Node], size: int) -> Iterator[bool]:
    """Whether the sizes that the formula needs are others."""
    sizes: dict[str, int | None] = {}
    for name, node in nodes.items():
        sizes |= {f"{name}.{i}": a.size.offset if a.size.symbol is None else size for i, a in enumerate(node.type.axes)}
    yield from (constraint.broken(sizes) is not None for constraint in builder.constraints)


def _extent(found: Witness) -> tuple[int, float]:
    """How long it takes to say, then how large its numbers are."""
    arrays = [np.asarray(x, float) for x in (found.y_true, found.y_pred) if x is not None]
    return len(str(found)), max(float(np.max(np.abs(x), initial=0.0)) for x in arrays)


def _pool(roots: Sequence[Node], interval: Interval) -> Array:
    """Numbers of an interval at which something may go wrong: its ends, corners, constants and their neighbours."""
    constants = {float(n.value) for n in reachable(roots) if n.is_const and not isinstance(n.value, bool)}
    wanted = {interval.lo, interval.hi, *CORNERS, *(-x for x in CORNERS), *constants, *(-x for x in constants)}
    wanted |= {1.0 - x for x in constants if abs(x) < 1.0}
    numbers = np.array(sorted(wanted), np.float32)
    with np.errstate(over="ignore"):
        near = np.concatenate([numbers, *(np.nextafter(numbers, np.float32(end)) for end in (-np.inf, np.inf))])
    near = near[np.isfinite(near) & (near >= interval.lo) & (near <= interval.hi)]
    plain = (
        (near == 0.0) | (np.abs(near) >= TINY) | (near == np.float32(interval.lo)) | (near == np.float32(interval.hi))
    )
    near = near[plain & ((near == 0.0) | (np.abs(near) >= SMALLEST))]
    return np.unique(near) if near.size else np.array([interval.lo], np.float32)


def _trials(
    nodes: Mapping[str, Node],
    pools: Mapping[str, Array],
    size: int,
    paired: bool,
    random: np.random.Generator,
) -> Iterator[dict[str, Array]]:
    """Samples of one number each, then samples of mixed numbers."""
    count, trials = (PAIRED, [True] * 6) if paired else (SAMPLES, [False, True])
    for mixed in trials:
        data: dict[str, Array] = {}
        for name, node in nodes.items():
            if not node.type.axes:
                data[name] = np.ones((), np.float32)
                continue
            shape = tuple(count if a.id == BATCH else a.size.offset if a.size.symbol is None else size
                          for a in node.type.axes)  # fmt: skip
            pool = pools.get(name, np.ones(1, np.float32))
            if name == "upstream":
                data[name] = np.ones(shape, np.float32)
                continue
            chosen = random.choice(pool, shape if mixed else (shape[0], *[1] * (len(shape) - 1)))
            data[name] = np.broadcast_to(chosen, shape).copy()
            if node.type.dtype is DType.INT:
                data[name] = random.integers(0, size, shape)
        yield data


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
