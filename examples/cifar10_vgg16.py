"""VGG16 on CIFAR-10: cross-entropy as a formula, beside the one that Keras has.

python examples/cifar10_vgg16.py                                  # downloads the data and the weights
python examples/cifar10_vgg16.py --data digits --weights none     # the same program where it can't
"""

import argparse

import keras
import numpy as np

import lossdsl

# xlogy(0, 0) is 0, so that a probability of 0 for a wrong class is no trouble.
FORMULA = "-sum(xlogy(y_true, y_pred), axis=-1)"


def load(name):
    """Pictures (n, 32, 32, 3) in [0, 255] and one-hot labels: for training, and for the test."""
    if name == "cifar10":
        (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
    else:
        from sklearn.datasets import load_digits

        pictures, labels = load_digits(return_X_y=True)
        pictures = pictures.reshape(-1, 8, 8, 1).repeat(4, 1).repeat(4, 2).repeat(3, 3) * (255 / 16)
        (x, x_test), (y, y_test) = np.split(pictures, [1500]), np.split(labels, [1500])
    pictures = [part.astype("float32") for part in (x, x_test)]
    labels = [keras.utils.to_categorical(part, 10) for part in (y, y_test)]
    return (pictures[0], labels[0]), (pictures[1], labels[1])


def build(weights):
    """VGG16 without its top, and a new one for ten classes."""
    base = keras.applications.VGG16(include_top=False, weights=weights, input_shape=(32, 32, 3), pooling="avg")
    base.trainable = weights is None
    pictures = keras.Input((32, 32, 3))
    prepared = keras.applications.vgg16.preprocess_input(pictures)
    return keras.Model(pictures, keras.layers.Dense(10, activation="softmax")(base(prepared)))


def main(data, weights, epochs, samples):
    """Train with the formula and with the built-in; return the losses of both after each epoch."""
    (x, y), (x_test, y_test) = load(data)
    losses = {"formula": lossdsl.compile(FORMULA), "built-in": keras.losses.CategoricalCrossentropy()}
    history = {}
    for name, loss in losses.items():
        keras.utils.set_random_seed(0)
        model = build(None if weights == "none" else weights)
        model.compile(optimizer=keras.optimizers.Adam(1e-4), loss=loss, metrics=["accuracy"])
        test = (x_test[:samples], y_test[:samples])
        fitted = model.fit(x[:samples], y[:samples], epochs=epochs, batch_size=64, validation_data=test, verbose=0)
        history[name] = fitted.history["loss"]
        right = fitted.history["val_accuracy"][-1]
        print(f"{name:9s} loss {history[name][0]:.4f} -> {history[name][-1]:.4f}, test right {right:.1%}")
    return history


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", choices=["cifar10", "digits"], default="cifar10")
    arguments.add_argument("--weights", choices=["imagenet", "none"], default="imagenet")
    arguments.add_argument("--epochs", type=int, default=5)
    arguments.add_argument("--samples", type=int, default=None, help="use only so many pictures")
    given = arguments.parse_args()
    main(given.data, given.weights, given.epochs, given.samples)
