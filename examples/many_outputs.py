"""Two inputs, two outputs: a formula for each, by list and by name, with weights and metrics.

python examples/many_outputs.py [--epochs N]
"""

import argparse

import keras
import numpy as np

import lossdsl

PRICE = "mean(square(log1p(y_true) - log1p(relu(y_pred))))"
SOLD = "-mean(xlogy(y_true, y_pred) + xlogy(1 - y_true, 1 - y_pred))"


def data(seed=0):
    """Houses that never stood: their size and place, what they cost, and whether they were sold."""
    random = np.random.default_rng(seed)
    size, place = random.uniform(0, 2, size=(2, 256, 1)).astype("float32")
    price = 1 + size * (1 + place)
    sold = (price < 3).astype("float32")
    return {"size": size, "place": place}, {"price": price, "sold": sold}


def build():
    """A network with two heads."""
    keras.utils.set_random_seed(0)
    size, place = keras.Input((1,), name="size"), keras.Input((1,), name="place")
    hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Concatenate()([size, place]))
    price = keras.layers.Dense(1, name="price")(hidden)
    sold = keras.layers.Dense(1, activation="sigmoid", name="sold")(hidden)
    return keras.Model({"size": size, "place": place}, {"price": price, "sold": sold})


def main(epochs):
    """Train twice; return both histories, which hold the same numbers."""
    x, y = data()
    losses = {"price": lossdsl.compile(PRICE), "sold": lossdsl.compile(SOLD)}

    # By name. Metrics are formulas too; `as_metric` is the loss itself as a mean over all samples.
    by_name = build()
    by_name.compile(
        optimizer="adam",
        loss=losses,
        loss_weights={"price": 2.0, "sold": 0.5},
        metrics={
            "price": ["mae", lossdsl.metric("mean(y_pred)", name="mean_price")],
            "sold": ["accuracy", losses["sold"].as_metric(name="surprise")],
        },
    )
    named = by_name.fit(x, y, epochs=epochs, verbose=0).history

    # By list, in the order of the outputs.
    by_list = build()
    by_list.compile(optimizer="adam", loss=[losses["price"], losses["sold"]], loss_weights=[2.0, 0.5])
    listed = by_list.fit(x, [y["price"], y["sold"]], epochs=epochs, verbose=0).history

    print("by name:", ", ".join(f"{name} {values[-1]:.4f}" for name, values in named.items()))
    print("by list:", ", ".join(f"{name} {values[-1]:.4f}" for name, values in listed.items()))
    return named, listed


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=50)
    main(arguments.parse_args().epochs)
