"""A loss that Keras doesn't have, written as one line, on data that anyone can picture: y = 2x and noise.

python examples/quickstart.py [--epochs N]
"""

import argparse

import keras
import numpy as np
import yaml

import lossdsl

# An absolute error that costs more the larger it is.
FORMULA = "mean(abs(y_true - y_pred) * 0.5 * (1 + abs(y_true - y_pred)))"

# The same, as it would stand in a configuration file.
CONFIG = f"""
optimizer: {{class_name: Adam, config: {{learning_rate: 0.05}}}}
loss: {FORMULA}
metrics: [mae]
"""


def data(seed=0):
    """200 points on the line y = 2x, with noise."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, size=(200, 1)).astype("float32")
    return x, 2 * x + 0.1 * random.normal(size=x.shape).astype("float32")


def train(loss, optimizer, metrics, epochs):
    """The slope that a single neuron learns, and its loss after each epoch."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    history = model.fit(*data(), epochs=epochs, verbose=0).history
    losses, slope = history["loss"], float(model.layers[0].kernel[0, 0])
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, mae {history['mae'][-1]:.4f}, slope {slope:.3f}")
    return slope, losses


def main(epochs):
    """Train twice: from Python, and from the text of a configuration."""
    loss = lossdsl.compile(FORMULA)
    print("formula:", loss.formula)
    direct = train(loss, keras.optimizers.Adam(0.05), ["mae"], epochs)

    config = yaml.safe_load(CONFIG)
    optimizer = keras.optimizers.get(config["optimizer"])
    from_text = train(lossdsl.compile(config["loss"]), optimizer, config["metrics"], epochs)
    return direct, from_text


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=100)
    main(arguments.parse_args().epochs)
