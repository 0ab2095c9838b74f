"""Rules of rewriting, in the language itself. A name on the left stands for any value, one of `CONSTANTS` for a number,
one of `VARIABLES` for what is none.

`when` is a condition that must be proved from ranges. The tests hold every rule to its laws: one type, equal wherever
the left is defined, undefined only where the left is; of STABILISE, accuracy not worse; of SIMPLIFY, cost lower.
"""

from __future__ import annotations

from dataclasses import dataclass

CONSTANTS = frozenset({"c", "k"})
"""Pattern names that stand for numbers."""
VARIABLES = frozenset({"v", "w"})
"""Pattern names that stand for what is no number."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """`left` becomes `right` where `when` is proved, and for nothing where `unless` is.

    `why` says what it is for, or why it is not sound. One for `entries` is not applied to what sums over axes are part
    of: they are rounded more than it could spare. With `defined`, what `when` compares has to be a number besides: a
    comparison of NaN is false.
    """

    name: str
    left: str
    right: str
    when: str = ""
    why: str = ""
    unless: str = ""
    entries: bool = False
    defined: bool = False


_LENGTHS = "(norm(x, axis=axis) * norm(y, axis=axis))"
_LEAST = "maximum(norm(x, axis=axis), sqrt(c))"
_COSINE = "sum(normalize(x, axis=axis) * normalize(y, axis=axis), axis=axis)"

_BELOW = "0.5 + 0.5 * erf(x / 1.4142135623730951)"
_ABOVE = "0.5 - 0.5 * erf(x / 1.4142135623730951)"

DIFFERENCES = (
    Rule("log10-difference", "log10(x) - log10(y)", "log_difference(x, y) * 0.4342944819032518"),
    Rule("log2-difference", "log2(x) - log2(y)", "log_difference(x, y) * 1.4426950408889634"),
    Rule("log-difference", "log(x) - log(y)", "log_difference(x, y)"),
    Rule("log1p-difference", "log1p(x) - log1p(y)", "log1p_difference(x, y)"),
)
"""Differences of two values of one function. Other terms of a sum may stand between them."""

STABILISE = (
    Rule("log-sigmoid", "log(sigmoid(x))", "log_sigmoid(x)"),
    Rule("log-one-minus-sigmoid", "log(1 - sigmoid(x))", "log_sigmoid(-x)"),
    Rule("log1p-minus-sigmoid", "log1p(-sigmoid(x))", "log_sigmoid(-x)"),
    Rule("one-minus-sigmoid", "1 - sigmoid(x)", "sigmoid(-x)"),
    # of c - (x - x) TensorFlow makes (c + x) - x, in which c may be lost
    Rule("less-itself", "x - x", "x * 0"),
    Rule("sigmoid-by-hand", "1 / (1 + exp(-x))", "sigmoid(x)"),
    Rule("softplus-by-hand", "log(1 + exp(x))", "softplus(x)"),
    Rule("softplus-log1p", "log1p(exp(x))", "softplus(x)"),
    Rule("log-softmax", "log(softmax(x, axis=axis))", "log_softmax(x, axis=axis)"),
    Rule("one-minus-softmax", "1 - softmax(x, axis=axis)", "softmax_others(x, axis=axis)"),
    Rule("log-softmax-others", "log(softmax_others(x, axis=axis))", "log_softmax_others(x, axis=axis)"),
    Rule("log1p-minus-softmax", "log1p(-softmax(x, axis=axis))", "log_softmax_others(x, axis=axis)"),
    Rule("softmax-by-hand", "exp(x) / sum(exp(x), axis=axis)", "softmax(x, axis=axis)"),
    Rule("logsumexp-by-hand", "log(sum(exp(x), axis=axis))", "logsumexp(x, axis=axis)"),
    Rule(
        "logsumexp-where",
        "log(sum(where(p, exp(x), 0), axis=axis))",
        "logsumexp(where(p, x, -3.4028235e38), axis=axis)",
    ),
    Rule("log-exp", "log(exp(x))", "x"),
    Rule("sqrt-exp", "sqrt(exp(x))", "exp(0.5 * x)"),
    Rule("rsqrt-exp", "rsqrt(exp(x))", "exp(-0.5 * x)"),
    Rule("log-cosh", "log(cosh(x))", "log_cosh(x)"),
    Rule("log-cosh-by-softplus", "x + softplus(-2 * x) - 0.6931471805599453", "log_cosh(x)"),
    Rule(
        "log-one-minus-least",
        "log(maximum(1 - x, c))",
        "maximum(log1p(-minimum(x, 0.99999994)), log(c))",
        when="c >= 6e-8 and c <= 0.5",
    ),
    Rule("log1p", "log(1 + x)", "log1p(x)"),
    Rule("log1p-minus", "log(1 - x)", "log1p(-x)"),
    Rule("expm1", "exp(x) - 1", "expm1(x)"),
    Rule("expm1-apart", "exp(x) - y - 1", "expm1(x) - y"),
    Rule("expm1-turned", "1 - exp(x)", "-expm1(x)"),
    Rule("log1m-exp", "log(-expm1(x))", "log1m_exp(x)"),
    Rule("log-ratio", "log(v / w)", "log_ratio(v, w)", unless="v / w <= 0.5 or v / w >= 2", entries=True),
    *DIFFERENCES,
    Rule("xlogy-ratio", "xlogy(x, v / w)", "xlog_ratio(x, v, w)"),
    Rule("exp-difference", "exp(x) - exp(y)", "exp_difference(x, y)"),
    Rule("xlogy", "x * log(y)", "xlogy(x, y)"),
    Rule("xlog1py", "x * log1p(y)", "xlog1py(x, y)"),
    Rule("log-bernoulli", "x * log_sigmoid(z) + (1 - x) * log_sigmoid(-z)", "log_bernoulli(x, z)"),
    Rule("minus-log-bernoulli", "-(x * log_sigmoid(z)) - (1 - x) * log_sigmoid(-z)", "-log_bernoulli(x, z)"),
    Rule("norm-by-hand", "sqrt(sum(square(x), axis=axis))", "norm(x, axis=axis)"),
    Rule("root-mean-square", "sqrt(mean(square(x), axis=axis))", "root_mean_square(x, axis=axis)"),
    Rule(
        "variance-by-squares",
        "mean(square(x), axis=axis) - square(mean(x, axis=axis))",
        "var(x, axis=axis)",
    ),
    Rule(
        "part-of-variance",
        "mean(square(x), axis=axis) - c * square(mean(x, axis=axis))",
        "var(x, axis=axis) + (1 - c) * square(mean(x, axis=axis))",
    ),
    Rule("root-of-variance", "sqrt(var(x, axis=axis))", "std(x, axis=axis)"),
    Rule("complement-of-mixture", "1 - (x * y + (1 - x) * (1 - y))", "x * (1 - y) + (1 - x) * y"),
    Rule("complement-of-choice", "1 - where(p, x, 1 - y)", "where(p, 1 - x, y)"),
    Rule("less-square", "1 - square(1 - x)", "less_power(x, power=2)"),
    Rule("less-cube", "1 - (1 - x) * square(1 - x)", "less_power(x, power=3)"),
    Rule("less-fourth-power", "1 - square(square(1 - x))", "less_power(x, power=4)"),
    Rule("one-minus-square", "1 - square(x)", "(1 - x) * (1 + x)"),
    Rule("difference-of-squares", "square(x) - square(y)", "(x - y) * (x + y)"),
    Rule("log-near-one", "log(x + c)", "log1p(x + (c - 1))", when="x >= 0 and c >= 0.25 and c <= 4"),
    Rule("bernoulli-by-softplus", "x * z - softplus(z)", "log_bernoulli(x, z)"),
    Rule("minus-bernoulli-by-softplus", "softplus(z) - x * z", "-log_bernoulli(x, z)"),
    Rule("one-minus-square-of-tanh", "1 - square(tanh(x))", "4 * sigmoid(2 * x) * sigmoid(-2 * x)"),
    Rule("log-normal-cdf", f"log({_BELOW})", "log_normal_cdf(x)"),
    Rule("log-normal-tail", f"log({_ABOVE})", "log_normal_cdf(-x)"),
    Rule("log-half-normal-cdf", "log(0.5 * (1 + erf(x / 1.4142135623730951)))", "log_normal_cdf(x)"),
    Rule("log-half-normal-tail", "log(0.5 * (1 - erf(x / 1.4142135623730951)))", "log_normal_cdf(-x)"),
    Rule("bernoulli-by-hand", "relu(z) - x * z + softplus(-abs(z))", "-log_bernoulli(x, z)"),
    Rule("bernoulli-by-maximum", "maximum(z, 0) - x * z + softplus(-abs(z))", "-log_bernoulli(x, z)"),
    Rule("softplus-of-difference", "logaddexp(x, y) - x", "softplus(y - x)"),
    Rule("logaddexp-gap", "softplus(x) - logaddexp(x, y)", "logaddexp_gap(x, y)"),
    Rule("exp-times-softplus", "exp(y) * softplus(x - y)", "exp_softplus(x, y)"),
    Rule("exp-times-log-sigmoid", "exp(y) * log_sigmoid(y - x)", "-exp_softplus(x, y)"),
    Rule(
        "crossentropy-of-scores",
        "sum(x * log_softmax(y, axis=axis), axis=axis)",
        "sum_log_softmax(y, x, axis=axis)",
    ),
    Rule(
        "divergence-of-softmaxes",
        "sum(exp(log_softmax(x, axis=axis)) * (log_softmax(x, axis=axis) - log_softmax(y, axis=axis)), axis=axis)",
        "softmax_divergence(x, y, axis=axis)",
    ),
    Rule(
        "divergence-from-softmax",
        "sum(softmax(x, axis=axis) * (log_softmax(x, axis=axis) - log_softmax(y, axis=axis)), axis=axis)",
        "softmax_divergence(x, y, axis=axis)",
    ),
    Rule("others-sum", "sum(x, axis=axis) - x", "others_sum(x, axis=axis)"),
    Rule("lgamma-of-exp", "lgamma(exp(x))", "lgamma_exp(x)"),
    Rule("log-beta", "lgamma_exp(x) + lgamma_exp(y) - lgamma(exp(x) + exp(y))", "log_beta_exp(x, y)"),
    Rule(
        "log-dirichlet",
        "sum(lgamma_exp(x), axis=axis) - lgamma(sum(exp(x), axis=axis))",
        "log_dirichlet(x, axis=axis)",
    ),
    Rule("lgamma-rise", "lgamma(z + exp(x)) - lgamma_exp(x) - z * x", "lgamma_rise(x, z)"),
    Rule(
        "digamma-of-sum",
        "digamma(sum(x, axis=axis)) - digamma(x)",
        "digamma_gap(x, others_sum(x, axis=axis))",
        when="x > 0",
    ),
    Rule("gamma-entropy", "x + lgamma(x) + (1 - x) * digamma(x)", "gamma_entropy(x)"),
    Rule(
        "gamma-entropy-of-exp",
        "exp(x) + lgamma_exp(x) + -expm1(x) * digamma(exp(x))",
        "gamma_entropy(exp(x))",
    ),
    Rule("expm1-of-half-log", "expm1(0.5 * log1p_square(x, c))", "hypotm1(x * c)"),
    Rule("direction", "x / norm(x, axis=axis)", "normalize(x, axis=axis)"),
    Rule("direction-by-inverse", "x * (1 / norm(x, axis=axis))", "normalize(x, axis=axis)"),
    Rule("cosine", f"sum(x * y, axis=axis) / {_LENGTHS}", _COSINE),
    Rule("minus-cosine", f"-sum(x * y, axis=axis) / {_LENGTHS}", f"-{_COSINE}"),
    Rule(
        "projection",
        "sum(x * y, axis=axis) / sum(square(x), axis=axis)",
        "sum(normalize(x, axis=axis) * y, axis=axis) / norm(x, axis=axis)",
    ),
    Rule(
        "projection-guarded",
        "sum(x * y, axis=axis) / maximum(sum(square(x), axis=axis), c)",
        f"sum(x / {_LEAST} * y, axis=axis) / {_LEAST}",
        when="c > 0",
    ),
    Rule("relative-gap", "abs(x - y) / maximum(abs(x) + abs(y), c)", "relative_gap(x, y, c)"),
    Rule("constant-less", "c - c * x", "c * (1 - x)"),
    Rule("one-minus-cos", "1 - cos(x)", "2 * square(sin(x / 2))"),
)
"""The same value with less rounding, overflow or NaN."""

QUOTIENTS = (
    Rule("quotient-apart", "x / y", "part(x, y) + (1)", entries=True),
    Rule("product-apart", "v * x / y", "v * part(x, y) + (v)", entries=True),
    Rule("xdivy-apart", "xdivy(x, y)", "xdivy(x - y, y) - (y == 0) + (1)", entries=True),
    Rule("product-over-apart", "xdivy(v * x, y)", "xdivy(v * (x - y), y) - v * (y == 0) + (v)", entries=True),
)
SUMS = (
    Rule("exp-rest", "exp(x)", "exp_rest(x) + (x + 1)"),
    Rule("expm1-rest", "expm1(x)", "exp_rest(x) + (x)"),
    Rule("log1p-rest", "log1p(x)", "-log1p_rest(x) + (x)"),
    Rule("log-rest", "log(x)", "-ratio_rest(x, 1) + (x - 1)"),
    Rule("ratio-rest", "log_ratio(x, y)", "-ratio_rest(x, y) + (x / y - 1)"),
    Rule("ratio-rest-turned", "log_ratio(x, y)", "ratio_rest(y, x) + (1 - y / x)"),
    Rule("difference-rest", "log_difference(x, y)", "-ratio_rest(x, y) + (x / y - 1)"),
    Rule("difference-rest-turned", "log_difference(x, y)", "ratio_rest(y, x) + (1 - y / x)"),
    Rule("deviance", "xlog_ratio(x, x, y)", "deviance(x, y) + (x - y)"),
    Rule("deviance-turned", "xlog_ratio(x, y, x)", "-deviance(x, y) + (y - x)"),
    Rule("deviance-of-logs", "x * log_difference(x, y)", "deviance(x, y) + (x - y)"),
    Rule("deviance-from-one", "xlogy(x, x)", "deviance(x, 1) + (x - 1)"),
    Rule("deviance1p", "xlog1py(1 + x, x)", "deviance1p(x) + (x)"),
    Rule("xexp-rest", "x * exp(x)", "xexp_rest(x) + (expm1(x))"),
    *QUOTIENTS,
)
"""Identities for terms of a sum: the left side is `core + (rest)`, and the rest cancels against other terms. What is
left has the same value with less rounding. See `lossdsl.rewrite.sums`."""
CANCELLED = Rule("cancelled", "x - x", "0")
"""What is said where terms of a gradient cancel."""

LIGHTER = (
    Rule("log-of-quotient", "log_ratio(x, y)", "log_quotient(x, y)", when="x > 0 or y >= 0"),
    Rule("xlog-of-quotient", "xlog_ratio(x, y, z)", "x * log_quotient(y, z)", when="x > 0 and (y > 0 or z >= 0)"),
)
"""The same by rows with less work, of which no other rule knows: after all of those."""

FAR = (
    Rule("times-exp", "v * exp(y)", "times_exp(v, y)", unless="y <= 80"),
    Rule("over-exp", "v / exp(y)", "times_exp(v, -y)", unless="y >= -80 and y <= 80"),
    Rule("xlog-ratio", "v * log_ratio(y, z)", "xlog_ratio(v, y, z)"),
)
"""The same value, finite farther out: where the exponential may overflow, or a logarithm is infinite that counts 0
times. For values alone: their gradients then are too, and in a gradient as such an exponential is there already and
need not be computed anew."""

SIMPLIFY = (
    Rule("add-zero", "x + 0", "x"),
    Rule("subtract-zero", "x - 0", "x"),
    Rule("times-one", "x * 1", "x"),
    Rule("over-one", "x / 1", "x"),
    Rule("times-minus-one", "x * -1", "-x"),
    Rule("minus-minus", "-(-x)", "x"),
    Rule("add-negative", "x + -y", "x - y"),
    Rule("subtract-negative", "x - -y", "x + y"),
    Rule("product-of-negatives", "-x * -y", "x * y"),
    Rule("complement-of-complement", "1 - (1 - x)", "x"),
    Rule("negative-constant", "-(x * c)", "x * -c"),
    Rule("negative-times", "-x * c", "x * -c"),
    Rule("negative-difference", "-(x - y)", "y - x"),
    Rule("constant-chain", "x * c * k", "x * (c * k)"),
    Rule("constant-over", "x * c / k", "x * (c / k)"),
    Rule("square-by-power", "x ** 2", "square(x)"),
    Rule("power-one", "x ** 1", "x"),
    Rule("cube", "x ** 3", "x * square(x)"),
    Rule("fourth-power", "x ** 4", "square(square(x))"),
    Rule("square-root-by-power", "x ** 0.5", "sqrt(x)", when="x >= 0"),
    Rule("three-halves", "x ** 1.5", "x * sqrt(x)", when="x > 0"),
    Rule("inverse-root-by-power", "x ** -0.5", "rsqrt(x)", when="x > 0"),
    Rule("inverse-by-power", "x ** -1", "1 / x"),
    Rule("inverse-square", "x ** -2", "1 / square(x)"),
    Rule("inverse-root", "1 / sqrt(x)", "rsqrt(x)"),
    Rule("square-of-norm", "square(norm(x, axis=axis))", "sum(square(x), axis=axis)"),
    Rule("square-by-product", "x * x", "square(x)"),
    Rule("square-of-abs", "square(abs(x))", "square(x)"),
    Rule("square-of-negative", "square(-x)", "square(x)"),
    Rule("abs-of-negative", "abs(-x)", "abs(x)"),
    Rule("root-of-square", "sqrt(square(x))", "abs(x)"),
    Rule("xdivy-known", "xdivy(y, x)", "y / x", when="x > 0"),
    Rule("abs-known", "abs(x)", "x", when="x >= 0"),
    Rule("nonzero-known", "nonzero(x)", "x", when="x > 0"),
    Rule("relu-known", "relu(x)", "x", when="x > 0"),
    Rule("maximum-known", "maximum(x, c)", "x", when="x > c"),
    Rule("minimum-known", "minimum(x, c)", "x", when="x < c"),
    Rule("abs-times-sign", "abs(x) * sign(x)", "x"),
    Rule("choice-of-choice", "where(p, where(p, x, y), z)", "where(p, x, z)"),
    Rule("choice-of-same", "where(p, x, x)", "x"),
    Rule("choice-known", "where(p, x, y)", "x", when="p", defined=True),
    Rule("choice-known-else", "where(p, x, y)", "y", when="not p", defined=True),
    Rule("choice-of-not", "where(not p, x, y)", "where(p, y, x)"),
    Rule("choice-of-choice-else", "where(p, x, where(p, y, z))", "where(p, x, z)"),
    Rule("choices-joined", "where(p, x, 0) + where(p, 0, y)", "where(p, x, y)"),
)
"""The same value with less work."""

GRADIENT = (
    Rule("choice-of-factor", "where(p, 1.0, 0.0) * x", "where(p, x, 0)"),
    Rule("choice-of-no-factor", "where(p, 0.0, 1.0) * x", "where(p, 0, x)"),
    Rule("choices-added", "where(p, 0, x) + where(p, 0, y)", "where(p, 0, x + y)"),
    Rule("choices-subtracted", "where(p, 0, x) - where(p, 0, y)", "where(p, 0, x - y)"),
    Rule("common-factor", "x * y + x * z", "x * (y + z)"),
    Rule("common-factor-of-number", "x + x * c", "x * (1 + c)"),
    Rule("common-factor-less", "x * y - x * z", "x * (y - z)"),
    Rule("common-divisor", "x / z + y / z", "(x + y) / z"),
    Rule("common-divisor-less", "x / z - y / z", "(x - y) / z"),
    Rule("weight-of-odds", "z * x / y - z * (1 - x) / (1 - y)", "z * (x / y - (1 - x) / (1 - y))"),
    Rule("odds-apart", "x / y - (1 - x) / (1 - y)", "(x - y) / (y * (1 - y))", when="y >= 0 and y <= 1"),
    Rule("odds-apart-turned", "(1 - x) / (1 - y) - x / y", "(y - x) / (y * (1 - y))", when="y >= 0 and y <= 1"),
    Rule("inverse-times", "1 / x * y", "y / x"),
    Rule("damped-times", "damped(1.0, y) * x", "damped(x, y)"),
    Rule("divide-by-root", "x / sqrt(y)", "x * rsqrt(y)"),
    Rule("xdivy-times", "xdivy(x, y) * y", "x"),
)
"""The same with less work, and defined at some points where the left is not: for gradients alone, since a value says
what it was asked for, infinities included."""

_ABOVE = "maximum(1 - x, 0)"
PRINTED = (
    Rule("centered", "x - mean(x, axis=axis)", "centered(x, axis=axis)"),
    Rule("std-by-distances", "std(x, axis=axis)", "root_mean_square(centered(x, axis=axis), axis=axis)"),
    Rule("one-less-bounded-cube", f"1 - {_ABOVE} * square({_ABOVE})", "less_power(minimum(x, 1), power=3)"),
)
"""The same value with fewer digits lost, but worse to derive from: for what is printed, after all else."""

NOT_SOUND = (
    Rule("div-self", "x / x", "1", why="0 / 0 is NaN, and so is inf / inf"),
    Rule("times-zero", "x * 0", "0", why="inf * 0 is NaN"),
    Rule("minus-self", "x - x", "0", why="inf - inf is NaN"),
    Rule("exp-log", "exp(log(x))", "x", why="the logarithm of a negative number is NaN"),
    Rule(
        "log-of-product",
        "log(x * y)",
        "log(x) + log(y)",
        why="two negative numbers have a product with a logarithm",
    ),
    Rule("log-of-power", "log(square(x))", "2 * log(x)", why="the square of a negative number has a logarithm"),
    Rule("square-of-root", "square(sqrt(x))", "x", why="the root of a negative number is NaN"),
    Rule("relu-as-maximum", "relu(x)", "maximum(x, 0)", why="the gradient at 0 is 0 and 1"),
    Rule("square-root-any", "x ** 0.5", "sqrt(x)", why="-inf ** 0.5 is inf"),
    Rule("abs-dropped", "abs(x)", "x", why="not for negative numbers"),
    Rule("cancel-factor", "x * y / y", "x", why="0 / 0 is NaN"),
    Rule("distribute-division", "(x + y) / z", "x / z + y / z", why="x / z may overflow where the sum does not"),
)
"""Kept so that nobody adds them: the tests must reject each one."""
