"""Thirteen losses that everyone knows, as formulas: each with the value and the gradient of Keras' own.

python examples/classics.py
"""

import keras
import numpy as np
import tensorflow as tf

import lossdsl

# Name in Keras: the formula, and the data it is for.
CLASSICS = {
    "MeanSquaredError": ("mean((y_true - y_pred)**2)", "numbers"),
    "MeanAbsoluteError": ("mean(abs(y_true - y_pred))", "numbers"),
    "MeanAbsolutePercentageError": (
        "100 * mean(abs((y_true - y_pred) / maximum(abs(y_true), epsilon)))",
        "numbers",
    ),
    "MeanSquaredLogarithmicError": (
        "mean((log1p(maximum(y_true, epsilon)) - log1p(maximum(y_pred, epsilon)))**2)",
        "counts",
    ),
    "Huber": ("e = abs(y_true - y_pred); mean(where(e <= 1, 0.5 * e**2, e - 0.5))", "numbers"),
    "Hinge": ("mean(maximum(1 - y_true * y_pred, 0))", "signs"),
    "SquaredHinge": ("mean(maximum(1 - y_true * y_pred, 0)**2)", "signs"),
    "Poisson": ("mean(y_pred - y_true * log(y_pred + epsilon))", "counts"),
    "CosineSimilarity": ("-sum(normalize(y_true) * normalize(y_pred), axis=-1)", "numbers"),
    "BinaryCrossentropy": (
        "p = clip(y_pred, epsilon, 1 - epsilon); -mean(y_true * log(p) + (1 - y_true) * log(1 - p))",
        "bits",
    ),
    "CategoricalCrossentropy": (
        "p = clip(y_pred / sum(y_pred, axis=-1), epsilon, 1 - epsilon); -sum(y_true * log(p), axis=-1)",
        "one-hot",
    ),
    "SparseCategoricalCrossentropy": (
        "p = clip(y_pred, epsilon, 1 - epsilon); -take_along_axis(log(p / sum(p, axis=-1)), y_true)",
        "classes",
    ),
    "KLDivergence": (
        "t = clip(y_true, epsilon, 1); p = clip(y_pred, epsilon, 1); sum(t * log(t / p), axis=-1)",
        "shares",
    ),
}

# Not every loss that people train with stands in Keras. This one says which way a model errs.
SIGNED = "mean(y_pred - y_true)"


def data(kind, seed=0):
    """Eight samples of one kind of target, and predictions that fit it."""
    random = np.random.default_rng(seed)
    shape = (8, 5)
    probabilities = random.dirichlet(np.ones(5), size=8)
    classes = random.integers(0, 5, size=8)
    targets = {
        "numbers": (random.normal(size=shape) + 3, random.normal(size=shape)),
        "counts": (random.poisson(3.0, size=shape) + 1.0, random.uniform(0.5, 5, size=shape)),
        "signs": (random.choice([-1.0, 1.0], size=shape), random.normal(size=shape)),
        "bits": (random.integers(0, 2, size=shape), random.uniform(0.05, 0.95, size=shape)),
        "one-hot": (np.eye(5)[classes], probabilities),
        "classes": (classes, probabilities),
        "shares": (random.dirichlet(np.ones(5), size=8), probabilities),
    }
    y_true, y_pred = targets[kind]
    return y_true.astype("int32" if kind == "classes" else "float32"), y_pred.astype("float32")


def value_and_gradient(loss, y_true, y_pred):
    """What a training step uses."""
    y_pred = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        value = loss(y_true, y_pred)
    return float(value), tape.gradient(value, y_pred).numpy()


def main():
    """Compare all; return the largest differences of values and gradients, by name."""
    differences = {}
    for name, (formula, kind) in CLASSICS.items():
        y_true, y_pred = data(kind)
        ours, our_gradient = value_and_gradient(lossdsl.compile(formula), y_true, y_pred)
        keras_own, keras_gradient = value_and_gradient(getattr(keras.losses, name)(), y_true, y_pred)
        differences[name] = abs(ours - keras_own), float(np.abs(our_gradient - keras_gradient).max())
        print(f"{name:30s} {ours:12.6f}  Keras {keras_own:12.6f}   {formula}")
    y_true, y_pred = data("numbers")
    print(f"{'signed mean':30s} {float(lossdsl.compile(SIGNED)(y_true, y_pred)):12.6f}   {SIGNED}")
    return differences


if __name__ == "__main__":
    main()
