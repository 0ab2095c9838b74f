"""Oracles and claims of the family: embeddings, by pairs, triplets, batches and views."""

from __future__ import annotations

from typing import Any

import contrastive_classes
import contrastive_groups
import contrastive_pairs
import contrastive_samples
import contrastive_views
from contrastive_pairs import cosines, distances
from contrastive_shared import vectors

PARTS = (contrastive_pairs, contrastive_groups, contrastive_classes, contrastive_views, contrastive_samples)

CASES = [case for part in PARTS for case in part.CASES]
CLAIMS = [claim for part in PARTS for claim in part.CLAIMS]


def scores(torch: Any, p: Any, temperature: float) -> Any:
    a, b = (torch.nn.functional.normalize(p[:, k], dim=-1) for k in (0, 1))
    return a @ b.T / temperature


TORCH = [
    (
        "triplet",
        lambda torch, t, p: torch.nn.functional.triplet_margin_with_distance_loss(
            p[:, 0],
            p[:, 1],
            p[:, 2],
            distance_function=lambda x, y: ((x - y) ** 2).sum(-1),
            margin=2.5,
            reduction="none",
        ),
        vectors(3),
        {"margin": 2.5},
    ),
    (
        "hinge_embedding",
        lambda torch, t, p: torch.nn.functional.hinge_embedding_loss(p, t, margin=1.7, reduction="none").mean(-1),
        distances,
        {"margin": 1.7},
    ),
    (
        "cosine_embedding",
        lambda torch, t, p: (
            torch.nn.functional.cosine_embedding_loss(
                torch.stack([p, (1 - p * p).sqrt()], -1).reshape(-1, 2),
                torch.tensor([[1.0, 0.0]], dtype=p.dtype).expand(p.numel(), 2),
                t.reshape(-1),
                margin=0.3,
                reduction="none",
            )
            .reshape(p.shape)
            .mean(-1)
        ),
        cosines,
        {"margin": 0.3},
    ),
    (
        "clip_contrastive",
        lambda torch, t, p: (
            (
                torch.nn.functional.cross_entropy(scores(torch, p, 0.4), torch.arange(len(p)), reduction="none")
                + torch.nn.functional.cross_entropy(scores(torch, p, 0.4).T, torch.arange(len(p)), reduction="none")
            )
            / 2
        ),
        vectors(2),
        {"temperature": 0.4},
    ),
]
