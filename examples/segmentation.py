"""A flower cut out of a photograph in grey, with five losses: cross-entropy, focal, Dice, Tversky, two of them added.

The picture is scikit-learn's `flower.jpg`. What is red in it is the flower; the model sees no colours. It learns from
the left part, and is asked about the right.

python examples/segmentation.py     # a table, and segmentation.png
"""

import argparse
from pathlib import Path

import keras
import numpy as np

import lossdsl

LOSSES = {
    "cross-entropy": {"formula": "binary_crossentropy"},
    "focal": {"formula": "binary_focal_crossentropy", "params": {"gamma": 2.0}},
    "Dice": {"formula": "dice", "params": {"smooth": 1.0}},
    "Tversky": {"formula": "tversky", "params": {"alpha": 0.2, "beta": 0.8, "smooth": 1.0}},
    "Dice and cross-entropy": {
        "formula": """
            term edge = 0.5 * binary_crossentropy(y_true, y_pred)
            term region = 0.5 * dice(y_true, y_pred, smooth=1)
        """
    },
}
SIDE, STEP, SHRINK = 32, 8, 3


def flower():
    """The photograph in grey (height, width, 1), and where the flower is."""
    from sklearn.datasets import load_sample_image

    colours = load_sample_image("flower.jpg")[::SHRINK, ::SHRINK].astype("float32") / 255
    red, green, blue = np.moveaxis(colours, -1, 0)
    mask = (red > 1.15 * green) & (red > 0.25)
    grey = 0.3 * red + 0.59 * green + 0.11 * blue
    return grey[..., None], mask.astype("float32")[..., None]


def patches(picture, columns):
    """Squares of a picture that lie within some columns."""
    rows = range(0, picture.shape[0] - SIDE + 1, STEP)
    places = [(r, c) for r in rows for c in range(columns[0], columns[1] - SIDE + 1, STEP)]
    return np.stack([picture[r : r + SIDE, c : c + SIDE] for r, c in places])


def network():
    """Two resolutions, and the way back up."""
    seen = keras.Input((None, None, 1))
    conv = {"padding": "same", "activation": "relu"}
    fine = keras.layers.Conv2D(12, 3, **conv)(seen)
    coarse = keras.layers.Conv2D(24, 3, strides=2, **conv)(fine)
    for _ in range(2):
        coarse = keras.layers.Conv2D(24, 3, dilation_rate=2, **conv)(coarse)
    back = keras.layers.Conv2DTranspose(12, 2, strides=2, **conv)(coarse)
    both = keras.layers.Concatenate()([fine, back])
    return keras.Model(seen, keras.layers.Conv2D(1, 1, activation="sigmoid")(both))


def measures(true, pred):
    """Overlap over union, the share of the flower that was found, and the share of what was found that is flower."""
    found, hits = pred > 0.5, np.sum((pred > 0.5) * true)
    union = np.sum(np.maximum(found, true))
    return {"overlap": hits / union, "found": hits / np.sum(true), "of those right": hits / max(np.sum(found), 1)}


def main(epochs):
    """Train with every loss; the measures, and pictures of the right part: grey, mask, and what each loss finds."""
    grey, mask = flower()
    middle = grey.shape[1] // 2 // 2 * 2
    x, y = patches(grey, (0, middle)), patches(mask, (0, middle))
    height, width = (size // 2 * 2 for size in (grey.shape[0], grey.shape[1] - middle))
    seen, truth = grey[:height, middle : middle + width], mask[:height, middle : middle + width]
    found, pictures = {}, {"seen": seen, "flower": truth}
    for name, spec in LOSSES.items():
        keras.utils.set_random_seed(0)
        model = network()
        model.compile(keras.optimizers.Adam(0.003), loss=lossdsl.compile(**spec))
        model.fit(x, y, epochs=epochs, batch_size=16, verbose=0)
        pictures[name] = model.predict(seen[None], verbose=0)[0]
        found[name] = measures(truth, pictures[name])
    return found, pictures


def draw(pictures, path):
    """All pictures, side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(pictures), figsize=(2.2 * len(pictures), 3.6), layout="constrained")
    for panel, (name, shown) in zip(panels, pictures.items(), strict=True):
        panel.imshow(shown[..., 0], cmap="gray" if name == "seen" else "magma", vmin=0, vmax=1)
        panel.set_title(name, fontsize=9)
        panel.axis("off")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=15)
    arguments.add_argument("--picture", type=Path, default=Path("segmentation.png"))
    given = arguments.parse_args()
    results, shown = main(given.epochs)
    print(f"{'':24}" + "".join(f"{measure:>16}" for measure in measures(np.ones(1), np.ones(1))))
    for name, values in results.items():
        print(f"{name:24}" + "".join(f"{value:16.3f}" for value in values.values()))
    draw(shown, given.picture)
    print(f"\npicture: {given.picture}")
