"""Oracles and claims of the family: sound and sequences."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from audio_spectra import ctc, multi_resolution_stft, sounds, spoken, stft
from case import Case, Claim, between, case, equals, loss, ordered, unchanged, zero_at_truth
from mpmath import mp
from plain import mean, per_sample, softmax
from samples import Pair, numbers, positive

# -- data --------------------------------------------------------------------------------------------------


def signals(positions: tuple[int, ...] = ()) -> Pair:
    """Signals along the last axis, none with mean 0, and estimates of another scale."""
    random = np.random.default_rng(41)
    true = random.normal(size=(3, *positions, 6)) + 0.3
    return true, 1.4 * true + 0.5 * random.normal(size=true.shape) - 0.2


def phases(positions: tuple[int, ...] = ()) -> Pair:
    random = np.random.default_rng(42)
    return random.uniform(-3, 3, size=(3, *positions, 5)), random.uniform(-9, 9, size=(3, *positions, 5))


def sequences() -> Pair:
    """Class numbers, -1 where a sequence is over; logits."""
    random = np.random.default_rng(43)
    true = random.integers(0, 4, size=(3, 5))
    true[0, 3:] = true[2, 4:] = -1
    return true, 2 * random.normal(size=(3, 5, 4))


def hundreds() -> Pair:
    true, pred = sequences()
    return np.where(true < 0, -100, true), pred


def two_sources() -> Pair:
    """Two sources of six steps; in the first and last sample the estimates are in the other order."""
    random = np.random.default_rng(44)
    true = random.normal(size=(3, 2, 6)) + 0.2
    order = np.array([[1, 0], [0, 1], [1, 0]])
    return true, np.take_along_axis(true, order[:, :, None], axis=1) + 0.6 * random.normal(size=true.shape)


def bins() -> Pair:
    """One-hot sources of five bins; a vector for each."""
    random = np.random.default_rng(45)
    return np.eye(2)[random.integers(0, 2, size=(3, 5))], random.normal(size=(3, 5, 3))


# -- oracles -----------------------------------------------------------------------------------------------


def per_channel(measure: Any) -> Any:
    """The mean over the channels of a sample; the last axis is time."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        rows = zip(t.reshape(-1, t.shape[-1]), p.reshape(-1, p.shape[-1]), strict=True)
        return per_sample(np.array([measure(list(a), list(b), **params) for a, b in rows]).reshape((*t.shape[:-1], 1)))

    return oracle


def dot(a: Any, b: Any) -> Any:
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


def minus(a: Any, b: Any) -> Any:
    return [x - y for x, y in zip(a, b, strict=True)]


def decibels(ratio: Any) -> Any:
    return 10 * mp.log(ratio, 10)


@per_channel
def snr(s: Any, e: Any) -> Any:
    return -decibels(dot(s, s) / dot(minus(s, e), minus(s, e)))


@per_channel
def thresholded_snr(s: Any, e: Any, max_snr: float) -> Any:
    tau = mp.mpf(10) ** (-mp.mpf(max_snr) / 10)
    return -decibels(dot(s, s) / (dot(minus(s, e), minus(s, e)) + tau * dot(s, s)))


def sa_sdr(t: Any, p: Any) -> Any:
    return np.array(
        [
            -decibels(dot(s, s) / dot(s - e, s - e))
            for s, e in zip(t.reshape(len(t), -1), p.reshape(len(p), -1), strict=True)
        ]
    )


def invariant(s: Any, e: Any, zero_mean: bool = True) -> Any:
    """By the cosine of the two signals: what lies along the truth against what stands upright on it."""
    if zero_mean:
        s, e = ([x - mp.fsum(v) / len(v) for x in v] for v in (s, e))
    cosine = dot(s, e) / mp.sqrt(dot(s, s) * dot(e, e))
    return -decibels(cosine**2 / (1 - cosine**2))


si_sdr = per_channel(invariant)


@per_channel
def sd_sdr(s: Any, e: Any) -> Any:
    alpha = dot(s, e) / dot(s, s)
    return -decibels(dot(s, s) / dot(minus(s, e), minus(s, e))) - 20 * mp.log(abs(alpha), 10)


@per_channel
def log_spectral_distance(s: Any, e: Any) -> Any:
    return mp.sqrt(mp.fsum(decibels(x / y) ** 2 for x, y in zip(s, e, strict=True)) / len(s))


def spectral_convergence(t: Any, p: Any) -> Any:
    return np.array([mp.sqrt(dot((s - e).flat, (s - e).flat) / dot(s.flat, s.flat)) for s, e in zip(t, p, strict=True)])


def log_magnitude(t: Any, p: Any) -> Any:
    return per_sample(np.frompyfunc(lambda s, e: abs(mp.log(s / e)), 2, 1)(t, p))


@per_channel
def mel_cepstral_distortion(s: Any, e: Any) -> Any:
    return 10 / mp.log(10) * mp.sqrt(2 * mp.fsum((s[k] - e[k]) ** 2 for k in range(1, len(s))))


def esr(t: Any, p: Any) -> Any:
    return spectral_convergence(t, p) ** 2


def pre_emphasised_esr(t: Any, p: Any, coefficient: float) -> Any:
    def filtered(x: Any) -> Any:
        return np.array([[row[n] - coefficient * row[n - 1] for n in range(1, len(row))] for row in x])

    return esr(filtered(t), filtered(p))


def dc_offset(t: Any, p: Any) -> Any:
    return (per_sample(t) - per_sample(p)) ** 2 / per_sample(t * t)


def anti_wrapping_phase(t: Any, p: Any) -> Any:
    """The angle between the two points of the circle."""
    return per_sample(np.frompyfunc(lambda a, b: mp.acos(mp.cos(a - b)), 2, 1)(t, p))


def deep_clustering(t: Any, p: Any) -> Any:
    each = range(t.shape[1])
    return np.array(
        [sum((p[b, i] @ p[b, j] - t[b, i] @ t[b, j]) ** 2 for i in each for j in each) for b in range(len(t))]
    )


def masked_sequence_crossentropy(t: Any, p: Any, ignore_class: int = -1) -> Any:
    def one(labels: Any, logits: Any) -> Any:
        return mean(
            np.array([-mp.log(softmax(z)[y]) for y, z in zip(labels, logits, strict=True) if y != ignore_class])
        )

    return np.array([one(labels, logits) for labels, logits in zip(t, p, strict=True)])


def best_order(cost: Any) -> Any:
    """The cheapest of all orders of the estimates."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        return np.array(
            [
                min(
                    mean(np.array([cost(s[k], e[i], **params) for k, i in enumerate(order)]))
                    for order in permutations(range(len(s)))
                )
                for s, e in zip(t, p, strict=True)
            ]
        )

    return oracle


permutation_invariant = best_order(lambda s, e: dot(s - e, s - e) / len(s))
permutation_invariant_si_sdr = best_order(invariant)

CASES: list[Case] = [
    case("snr", snr, signals),
    case("thresholded_snr", thresholded_snr, signals, max_snr=6.5),
    case("sa_sdr", sa_sdr, signals),
    case("si_sdr", si_sdr, signals),
    case("si_sdr", si_sdr, signals, zero_mean=False),
    case("sd_sdr", sd_sdr, signals),
    case("log_spectral_distance", log_spectral_distance, positive),
    case("spectral_convergence", spectral_convergence, positive),
    case("log_magnitude", log_magnitude, positive),
    case("mel_cepstral_distortion", mel_cepstral_distortion, numbers),
    case("esr", esr, signals),
    case("pre_emphasised_esr", pre_emphasised_esr, lambda: signals(), coefficient=0.6),
    case("dc_offset", dc_offset, signals),
    case("anti_wrapping_phase", anti_wrapping_phase, phases),
    case("deep_clustering", deep_clustering, bins),
    case("masked_sequence_crossentropy", masked_sequence_crossentropy, sequences),
    case("masked_sequence_crossentropy", masked_sequence_crossentropy, hundreds, ignore_class=-100),
    case("stft", stft, sounds, fft_length=6, hop_length=2, window_length=4),
    case("stft", stft, sounds, fft_length=7, hop_length=2, window_length=4),
    case("stft", stft, sounds, fft_length=8, hop_length=3, window_length=8, floor_power=0.7),
    case(
        "multi_resolution_stft",
        multi_resolution_stft,
        sounds,
        fft_lengths=[4, 8, 6],
        hop_lengths=[1, 3, 2],
        window_lengths=[4, 6, 2],
    ),
    case("ctc", ctc, spoken),
    case("ctc", ctc, lambda: (2 - spoken()[0], spoken()[1]), blank=2),
    case("permutation_invariant", permutation_invariant, two_sources),
    case("permutation_invariant_si_sdr", permutation_invariant_si_sdr, two_sources),
    case("permutation_invariant_si_sdr", permutation_invariant_si_sdr, two_sources, zero_mean=False),
]


# -- claims ------------------------------------------------------------------------------------------------


def louder(t: Any, p: Any) -> Pair:
    """The estimate three times as loud."""
    return t, 3 * p


def both_louder(t: Any, p: Any) -> Pair:
    return 3 * t, 3 * p


def lifted(t: Any, p: Any) -> Pair:
    """Constants added."""
    return t + 0.4, p - 2.5


def exchanged(t: Any, p: Any) -> Pair:
    """The two sources in the other order."""
    return t[:, ::-1], p


def turned(t: Any, p: Any) -> Pair:
    """Whole turns added to the angles."""
    return t + 2 * np.pi, p - 4 * np.pi


def rotated(t: Any, p: Any) -> Pair:
    """All vectors turned by one rotation, and the sources renumbered."""
    turn, _ = np.linalg.qr(np.random.default_rng(46).normal(size=(3, 3)))
    return t[..., ::-1], p @ turn


def padding_does_not_count() -> None:
    true, pred = sequences()
    other = np.where((true < 0)[..., None], 7.5, pred)
    np.testing.assert_allclose(
        loss("masked_sequence_crossentropy", true, other), loss("masked_sequence_crossentropy", true, pred)
    )
    assert np.all(loss("masked_sequence_crossentropy", np.full((2, 5), -1), pred[:2]) == 0)


def ceiling() -> None:
    """At the truth it is max_snr, and no more."""
    true, _ = signals()
    np.testing.assert_allclose(loss("thresholded_snr", true, true, max_snr=20), -20, rtol=1e-9)


def never_above_the_others() -> None:
    """SD-SDR is the SNR with a penalty for a smaller scale: equal at scale 1, and never above SI-SDR."""
    true, pred = signals()
    assert np.all(loss("sd_sdr", true, pred) >= loss("si_sdr", true, pred, zero_mean=False) - 1e-9)


def too_few_times() -> None:
    """Two equal labels need a blank between them; the loss of what can't be said is infinite."""
    scores = np.zeros((3, 2, 3))
    values = loss("ctc", np.array([[1, 2], [1, 1], [1, 0]]), scores)
    assert np.isinf(values[1])
    np.testing.assert_allclose(np.delete(values, 1), -np.log([1 / 9, 3 / 9]))


def far_apart(t: Any, p: Any) -> Pair:
    """Padding anywhere, not at the end alone."""
    return np.stack([np.zeros_like(t[:, 0]), t[:, 0], np.zeros_like(t[:, 0]), t[:, 1]], axis=1), p


INVARIANT = (
    "snr",
    "thresholded_snr",
    "sa_sdr",
    "si_sdr",
    "sd_sdr",
    "log_spectral_distance",
    "esr",
    "pre_emphasised_esr",
    "dc_offset",
)
CLAIMS: list[Claim] = [
    *(
        unchanged(name, "a common scale", positive, both_louder)
        for name in (*INVARIANT, "spectral_convergence", "log_magnitude")
    ),
    unchanged("si_sdr", "the scale of the estimate", signals, louder),
    unchanged("si_sdr", "the scale of the estimate, means kept", signals, louder, zero_mean=False),
    unchanged("si_sdr", "constants", signals, lifted),
    unchanged("anti_wrapping_phase", "whole turns", phases, turned),
    unchanged("permutation_invariant", "the order of the sources", two_sources, exchanged),
    unchanged("permutation_invariant_si_sdr", "the order of the sources", two_sources, exchanged),
    unchanged("deep_clustering", "a rotation, and other numbers of the sources", bins, rotated),
    between("anti_wrapping_phase", phases, 0, np.pi),
    Claim("masked_sequence_crossentropy", "what is ignored does not count", padding_does_not_count),
    Claim("thresholded_snr", "a ceiling of max_snr", ceiling),
    Claim("sd_sdr", "never above SI-SDR", never_above_the_others),
    equals("snr", "10 * log10(esr(y_true, y_pred))", signals),
    equals("thresholded_snr", "snr(y_true, y_pred)", signals, max_snr=200.0),
    equals("sa_sdr", "snr(y_true, y_pred)", signals),
    equals("spectral_convergence", "sqrt(esr(y_true, y_pred))", positive),
    equals("pre_emphasised_esr", "esr(y_true[:, 1:], y_pred[:, 1:])", signals, coefficient=0.0),
    equals("permutation_invariant", "minimum(mse(y_true, y_pred), mse(y_true, flip(y_pred, axis=1)))", two_sources),
    *(
        zero_at_truth(name, positive)
        for name in (
            "log_spectral_distance",
            "spectral_convergence",
            "log_magnitude",
            "mel_cepstral_distortion",
            "esr",
            "dc_offset",
        )
    ),
    zero_at_truth("anti_wrapping_phase", phases),
    zero_at_truth("stft", sounds, fft_length=6, hop_length=2, window_length=4),
    equals(
        "multi_resolution_stft",
        "stft(y_true, y_pred, fft_length=4, hop_length=2, window_length=4)",
        sounds,
        fft_lengths=[4, 4, 4],
        hop_lengths=[2, 2, 2],
        window_lengths=[4, 4, 4],
    ),
    Claim("ctc", "infinite without an alignment", too_few_times),
    unchanged("ctc", "blanks among the labels", spoken, far_apart),
    unchanged("ctc", "a constant added to the scores of a time", spoken, lambda t, p: (t, p + np.arange(4.0)[:, None])),
    *(
        ordered(
            name,
            "falls with less noise",
            signals()[0],
            *(signals()[0] + far * signals()[1] ** 2 for far in (0.1, 0.3, 0.9)),
        )
        for name in ("snr", "si_sdr", "sd_sdr", "esr")
    ),
]

TORCH = [
    (
        "masked_sequence_crossentropy",
        lambda torch, t, p: (
            torch.nn.functional.cross_entropy(p.movedim(-1, 1), t, ignore_index=-1, reduction="none").sum(-1)
            / (t >= 0).sum(-1)
        ),
        sequences,
        {},
    ),
    (
        "ctc",
        lambda torch, t, p: torch.nn.functional.ctc_loss(
            torch.log_softmax(p, -1).movedim(1, 0),
            t,
            torch.full((len(t),), p.shape[1]),
            (t != 0).sum(-1),
            reduction="none",
        ),
        spoken,
        {},
    ),
    (
        "log_magnitude",
        lambda torch, t, p: torch.nn.functional.l1_loss(p.log(), t.log(), reduction="none").mean(-1),
        positive,
        {},
    ),
    (
        "si_sdr",
        lambda torch, t, p: -10 * torch.log10((c := torch.cosine_similarity(t, p, dim=-1) ** 2) / (1 - c)),
        signals,
        {"zero_mean": False},
    ),
]
