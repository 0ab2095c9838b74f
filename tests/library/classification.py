"""Oracles and claims of the family: classes, one or several, ordered, imbalanced, wrongly labelled."""

from __future__ import annotations

import classification_batches
import classification_crossentropy
import classification_imbalance
import classification_labels
import classification_links
import classification_margins
import classification_noise
import classification_ordinal
import classification_teachers
import numpy as np
from classification_shared import WEIGHTS
from samples import bits, bits_logits, classes_logits, one_hot_logits, signs

PARTS = (
    classification_crossentropy,
    classification_margins,
    classification_labels,
    classification_imbalance,
    classification_batches,
    classification_ordinal,
    classification_links,
    classification_noise,
    classification_teachers,
)

CASES = [case for part in PARTS for case in part.CASES]
CLAIMS = [claim for part in PARTS for claim in part.CLAIMS]

TORCH = [
    (
        "multi_margin",
        lambda torch, t, p: torch.nn.functional.multi_margin_loss(p, t, p=2, margin=0.7, reduction="none"),
        classes_logits,
        {"p": 2, "margin": 0.7},
    ),
    (
        "multi_margin",
        lambda torch, t, p: torch.nn.functional.multi_margin_loss(p, t, reduction="none"),
        classes_logits,
        {},
    ),
    (
        "multilabel_margin",
        lambda torch, t, p: torch.nn.functional.multilabel_margin_loss(
            p, torch.tensor([[*np.flatnonzero(row), *[-1] * int(4 - row.sum())] for row in t.numpy()]), reduction="none"
        ),
        bits_logits,
        {},
    ),
    ("logistic", lambda torch, t, p: torch.nn.functional.soft_margin_loss(p, t, reduction="none").mean(-1), signs, {}),
    (
        "binary_crossentropy",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy(p, t, reduction="none").mean(-1),
        bits,
        {},
    ),
    (
        "binary_crossentropy",
        lambda torch, t, p: torch.nn.functional.multilabel_soft_margin_loss(p, t, reduction="none"),
        bits_logits,
        {"from_logits": True},
    ),
    (
        "weighted_binary_crossentropy",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy_with_logits(
            p, t, pos_weight=torch.tensor(WEIGHTS), reduction="none"
        ).mean(-1),
        bits_logits,
        {"from_logits": True, "pos_weight": WEIGHTS},
    ),
    (
        "weighted_categorical_crossentropy",
        lambda torch, t, p: torch.nn.functional.cross_entropy(
            p, t.argmax(-1), weight=torch.tensor(WEIGHTS, dtype=p.dtype), reduction="none"
        ),
        one_hot_logits,
        {"from_logits": True, "weight": WEIGHTS},
    ),
    (
        "categorical_crossentropy",
        lambda torch, t, p: torch.nn.functional.cross_entropy(p, t, label_smoothing=0.2, reduction="none"),
        one_hot_logits,
        {"from_logits": True, "label_smoothing": 0.2},
    ),
    (
        "sparse_categorical_crossentropy",
        lambda torch, t, p: torch.nn.functional.cross_entropy(p, t, reduction="none"),
        classes_logits,
        {"from_logits": True},
    ),
]
"""Losses that PyTorch has: its values, one per sample."""
