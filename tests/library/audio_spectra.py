"""Oracles of the family that look at spectra of windows, and at all alignments of labels; and the data for them."""

from __future__ import annotations

from itertools import groupby, product
from typing import Any

import numpy as np
from mpmath import mp
from plain import mean, softmax
from samples import Pair


def sounds() -> Pair:
    """Sound of seven samples, mirrored by up to four at its ends."""
    random = np.random.default_rng(47)
    return random.normal(size=(3, 7)), random.normal(size=(3, 7))


def spoken() -> Pair:
    """Labels: one repeated, one filled up with blanks, nothing at all; scores for four times and three classes."""
    random = np.random.default_rng(48)
    return np.array([[1, 1], [2, 0], [0, 0], [2, 1]]), 2 * random.normal(size=(4, 4, 3))


def stft(t: Any, p: Any, fft_length: int, hop_length: int, window_length: int, floor_power: float = 1e-7) -> Any:
    """By complex exponentials, frame by frame, of sound written out with its mirror images."""

    def magnitudes(sound: Any) -> Any:
        half = fft_length // 2
        whole = [*sound[half:0:-1], *sound, *sound[-2 : -half - 2 : -1]]
        found = []
        for start in range(0, len(whole) - fft_length + 1, hop_length):
            first = start + (fft_length - window_length) // 2
            heard = [whole[first + n] * mp.sin(mp.pi * n / window_length) ** 2 for n in range(window_length)]
            for k in range(half + 1):
                wave = mp.fsum(x * mp.expjpi(mp.mpf(-2 * k * n) / fft_length) for n, x in enumerate(heard))
                found.append(mp.sqrt(max(abs(wave) ** 2, mp.mpf(floor_power))))
        return np.array(found)

    pairs = [(magnitudes(list(a)), magnitudes(list(b))) for a, b in zip(t, p, strict=True)]
    return np.array([mp.norm(list(a - b)) / mp.norm(list(a)) + mean(abs(logs(a) - logs(b))) for a, b in pairs])


logs = np.frompyfunc(mp.log, 1, 1)


def multi_resolution_stft(t: Any, p: Any, fft_lengths: Any, hop_lengths: Any, window_lengths: Any) -> Any:
    each = zip(fft_lengths, hop_lengths, window_lengths, strict=True)
    return sum(stft(t, p, *lengths) for lengths in each) / len(fft_lengths)


def ctc(t: Any, p: Any, blank: int = 0) -> Any:
    """Over every path of labels through the times, one by one."""

    def reads(path: Any) -> list[int]:
        return [label for label, _ in groupby(path) if label != blank]

    def chance(labels: Any, scores: Any) -> Any:
        rows = [softmax(row) for row in scores]
        paths = product(range(scores.shape[-1]), repeat=len(rows))
        wanted = [label for label in labels if label != blank]
        return mp.fsum(
            mp.fprod(r[c] for r, c in zip(rows, path, strict=True)) for path in paths if reads(path) == wanted
        )

    return np.array([-mp.log(chance(labels, scores)) for labels, scores in zip(t, p, strict=True)])
