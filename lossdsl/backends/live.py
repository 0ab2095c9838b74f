"""The one door to Keras: importing this module makes `lossdsl>Loss` and `lossdsl>Metric` known to it."""

from __future__ import annotations

import os

import keras

from lossdsl.backends.live_config import warn
from lossdsl.backends.live_loss import Loss
from lossdsl.backends.live_metric import Metric

__all__ = ["Loss", "Metric", "keras"]  # the Keras that the classes were made for: the hook compares it

if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
    warn("keras-legacy", None)
