"""Twenty losses from one YAML file, each training the same small model on real data: what does each do to the result?

python examples/loss_zoo.py     # a table, and loss_zoo.png
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import yaml

import lossdsl

CONFIG = Path(__file__).parent / "config" / "loss_zoo.yaml"


def patients(mistyped=0.0):
    """Diabetes: ten measurements, and the disease a year later in standard deviations; the test is never mistyped."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    x, y = x / x.std(0), ((y - y.mean()) / y.std())[:, None]
    random = np.random.default_rng(0)
    order = random.permutation(len(y))
    x, y = x[order].astype("float32"), y[order].astype("float32")
    typed = np.where(random.random((300, 1)) < mistyped, 10 * np.abs(y[:300]) + 5, y[:300])
    return (x[:300], typed), (x[300:], y[300:])


def digits(wrong=0.0):
    """Handwritten digits and their numbers, some of them wrong; those of the test are right."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    random = np.random.default_rng(1)
    order = random.permutation(len(y))
    x, y = (x[order] / 16).astype("float32"), y[order]
    noisy = np.where(random.random(1200) < wrong, random.integers(0, 10, 1200), y[:1200])
    return (x[:1200], noisy), (x[1200:], y[1200:])


def eights():
    """Digits again: 1 for an eight."""
    (x, y), (x_test, y_test) = digits()
    return (x, (y == 8).astype("float32")[:, None]), (x_test, (y_test == 8).astype("float32")[:, None])


def of_numbers(true, pred):
    return {"error (rms)": np.sqrt(np.mean((true - pred) ** 2)), "truths below": np.mean(true < pred)}


def of_classes(true, pred):
    return {"right": np.mean(pred.argmax(-1) == true), "sure of it": np.mean(pred.max(-1))}


def of_rare(true, pred):
    hits = np.sum((pred > 0.5) * true)
    return {"found": hits / np.sum(true), "of those right": hits / max(np.sum(pred > 0.5), 1)}


TASKS = {
    # task: its data, what is measured, outputs, activation
    "numbers": (patients, of_numbers, 1, None),
    "outliers": (lambda: patients(mistyped=1 / 6), of_numbers, 1, None),
    "wrong_labels": (lambda: digits(wrong=0.4), of_classes, 10, "softmax"),
    "rare": (eights, of_rare, 1, "sigmoid"),
}


def train(loss, data, outputs, activation, epochs):
    """The predictions for the test of a small model that was trained with a loss."""
    (x, y), (x_test, _) = data
    keras.utils.set_random_seed(0)
    layers = [keras.Input(x.shape[1:]), keras.layers.Dense(32, activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(outputs, activation=activation)])
    model.compile(keras.optimizers.Adam(0.01), loss=loss)
    model.fit(x, y, epochs=epochs, batch_size=100, verbose=0)
    return model.predict(x_test, verbose=0)


def main(epochs):
    """Train with every loss of the file; what was measured, by task and loss."""
    found = {}
    for task, losses in yaml.safe_load(CONFIG.read_text("utf-8")).items():
        make, measure, outputs, activation = TASKS[task]
        data = make()
        for name, spec in losses.items():
            loss = lossdsl.compile(**spec, name=name)
            predicted = train(loss, data, outputs, activation, epochs)
            found.setdefault(task, {})[name] = measure(data[1][1], predicted)
    return found


def table(found):
    """The figures, a task after another."""
    for task, losses in found.items():
        measures = list(next(iter(losses.values())))
        print(f"\n{task.replace('_', ' '):24}" + "".join(f"{measure:>16}" for measure in measures))
        for name, values in losses.items():
            print(f"  {name.replace('_', ' '):22}" + "".join(f"{value:16.3f}" for value in values.values()))


def picture(found, path):
    """A panel a task: two bars for each loss."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(11, 7), layout="constrained")
    for panel, (task, losses) in zip(panels.flat, found.items(), strict=True):
        places = np.arange(len(losses))
        for i, measure in enumerate(next(iter(losses.values()))):
            bars = panel.bar(places + 0.38 * i, [values[measure] for values in losses.values()], 0.36, label=measure)
            panel.bar_label(bars, fmt="%.2f", fontsize=7)
        panel.set_xticks(places + 0.19, [name.replace("_", "\n") for name in losses], fontsize=8)
        panel.set_title(task.replace("_", " "))
        panel.margins(y=0.25)
        panel.legend(loc="upper left", ncols=2, fontsize=8, frameon=False)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=30)
    arguments.add_argument("--picture", type=Path, default=Path("loss_zoo.png"))
    given = arguments.parse_args()
    results = main(given.epochs)
    table(results)
    picture(results, given.picture)
    print(f"\npicture: {given.picture}")
