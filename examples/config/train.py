"""Train from a configuration: outputs, losses, weights and metrics all come from the file.

python examples/config/train.py                       # train.yaml
python examples/config/train.py --hydra [loss.gamma=3 ...]
python examples/config/train.py --keras               # compile.yaml, by model.compile_from_config
"""

import argparse
from pathlib import Path

import keras
import yaml
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

import lossdsl

HERE = Path(__file__).parent


def wines():
    """The twelve other measurements of a wine, scaled; its grower; its alcohol, scaled."""
    measured, grower = load_wine(return_X_y=True)
    measured = StandardScaler().fit_transform(measured).astype("float32")
    return measured[:, 1:], {"grower": grower, "alcohol": measured[:, :1]}


def metric(text):
    """A metric of Keras by its name, or a formula."""
    return lossdsl.metric(text, name="bias") if "(" in text else text


def build(outputs, hidden):
    """One hidden layer, and a head for each output of the configuration."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12,))
    shared = keras.layers.Dense(hidden, activation="relu")(inputs)
    return keras.Model(inputs, {name: keras.layers.Dense(name=name, **head)(shared) for name, head in outputs.items()})


def train(path=HERE / "train.yaml", epochs=None):
    """Everything from one file."""
    config = yaml.safe_load(Path(path).read_text("utf-8"))
    training = config["training"]
    x, y = wines()
    model = build(config["model"]["outputs"], config["model"]["hidden"])
    model.compile(
        optimizer=training["optimizer"],
        # A text or a mapping: LossSpec takes both, and says where a formula is wrong before anything trains.
        loss={name: lossdsl.LossSpec.parse(loss).compile() for name, loss in training["losses"].items()},
        loss_weights=training["loss_weights"],
        metrics={name: [metric(text) for text in texts] for name, texts in training["metrics"].items()},
    )
    return report(model.fit(x, y, epochs=epochs or training["epochs"], verbose=0).history)


def train_with_hydra(overrides=(), epochs=None):
    """The loss is made by Hydra from `_target_: lossdsl.compile`."""
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    with initialize_config_dir(str(HERE.resolve()), version_base=None):
        config = compose("hydra", overrides=list(overrides))
    x, y = wines()
    model = build({"alcohol": {"units": 1}}, 16)
    model.compile(optimizer="adam", loss=instantiate(config.loss), metrics=["mae"])
    return report(model.fit(x, {"alcohol": y["alcohol"]}, epochs=epochs or config.epochs, verbose=0).history)


def train_with_keras(epochs=None):
    """The loss is made by Keras from its registered name; importing lossdsl is all it takes."""
    x, y = wines()
    model = build({"alcohol": {"units": 1}}, 16)
    model.compile_from_config(yaml.safe_load((HERE / "compile.yaml").read_text("utf-8")))
    return report(model.fit(x, {"alcohol": y["alcohol"]}, epochs=epochs or 30, verbose=0).history)


def report(history):
    """Print the first and the last value of everything that was measured."""
    for name, values in history.items():
        print(f"{name:40s} {values[0]:8.4f} -> {values[-1]:8.4f}")
    return history


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hydra", nargs="*", metavar="OVERRIDE")
    arguments.add_argument("--keras", action="store_true")
    arguments.add_argument("--epochs", type=int)
    given = arguments.parse_args()
    if given.hydra is not None:
        train_with_hydra(given.hydra, given.epochs)
    elif given.keras:
        train_with_keras(given.epochs)
    else:
        train(epochs=given.epochs)
