"""Rules of rewriting, in the language itself. A name on the left stands for any value, one of `CONSTANTS` for a number,
one of `VARIABLES` for what is none.

`when` is a condition that must be proved from ranges. The tests hold every rule to its laws: one type, equal wherever
the left is defined, undefined only where the left is; of STABILISE, accuracy not worse; of SIMPLIFY, cost lower.
"""

from __future__ import annotations

from dataclasses import dataclass

CONSTANTS = frozenset({"c", "k"})
"""Pattern names that stand for numbers."""
VARIABLES = frozenset({"v"})
"""Pattern names that stand for what is no number."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`left` becomes `right` where `when` is proved, and for nothing where `unless` is.

    `why` says what it is for, or why it is not sound.
    """

    name: str
    left: str
    right: str
    when: str = ""
    why: str = ""
    unless: str = ""


STABILISE = (
    Rule("log-sigmoid", "log(sigmoid(x))", "log_sigmoid(x)"),
    Rule("log-one-minus-sigmoid", "log(1 - sigmoid(x))", "log_sigmoid(-x)"),
    Rule("log1p-minus-sigmoid", "log1p(-sigmoid(x))", "log_sigmoid(-x)"),
    Rule("one-minus-sigmoid", "1 - sigmoid(x)", "sigmoid(-x)"),
    Rule("sigmoid-by-hand", "1 / (1 + exp(-x))", "sigmoid(x)"),
    Rule("softplus-by-hand", "log(1 + exp(x))", "softplus(x)"),
    Rule("softplus-log1p", "log1p(exp(x))", "softplus(x)"),
    Rule("log-softmax", "log(softmax(x, axis=axis))", "log_softmax(x, axis=axis)"),
    Rule("softmax-by-hand", "exp(x) / sum(exp(x), axis=axis)", "softmax(x, axis=axis)"),
    Rule("logsumexp-by-hand", "log(sum(exp(x), axis=axis))", "logsumexp(x, axis=axis)"),
    Rule(
        "logsumexp-where",
        "log(sum(where(p, exp(x), 0), axis=axis))",
        "logsumexp(where(p, x, -3.4028235e38), axis=axis)",
    ),
    Rule("log-exp", "log(exp(x))", "x"),
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
    Rule("xlogy", "x * log(y)", "xlogy(x, y)"),
    Rule("xlog1py", "x * log1p(y)", "xlog1py(x, y)"),
    Rule("log-bernoulli", "x * log_sigmoid(z) + (1 - x) * log_sigmoid(-z)", "log_bernoulli(x, z)"),
    Rule("minus-log-bernoulli", "-(x * log_sigmoid(z)) - (1 - x) * log_sigmoid(-z)", "-log_bernoulli(x, z)"),
    Rule("norm-by-hand", "sqrt(sum(square(x), axis=axis))", "norm(x, axis=axis)"),
    Rule("root-mean-square", "sqrt(mean(square(x), axis=axis))", "norm(x, axis=axis) / sqrt(size(x, axis=axis))"),
    Rule("root-of-variance", "sqrt(var(x, axis=axis))", "std(x, axis=axis)"),
    Rule("complement-of-mixture", "1 - (x * y + (1 - x) * (1 - y))", "x * (1 - y) + (1 - x) * y"),
    Rule("complement-of-choice", "1 - where(p, x, 1 - y)", "where(p, 1 - x, y)"),
    Rule("one-minus-cos", "1 - cos(x)", "2 * square(sin(x / 2))"),
)
"""The same value with less rounding, overflow or NaN."""

FAR = (
    Rule("times-exp", "v * exp(y)", "times_exp(v, y)", unless="y <= 80"),
    Rule("over-exp", "v / exp(y)", "times_exp(v, -y)", unless="y >= -80 and y <= 80"),
)
"""The same value, finite farther out, where the exponential may overflow. For values alone: their gradients then are
too, and in a gradient as such an exponential is there already and need not be computed anew."""

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
    Rule("relu-known", "relu(x)", "x", when="x > 0"),
    Rule("maximum-known", "maximum(x, c)", "x", when="x > c"),
    Rule("minimum-known", "minimum(x, c)", "x", when="x < c"),
    Rule("abs-times-sign", "abs(x) * sign(x)", "x"),
    Rule("choice-of-choice", "where(p, where(p, x, y), z)", "where(p, x, z)"),
    Rule("choice-of-same", "where(p, x, x)", "x"),
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
    Rule("common-factor-less", "x * y - x * z", "x * (y - z)"),
    Rule("inverse-times", "1 / x * y", "y / x"),
    Rule("divide-by-root", "x / sqrt(y)", "x * rsqrt(y)"),
    Rule("xdivy-times", "xdivy(x, y) * y", "x"),
)
"""The same with less work, and defined at some points where the left is not: for gradients alone, since a value says
what it was asked for, infinities included."""

_ROOT = "sqrt(where({0} == 0, 1, {0}))"
DIFFERENTIABLE = (
    Rule(
        "norm-in-gradient",
        "norm(x, axis=axis)",
        f"({{0}} != 0) * {_ROOT}".format("sum(square(x), axis=axis)"),
        why="the root of 0 has no derivative, and a gradient is differentiated again",
    ),
    Rule(
        "std-in-gradient",
        "std(x, axis=axis)",
        f"({{0}} != 0) * {_ROOT}".format("var(x, axis=axis)"),
        why="as the norm",
    ),
)
"""The same value from roots of numbers that are not 0: for gradients, after all other rules."""

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
