"""Focal loss for two classes and for ten, and a cross-entropy against over-confidence, on scanned digits.

python examples/focal.py [--epochs N]
"""

import argparse

import keras
import numpy as np
from sklearn.datasets import load_digits

import lossdsl

# Two classes. `gamma` turns down what is easy, `alpha` balances the classes.
BINARY = """
# Focal loss for dense detection (Lin et al. 2017, arXiv:1708.02002)
y_true: float[batch, *] in {0, 1}
y_pred: prob[batch, *]
gamma: float = 2.0 in [0, inf)
alpha: float = 0.25 in [0, 1]

p_t     = where(y_true == 1, y_pred, 1 - y_pred)
alpha_t = where(y_true == 1, alpha, 1 - alpha)
mean(-alpha_t * (1 - p_t)**gamma * log(maximum(p_t, epsilon)))
"""

# Many classes, each with its own alpha. The vector lies along the axis `classes`, so its length is checked.
MULTI_CLASS = """
y_true: label[batch]
y_pred: prob[batch, classes]
gamma: float = 2.0 in [0, inf)
alpha: float[classes]

weighted = -alpha * (1 - y_pred)**gamma * log(maximum(y_pred, epsilon))
take_along_axis(weighted, y_true)
"""

# Cross-entropy with a share `eps` of the uniform distribution: certainty is never the best answer.
SOFT = "-(1 - eps) * sum(y_true * log(y_pred), axis=-1) - eps * mean(log(y_pred), axis=-1)"


def digits():
    """Pictures as rows of 64 numbers in [0, 1], and which digit each shows."""
    pictures, labels = load_digits(return_X_y=True)
    return (pictures / 16).astype("float32"), labels


def train(x, y, outputs, activation, loss, epochs):
    """A small network; the loss after each epoch, and the predictions in the end."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(outputs, activation=activation)]
    model = keras.Sequential(layers)
    model.compile(optimizer="adam", loss=loss)
    losses = model.fit(x, y, epochs=epochs, batch_size=64, verbose=0).history["loss"]
    return losses, model.predict(x, verbose=0)


def main(epochs):
    """Train three times; return the losses after each epoch, by name."""
    x, y = digits()
    is_eight = (y == 8).astype("float32")
    binary, found = train(x, is_eight, 1, "sigmoid", lossdsl.compile(BINARY, alpha=0.9), epochs)
    right = np.mean((found[:, 0] > 0.5) == is_eight)
    print(f"is it an 8?   focal {binary[0]:.4f} -> {binary[-1]:.4f}, right {right:.1%}")

    # Rare digits would get more; here 8, which is the hardest to read.
    alpha = [1.0] * 8 + [2.0, 1.0]
    loss = lossdsl.compile(MULTI_CLASS, alpha=alpha)
    many, found = train(x, y, 10, "softmax", loss, epochs)
    print(f"which digit?  focal {many[0]:.4f} -> {many[-1]:.4f}, right {np.mean(found.argmax(-1) == y):.1%}")
    try:
        lossdsl.compile(MULTI_CLASS, alpha=[1.0, 2.0])(y[:4], found[:4])
    except lossdsl.LossError as error:
        print("\nTwo weights for ten classes:\n" + "\n".join(str(error).splitlines()[2:]) + "\n")

    one_hot = np.eye(10, dtype="float32")[y]
    soft, found = train(x, one_hot, 10, "softmax", lossdsl.compile(SOFT, eps=0.1), epochs)
    print(f"not too sure: soft  {soft[0]:.4f} -> {soft[-1]:.4f}, mean confidence {found.max(-1).mean():.1%}")
    return {"binary": binary, "multi-class": many, "soft": soft}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=20)
    main(arguments.parse_args().epochs)
