"""The named losses: each a `.loss` file beside this one, in the language itself. Nothing is parsed here."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

ALIASES = {
    "bce": "binary_crossentropy",
    "binary_focal": "binary_focal_crossentropy",
    "categorical_focal": "categorical_focal_crossentropy",
    "cce": "categorical_crossentropy",
    "ccc": "concordance",
    "cosine_proximity": "cosine_similarity",
    "gce": "categorical_generalized_cross_entropy",
    "generalized_cross_entropy": "categorical_generalized_cross_entropy",
    "iou": "jaccard",
    "js_divergence": "jensen_shannon",
    "kl": "kl_divergence",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
    "pinball": "quantile",
    "poly1": "poly1_crossentropy",
    "rmse": "root_mean_squared_error",
    "scce": "sparse_categorical_crossentropy",
    "smape": "symmetric_mean_absolute_percentage_error",
    "supcon": "supervised_contrastive",
    "symmetric_ce": "symmetric_crossentropy",
}
"""Short and older names, and the file that each stands for."""

_SUFFIX = ".loss"


@cache
def names() -> tuple[str, ...]:
    """The names of all library losses, sorted; aliases are not among them."""
    found = (item.name for item in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@cache
def text(name: str) -> str:
    """The definition of a library loss, by its name or an alias; KeyError where there is none."""
    full = ALIASES.get(name, name)
    if full not in names():
        raise KeyError(name)
    return files(__name__).joinpath(full + _SUFFIX).read_text("utf-8")


def summary(name: str) -> str:
    """The first comment line of a library loss."""
    return text(name).split("\n", 1)[0].removeprefix("#").strip()
