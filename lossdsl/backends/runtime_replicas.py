"""A loss on several replicas of TensorFlow: divisors added up, coupled samples gathered.

`lossdsl eject` copies this file after `runtime.py`. Keras divides each replica's loss by its own count and by
the number of replicas, which is another loss where they hold unequal shares: a mask, weights, a short batch.
"""

from __future__ import annotations

from typing import Any

from keras import backend


class Replicas:
    """What one replica can ask of all: `share` is its part of something that every replica computes whole."""

    def __init__(self, tensorflow: Any, context: Any) -> None:
        self.tf = tensorflow
        self.context = context
        self.share = 1.0 / context.num_replicas_in_sync

    def total(self, x: Any) -> Any:
        """The sum over all replicas."""
        return self.context.all_reduce(self.tf.distribute.ReduceOp.SUM, x)

    def rows(self, x: Any) -> Any:
        """The rows of all replicas, in their order."""
        if x.dtype == self.tf.bool:
            return self.tf.cast(self.rows(self.tf.cast(x, self.tf.int32)), self.tf.bool)
        return self.context.all_gather(x, axis=0)

    def own(self, rows: Any, count: Any) -> Any:
        """This replica's `count` rows out of those of all."""
        counts = self.context.all_gather(self.tf.reshape(count, [1]), axis=0)
        start = self.tf.reduce_sum(counts[: self.context.replica_id_in_sync_group])
        return rows[start : start + count]


def replicas() -> Replicas | None:
    """The replicas that this code runs among; None for one alone, and while Keras builds a model outside."""
    if backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context() if tf.distribute.has_strategy() else None
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return Replicas(tf, context)
