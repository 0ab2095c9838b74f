"""Oracles and claims of the family: preferences, rewards and policies."""

from __future__ import annotations

import preference_answers
import preference_policies
import preference_weights
from preference_answers import answers
from preference_policies import action_values

PARTS = (preference_answers, preference_policies, preference_weights)

CASES = [case for part in PARTS for case in part.CASES]
CLAIMS = [claim for part in PARTS for claim in part.CLAIMS]

TORCH = [
    (
        "dpo",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy_with_logits(
            0.3 * ((p - t)[:, 0] - (p - t)[:, 1]), torch.full((len(p),), 0.85, dtype=p.dtype), reduction="none"
        ),
        answers(),
        {"beta": 0.3, "label_smoothing": 0.15},
    ),
    (
        "dqn",
        lambda torch, t, p: torch.nn.functional.huber_loss(
            p.gather(1, t[:, :1].long())[:, 0], t[:, 1] + 0.8 * (1 - t[:, 2]) * t[:, 3], delta=0.7, reduction="none"
        ),
        action_values,
        {"gamma": 0.8, "delta": 0.7},
    ),
]
