"""Shims of the gamma function: `lossdsl.ops.gamma` says what they are, and why in this way.

What goes into a branch is kept where the branch is good, so that a framework that differentiates all of them meets
nothing infinite. Polynomials are for float32, by interpolation at Chebyshev's points; series have as many terms as the
type can tell (Abramowitz and Stegun 1964, 6.1.41, 6.3.18 and 6.4.12).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def is_double(*values: Any) -> bool:
    """Whether one of them is float64."""
    return any(hasattr(v, "dtype") and keras.backend.standardize_dtype(v.dtype) == "float64" for v in values)


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """c[0] + c[1] * x + c[2] * x**2 + ..."""
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def lgamma_of_backend(x: Any) -> Any:
    """log |gamma(x)|, by the backend."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.lgamma(x)
    if keras.backend.backend() == "jax":
        import jax

        return jax.scipy.special.gammaln(x)
    import torch

    return torch.lgamma(x)


def lgamma1p(d: Any) -> Any:
    """log gamma(1 + d), for d from -0.4 to 0.6."""
    if is_double(d):
        return lgamma_of_backend(1.0 + d)
    return d * polynomial(
        d,
        (
            -0.5772156646, 0.8224670306, -0.4006857412, 0.2705813025, -0.207378925, 0.1695314826, -0.1441908463,
            0.1260803317, -0.1102017091, 0.09415019724, -0.09210351504, 0.110552481, -0.1010913212, 0.04081812969,
        ),
    )  # fmt: skip


def lgamma2p(d: Any) -> Any:
    """log gamma(2 + d), for d from -0.52 to 1."""
    if is_double(d):
        return lgamma_of_backend(2.0 + d)
    return d * polynomial(
        d,
        (
            0.4227843353, 0.3224670275, -0.06735231535, 0.02058104598, -0.007385474696, 0.00288786826,
            -0.001190984599, 0.0005199108063, -0.0002377662649, 9.253893608e-05, -1.900560174e-05,
        ),
    )  # fmt: skip


def stirling(x: Any) -> Any:
    """What log gamma(x) is more than (x - 1/2) * log(x) - x + log(2 * pi) / 2, for x from 3 on."""
    terms = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
    inverse = 1.0 / x
    return inverse * polynomial(ops.square(inverse), terms if is_double(x) else terms[:6])


def lgamma_above(x: Any) -> Any:
    """log gamma(x), for x from 1.48 on; between 3 and 4 from that of x - 1."""
    if is_double(x):
        return lgamma_of_backend(x)
    between = x >= 3.0
    near = lgamma2p(ops.clip(ops.where(between, x - 3.0, x - 2.0), -0.52, 1.0))
    near = near + ops.where(between, ops.log(ops.clip(x - 1.0, 2.0, 3.0)), 0.0)
    far = ops.maximum(x, 4.0)
    log_far = (far - 0.5) * (ops.log(far) - 1.0) + (0.4189385332046727 + stirling(far))
    return ops.where(x < 4.0, near, log_far)


def lgamma_positive(x: Any) -> Any:
    """log gamma(x), for x from 0 on."""
    tiny = x < 0.6
    near = lgamma1p(ops.where(tiny, ops.maximum(x, 0.0), ops.clip(x - 1.0, -0.4, 0.6)))
    low = near - ops.where(tiny, ops.log(ops.where(tiny, x, 1.0)), 0.0)
    return ops.where(x < 1.5, low, lgamma_above(ops.maximum(x, 1.5)))


def lgamma(x: Any) -> Any:
    """log |gamma(x)|, with all digits near 1 and 2, where it is 0: XLA's own has none there."""
    if is_double(x):
        return lgamma_of_backend(x)
    positive = x > 0
    here = lgamma_positive(ops.where(positive, x, 1.0 - x))
    rest = ops.where(positive, 0.5, x - ops.round(x))
    return ops.where(positive, here, ops.log(3.141592653589793 / ops.abs(ops.sin(3.141592653589793 * rest))) - here)


def digamma(x: Any) -> Any:
    """Derivative of `lgamma`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.digamma(x)
    if keras.backend.backend() == "jax":
        import jax

        return jax.scipy.special.digamma(x)
    import torch

    return torch.digamma(x)


def trigamma_positive(x: Any) -> Any:
    """Derivative of `digamma`, for x above 0: terms by the recurrence, then a series."""
    total, steps = 0.0, 15 if is_double(x) else 6
    for i in range(steps):
        total = total + ops.square(1.0 / (x + float(i)))
    inverse = 1.0 / (x + float(steps))
    terms = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    square = ops.square(inverse)
    series = polynomial(square, terms if is_double(x) else terms[:4])
    return total + (inverse + square * (0.5 + inverse * series))


def trigamma(x: Any) -> Any:
    """Derivative of `digamma`; by reflection for negative numbers."""
    positive = x > 0
    value = trigamma_positive(ops.where(positive, x, 1.0 - x))
    pi = 3.141592653589793
    rest = ops.where(positive, 0.5, x - ops.round(x))
    return ops.where(positive, value, ops.square(pi / ops.sin(pi * rest)) - value)


def exp_below(x: Any) -> Any:
    """exp(x), but no larger than what can be multiplied once more."""
    return ops.exp(ops.minimum(x, 700.0 if is_double(x) else 85.0))


def lgamma_exp(x: Any) -> Any:
    """log gamma(exp(x)): -x where exp(x) is 0, all digits where it is nearly 1."""
    power = ops.exp(x)
    low = x < -0.511
    near = lgamma1p(ops.where(low, ops.minimum(power, 0.6), ops.expm1(ops.clip(x, -0.511, 0.4))))
    near = near - ops.where(low, x, 0.0)
    return ops.where(x < 0.4, near, lgamma_above(ops.maximum(power, 1.48)))


def exp_digamma(x: Any) -> Any:
    """exp(x) * digamma(exp(x)), the derivative of `lgamma_exp`: -1 where exp(x) is 0."""
    power = ops.exp(x)
    return power * digamma(1.0 + power) - 1.0


def digamma_series(a: Any, b: Any) -> Any:
    """(digamma(1 / b) - digamma(1 / a) - log(a / b)) / (a - b) for a and b up to 1 / 4."""
    terms = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    square_a, square_b = ops.square(a), ops.square(b)
    # (a**2k - b**2k) / (a**2 - b**2), for one k after the other
    sums, power, series = 1.0, square_b, 0.0
    for term in terms if is_double(a, b) else terms[:4]:
        series = series + term * sums
        sums, power = sums * square_a + power, power * square_b
    return 0.5 + (a + b) * series


def digamma_gap(x: Any, d: Any) -> Any:
    """digamma(x + d) - digamma(x) for x and x + d above 0: every term has the factor d."""
    total, steps = 0.0, 15 if is_double(x, d) else 4
    for i in range(steps):
        total = total + d / (x + float(i) + d) * (1.0 / (x + float(i)))  # XLA makes one quotient of two
    a, b = 1.0 / (x + float(steps)), 1.0 / (x + float(steps) + d)
    return total + (ops.log1p(d * a) + d * a * b * digamma_series(a, b))


def trigamma_gap(x: Any, d: Any) -> Any:
    """trigamma(x + d) - trigamma(x), as `digamma_gap`."""
    total, steps = 0.0, 15 if is_double(x, d) else 4
    for i in range(steps):
        low, high = 1.0 / (x + float(i)), 1.0 / (x + float(i) + d)
        total = total + d / (x + float(i) + d) * low * (low + high)
    a, b = 1.0 / (x + float(steps)), 1.0 / (x + float(steps) + d)
    # a**k - b**k is (a - b) * sums, for k = 1, 2, 3, 5, 7, ...
    terms = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    sums, power, series = a + b, ops.square(b), 1.0 + 0.5 * (a + b)
    for term in terms if is_double(x, d) else terms[:4]:
        sums, power = sums * a + power, power * b
        series = series + term * sums
        sums, power = sums * a + power, power * b
    return -(total + d * a * b * series)


def exp_digamma_gap(x: Any, y: Any) -> Any:
    """exp(x) * (digamma(exp(x) + exp(y)) - digamma(exp(x))); the first term of the recurrence is a sigmoid."""
    power = exp_below(x)
    return ops.sigmoid(y - x) + power * digamma_gap(1.0 + power, exp_below(y))


def log1p_less(x: Any) -> Any:
    """log(1 + x) - x: log(1 + x) is twice the inverse tanh of x / (2 + x)."""
    small = ops.clip(x, -0.5, 1.0)
    s = small / (2.0 + small)
    square = ops.square(s)
    terms = tuple(2 / (2 * k + 3) for k in range(16 if is_double(x) else 7))
    near = s * (square * polynomial(square, terms) - small)
    return ops.where(ops.equal(x, small), near, ops.log1p(x) - x)


def stirling_slope(low: Any, high: Any) -> Any:
    """(stirling(low) - stirling(high)) / (high - low), from 3 on."""
    a, b = 1.0 / low, 1.0 / high
    terms = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
    # (a**k - b**k) / (a - b) for k = 1, 3, 5, ...
    sums, power, series = 1.0, b, 0.0
    for term in terms if is_double(low, high) else terms[:6]:
        series = series + term * sums
        sums, power = sums * a + power, power * b
        sums, power = sums * a + power, power * b
    return a * b * series


def far_edge(*values: Any) -> tuple[float, float]:
    """From where on Stirling's series has all digits, and the logarithm of that."""
    return (8.0, 2.0794415416798357) if is_double(*values) else (3.0, 1.0986122886681098)


def lgamma_rise_far(q: Any, p: Any, ratio: Any) -> Any:
    """log gamma(q + p) - log gamma(q) - p * log(q) for q from `far_edge` on, by Stirling's series; `ratio` is p / q."""
    return q * log1p_less(ratio) + (p - 0.5) * ops.log1p(ratio) - p * stirling_slope(q, q + p)


def lgamma_rise(x: Any, n: Any) -> Any:
    """log gamma(n + exp(x)) - log gamma(exp(x)) - n * x, which vanishes for large x.

    A few factors of the product one by one, then Stirling's series. From 1/2 on n is counted from 1, since the factor
    exp(x) itself adds nothing; below, every term has the factor n.
    """
    power, count = exp_below(x), 15 if is_double(x, n) else 7
    inside, above = n + power > 0, ops.cast(n >= 0.5, x.dtype)
    more, first = ops.where(inside, n - above, 0.0), power + above
    ratio = more * ops.exp(-x)
    wide = ops.logical_and(ratio > 1.0, above < 1.0)
    large = ops.where(wide, more, 1.0)
    steps = ops.where(
        wide,
        ops.log(large) - x + ops.log1p(power / large),
        ops.log1p(ops.where(above < 1.0, ops.where(wide, 0.0, ratio), more / (1.0 + power))),
    )
    for i in range(1, count):
        steps = steps + ops.log1p(more / (first + float(i)))
    q = first + float(count)
    far = ops.log1p((above + count) * ops.exp(-ops.maximum(x, 0.0)))
    value = lgamma_rise_far(q, more, more / q) + (more * ops.where(x > 0, far, ops.log(q) - x) - steps)
    return ops.where(inside, value, lgamma(ops.where(inside, 1.0, n + power)) - lgamma_exp(x) - n * x)


def digamma_rise(x: Any, n: Any) -> Any:
    """digamma(n + exp(x)) - x, the derivative of `lgamma_rise` by n; it vanishes for large x."""
    power, count, steps = exp_below(x), 15 if is_double(x, n) else 5, 0.0
    inside = n + power > 0
    first = ops.where(inside, n + power, 1.0)
    for i in range(count):
        steps = steps + 1.0 / (first + float(i))
    near = n + float(count)
    far = ops.log1p(ops.maximum(near, 0.0) * ops.exp(-ops.maximum(x, 0.0)))
    inverse = 1.0 / (first + float(count))
    square = ops.square(inverse)
    terms = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    rest = inverse * 0.5 + square * polynomial(square, terms if is_double(x, n) else terms[:3])
    value = ops.where(ops.logical_and(x > 0, near > 0), far, -ops.log(inverse) - x) - rest - steps
    return ops.where(inside, value, digamma(ops.where(inside, 1.0, n + power)) - x)


def lgamma_rise_slope(x: Any, n: Any) -> Any:
    """exp(x) * (digamma(n + exp(x)) - digamma(exp(x))) - n, the derivative of `lgamma_rise` by x."""
    edge = 2.0794415416798357
    power = exp_below(x)
    inside, above = n + power > 0, ops.cast(n >= 0.5, x.dtype)
    more, near = ops.where(inside, n - above, 0.0), ops.exp(ops.minimum(x, edge))
    # digamma_gap of exp(x) and n, but for the first term where n is counted from 0
    below = near * digamma_gap(1.0 + near, ops.where(x < edge, more, 0.0)) - more
    below = below + (1.0 - above) * more / ops.where(ops.equal(more, 0), 1.0, near + more)
    far = above + ops.maximum(power, 8.0)
    ratio = ops.where(x < edge, 0.0, more) / far
    a = 1.0 / far
    b = a / (1.0 + ratio)
    beyond = far * log1p_less(ratio) - above * ops.log1p(ratio) + (far - above) * ratio * b * digamma_series(a, b)
    beyond = ops.where(x < edge, below, beyond)
    other = ops.where(inside, 0.5, n + power)
    return ops.where(inside, beyond, power * (digamma(other) - digamma(ops.where(inside, 1.0, power))) - n)


def log_beta_exp(x: Any, y: Any) -> Any:
    """log of the beta function of exp(x) and exp(y)."""
    low, high = ops.minimum(x, y), ops.maximum(x, y)
    p, (least, edge) = exp_below(low), far_edge(x, y)
    # neither large: what is nearly 1 is taken from there
    whole = ops.minimum(p, least) + ops.exp(ops.minimum(high, edge))
    tiny = whole < 0.6
    log_whole = ops.where(tiny, ops.logaddexp(ops.minimum(x, 0.0), ops.minimum(y, 0.0)), 0.0)
    of_whole = lgamma_positive(ops.where(tiny, 1.0 + whole, whole))
    of_whole = ops.where(tiny, lgamma1p(ops.minimum(whole, 0.6)) - log_whole, of_whole)
    of_low, of_high = lgamma_exp(ops.minimum(low, edge)), lgamma_exp(ops.minimum(high, edge))
    above_one = [ops.expm1(ops.clip(v, -0.3, 0.3)) for v in (x, y)]
    near_one = lgamma1p(above_one[0]) + lgamma1p(above_one[1]) - lgamma2p(above_one[0] + above_one[1])
    direct = ops.where(ops.logical_and(low > -0.3, high < 0.3), near_one, of_low + of_high - of_whole)
    # one large, or both
    q, ratio = ops.maximum(exp_below(high), least), ops.exp(low - ops.maximum(high, edge))
    one = of_low - p * high - lgamma_rise_far(q, p, ratio)
    far = ops.maximum(p, least)
    both = p * (low - high) - 0.5 * low + (0.9189385332046727 + stirling(far))
    both = both + p * stirling_slope(q, q + p) - (q + p - 0.5) * ops.log1p(ratio)
    return ops.where(high < edge, direct, ops.where(low < edge, one, both))


def gamma_entropy(x: Any) -> Any:
    """x + log gamma(x) + (1 - x) * digamma(x): log(x) / 2 and little more for large x."""
    edge = 15.0 if is_double(x) else 3.0
    near, far = ops.minimum(x, edge), ops.maximum(x, edge)
    direct = near + lgamma(near) + (1.0 - near) * digamma(near)
    inverse = 1.0 / far
    square = ops.square(inverse)
    terms = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    rest = (far - 1.0) * square * polynomial(square, terms) + stirling(far) - 0.5 * inverse
    series = 0.5 * ops.log(far) + 1.4189385332046727 + rest
    return ops.where(x < edge, direct, series)


def gamma_entropy_slope(x: Any) -> Any:
    """1 + (1 - x) * trigamma(x), the derivative of `gamma_entropy`."""
    edge = 15.0 if is_double(x) else 3.0
    near, far = ops.minimum(x, edge), ops.maximum(x, edge)
    direct = 1.0 + (1.0 - near) * trigamma(near)
    inverse = 1.0 / far
    square = ops.square(inverse)
    terms = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    series = polynomial(square, terms)
    return ops.where(x < edge, direct, 0.5 * inverse + square * (0.5 - (1.0 - inverse) * series))
