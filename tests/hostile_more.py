"""More of what a stranger's config may hold: everything that nests, doubles, chains or repeats, and what is misused."""

from __future__ import annotations

from hostile_cases import Case


def lets(count: int, step: str) -> str:
    """A chain of bindings, each made of the one before."""
    return "a0=y_pred;" + "".join(f"a{i + 1}={step.format(f'a{i}')};" for i in range(count)) + f"mean(a{count})"


def defs(count: int, step: str, first: str = "x", more: str = "") -> str:
    """A chain of definitions, each calling the one before."""
    head = f"def f0(x{more})={first};"
    return head + "".join(f"def f{i + 1}(x{more})={step.format(f'f{i}')};" for i in range(count))


def terms(count: int, one: str, sign: str = "+") -> str:
    """Many pieces in a row, each with its number."""
    return sign.join(one.replace("#", str(i)) for i in range(count))


def of(text: str) -> str:
    """The pieces, made into a loss."""
    return f"mean({text})"


ALONG = defs(500, "{0}(x,axis)", "sum(x,axis=axis)", ",axis")
LABELS = "y_true: label[batch]\ny_pred: float[batch, c]\n"

NESTING = {
    "definitions that double": Case(text=defs(30, "{0}(x)+{0}(x)") + of("f30(y_pred)"), code="too-many-steps"),
    "definitions that double and differ": Case(
        text=defs(30, "{0}(x)+{0}(x+1)") + of("f30(y_pred)"), code="too-many-steps"
    ),
    "definitions inside each other": Case(text=defs(30, "{0}({0}(x))") + of("f30(y_pred)"), code="too-many-steps"),
    "definitions in a chain": Case(text=defs(500, "{0}(x)+1") + of("f500(y_pred)")),
    "library losses that double": Case(
        text=defs(20, "{0}(x)+{0}(x*2)", "mse(y_true,x)*x") + of("f20(y_pred)"), code="too-many-steps"
    ),
    "an axis handed on 500 times": Case(text=ALONG + of("f500(y_pred,-1)")),
    "a wrong axis handed on 500 times": Case(text=ALONG + of("f500(y_pred,7)"), code="axis-out-of-range", at="7"),
    "an axis to expand, handed on": Case(
        text=defs(500, "{0}(x,axis)", "expand_dims(x,axis)", ",axis") + of("f500(y_pred,-1)")
    ),
    "an axis that doubles": Case(
        text=defs(40, "{0}(x,axis=(axis,axis))", "sum(x,axis=axis)", ",axis") + of("f40(y_pred,-1)"), code="axis-twice"
    ),
    "no axis, doubled": Case(
        text=defs(40, "{0}(x,axis=(axis,axis))", "sum(x,axis=axis)", ",axis") + "mean(y_pred)*f40(1,all)",
        code="too-many-steps",
    ),
    "bindings that square": Case(text=lets(250, "{0}*{0}")),
    "bindings of softmax": Case(text=lets(100, "softmax({0})*{0}")),
    "bindings of choices": Case(text=lets(100, "where({0}>0,{0},{0}*{0})")),
    "calls": Case(text=of("abs(" * 60 + "y_pred" + ")" * 60)),
    "powers of y": Case(text=of("**".join(["y_pred"] * 60))),
    "caret": Case(text="^".join(["2"] * 70), code="too-deep"),
    "conditionals": Case(text="y_pred if y_true > 0 else " * 60 + "y_true"),
    "conditions": Case(text=of("where(" + "not " * 60 + "(y_pred > 0), y_pred, 0)")),
    "vectors": Case(text=of("[" * 60 + "1" + "]" * 60 + "*y_pred"), code="ragged-matrix"),
    "tuples": Case(text=of("y_pred, axis=" + "(" * 60 + "-1" + ",)" * 60), code="axis-not-understood"),
    "signs of an axis": Case(text=of("y_pred, axis=" + "-" * 60 + "1")),
    "matrices": Case(text=of("matmul(" * 60 + "y_pred" + ",[[1]])" * 60)),
    "nesting with the limit raised": Case(text="abs(" * 3_000 + "y_pred" + ")" * 3_000, limits={"nesting": 10_000}),
    "signs with the limit raised": Case(text="-" * 5_000 + "y_pred", limits={"nesting": 10_000}),
    "an axis with the limit raised": Case(text=of("y_pred, axis=" + "-" * 5_000 + "1"), limits={"nesting": 10_000}),
}

WIDTH = {
    "a thousand different terms": Case(text=of(terms(1_000, "abs(y_pred - #)"))),
    "rich terms": Case(text=of(terms(300, "#*sqrt(1+sum(y_pred*#)**2)"))),
    "a thousand terms of the library": Case(text=terms(1_000, "mse(y_true,y_pred)")),
    "ten thousand terms, limits raised": Case(
        text=of(terms(10_000, "y_pred")), limits={"tokens": 40_000, "characters": 100_000, "nodes": 120_000}
    ),
    "a thousand comparisons": Case(text=of("where(" + terms(1_000, "y_pred+#", "<") + ", y_pred, 0)")),
    "a thousand conditions": Case(text=of("where(" + terms(1_000, "y_pred>#", " and ") + ", y_pred, 0)")),
    "a thousand factors": Case(text=of(terms(1_000, "y_pred", "*"))),
    "a thousand slices": Case(text=of("y_pred" + "[..., 1:]" * 1_000)),
    "a thousand vectors": Case(text=of(terms(1_000, "y_pred*[1,#]"))),
    "vectors before any value": Case(text=of(terms(500, "[1,#]") + "+y_pred")),
    "a vector of thousands": Case(text=of("y_pred*[" + terms(7_000, "#", ",") + "]")),
    "constants": Case(text=of("y_pred*(" + terms(8_000, "1") + ")")),
    "named terms": Case(text=terms(300, "term t# = mean(abs(y_pred-#))", ";")),
    "64 parameters": Case(text=terms(64, "p#: float = 1", ";") + ";" + of("y_pred*(" + terms(64, "p#") + ")")),
    "65 parameters": Case(text=terms(65, "p#: float = 1", ";") + ";mean(y_pred)", code="too-many-parameters"),
    "65 given parameters": Case(
        text="mean(y_pred)", code="too-many-parameters", params={f"p{i}": 1 for i in range(65)}
    ),
    "a long vector given": Case(text="mean(y_pred*w)", code="parameter-type", params={"w": [1.0] * 70_000}),
    "513 definitions": Case(text=terms(513, "def f#(x)=x", ";") + ";mean(y_pred)", code="too-many-statements"),
    "thousands of arguments": Case(text=of("abs(" + terms(5_000, "y_pred", ",") + ")"), code="too-many-arguments"),
    "thousands of parameters of a def": Case(text=f"def f(x,{terms(2_500, 'a#=1', ',')})=x;mean(f(y_pred))"),
    "thousands of indices": Case(text=of("y_pred[" + ":," * 5_000 + "0]"), code="too-many-indices"),
    "thousands of axes": Case(
        text=f"y_pred: float[batch,{terms(3_000, 'a#', ',')}]\nmean(y_pred)", code="too-many-axes"
    ),
    "thousands of axis numbers": Case(text=of("y_pred, axis=(" + terms(4_000, "-1", ",") + ")"), code="axis-twice"),
    "thousands of unknown names": Case(text=of(terms(2_500, "q#") + "+y_pred"), code="unknown-name", at="q0"),
    "one unknown name, thousands of times": Case(text=of(terms(7_000, "q") + "+y_pred"), code="unknown-name", at="q"),
    "thousands of unknown functions": Case(text=of(terms(2_500, "q#(y_pred)")), code="unknown-function", at="q0"),
    "long names that are alike": Case(
        text=terms(250, "ab" * 55 + "#=y_pred", ";") + ";" + of(terms(60, "ba" * 55 + "#")), code="unknown-name"
    ),
    "a long sum with one mistake": Case(text=of(terms(7_000, "y_pred") + "+zz"), code="unknown-name", at="zz"),
    "a long sum that no signature mends": Case(
        text=of(terms(6_000, "y_pred") + "+y_pred[...,0]"), code="selected-meets-full"
    ),
    "a name of ten thousand letters": Case(text="q" * 10_000 + "*mean(y_pred)", code="long-name"),
    "a given name of a million letters": Case(text="mean(y_pred)", code="parameter-unused", params={"q" * 10**6: 1}),
    "commas": Case(text=of("," * 10_000), code="missing-before"),
    "semicolons": Case(text=";" * 10_000 + "mean(y_pred)"),
}

MISUSE = {
    "a template for a parameter": Case(text="mean(y_pred)", code="parameter-unused", params={"{0.__class__}": 1}),
    "braces for a parameter": Case(text="mean(y_pred)", code="parameter-unused", params={"{": 1, "}": 1, "{}": 1}),
    "percent": Case(text="mean(y_pred % s)", code="modulo", at="%"),
    "an escape sequence": Case(text="mean(y_pred)", code="parameter-unused", params={"\x1b[31m\n": 1}),
    "names of Python": Case(
        text="None=y_pred;import_=None;__import__=import_;_=exec(y_pred);mean(__import__*_)",
        code="unknown-function",
        at="exec",
    ),
    "names of generated code": Case(text="ops=y_pred*2;float=ops*ops;lambda_=float;abs_1=abs(ops);mean(lambda_*abs_1)"),
    "a module": Case(text="mean(os.system(y_pred))", code="attribute", at="os.system"),
    "a string in a vector": Case(text='mean(["a"] * y_pred)', code="quote"),
    "an axis of a float": Case(text="mean(y_pred, axis=1.5)", code="axis-not-understood", at="1.5"),
    "an axis of forty digits": Case(text="mean(y_pred, axis=" + "9" * 40 + ")", code="axis-out-of-range"),
    "an axis of data": Case(text="mean(y_pred, axis=y_true)", code="unknown-axis", at="y_true"),
    "an axis twice over": Case(text="mean(y_pred, axis=(batch, all))", code="axis-twice", at="all"),
    "classes by a half": Case(text=LABELS + of("one_hot(y_true, 3.5) * y_pred"), code="needs-whole-number", at="3.5"),
    "classes by data": Case(text=LABELS + of("one_hot(y_true, y_true) * y_pred"), code="needs-whole-number"),
    "too many classes at once": Case(
        text="y_true: label[batch]\ny_pred: float[batch, 16777216]\nmean(one_hot(y_true, 16777216) * y_pred)",
        code="tensor-too-large",
        shapes=[[1_000], [1_000, 2**24]],
    ),
    "the best of data": Case(text=of("top_k(y_pred, y_pred)"), code="needs-whole-number", at="y_pred"),
    "the best none": Case(text=of("top_k(y_pred, 0)"), code="top-k-size"),
    "an index of data": Case(text="y_pred[..., y_pred]", code="needs-whole-number"),
    "a far slice": Case(text=of("y_pred[..., " + "9" * 30 + ":]"), code="axis-too-short", shapes=[[2, 3], [2, 3]]),
    "a slope of data": Case(text=of("leaky_relu(y_pred, y_true)"), code="needs-number", at="y_true"),
    "an axis that is not there": Case(text=of("y_pred * sort(1)"), code="axis-out-of-range", at="sort(1)"),
    "a shape of two stars": Case(text="y_pred: float[batch, *, *]\nmean(y_pred)", code="name-bound-twice"),
    "an axis of forty digits long": Case(
        text="y_pred: float[batch, " + "9" * 40 + "]\nmean(y_pred)", code="tensor-too-large"
    ),
    "a function of itself": Case(text="def f(x)=g(x);def g(x)=f(x);mean(f(y_pred))", code="recursive-definition"),
    "a library loss of itself": Case(text="def mse(a,b)=mse(a,b);mse(y_true,y_pred)", code="recursive-definition"),
    "folding to the edge": Case(text="y_pred * (1e308 + 1e308)", code="constant-not-finite", at="(1e308 + 1e308)"),
    "powers of constants": Case(text="y_pred*" + "(" * 30 + "9" + "**9)" * 30, code="constant-not-finite"),
    "0/0": Case(text="y_pred * (0/0)", code="constant-not-finite", at="(0/0)"),
    "forty digits": Case(text="y_pred * " + "9" * 40 + " - " + "9" * 40),
    "sine of a giant": Case(text="y_pred * sin(1e308)"),
    "gamma at a pole": Case(text="y_pred * lgamma(-1)", code="constant-not-finite", at="lgamma(-1)"),
    "gamma of a giant": Case(text="y_pred * lgamma(1e308)", code="constant-not-finite"),
    "digamma of a giant": Case(text="y_pred * digamma(-1e15)", code="constant-not-finite"),
    "a truth of data": Case(text="mean(y_pred, where=y_pred)", code="needs-condition", at="y_pred"),
    "no loss": Case(text="True", code="y_pred-unused", at="True"),
}

MORE = {**NESTING, **WIDTH, **MISUSE}
