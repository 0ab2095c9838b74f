"""Every library loss against a definition from outside, value and gradient; its examples; what its source claims."""

from __future__ import annotations

import ast
import importlib
import re
from typing import Any

import numpy as np
import pytest
from case import Case, Claim, loss
from graph_oracle import Driven

from lossdsl import check, library
from lossdsl.ops import OPS

FAMILIES = [importlib.import_module(family) for family in library.FAMILIES]
CASES: list[Case] = [case for family in FAMILIES for case in family.CASES]
CLAIMS: list[Claim] = [claim for family in FAMILIES for claim in family.CLAIMS]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value_and_gradient(case: Case) -> None:
    for y_true, y_pred in case.samples():
        expected = case.value(y_true, y_pred).astype(float)
        np.testing.assert_allclose(loss(case.name, y_true, y_pred, **case.params), expected, rtol=1e-9, atol=1e-12)
        slopes = case.slopes(y_true, y_pred)
        known = np.isfinite(slopes)
        assert np.mean(known) > 0.5, "mostly kinks: other data, please"
        shown = np.zeros(np.shape(y_pred)) if y_true is None else y_true
        driven = Driven(case.text, shown, y_pred)
        apart, beside = driven.gradient("y_pred", ones=True), driven.slope_of_sum(0.375) / 0.375
        for found in (apart, beside):
            np.testing.assert_allclose(np.reshape(found, slopes.shape)[known], slopes[known], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_what_the_source_claims(claim: Claim) -> None:
    claim.holds()


@pytest.mark.parametrize("name", library.names())
def test_file(name: str) -> None:
    """A file says what it is, where it is from, and what it gives for an example; its defaults check."""
    text, about = library.text(name), library.about(name)
    assert re.fullmatch(r"[^.].*\.", about.title)
    assert re.search(r"\d{4}|Keras `|PyTorch `", about.source), "author and year, arXiv or DOI; or whose class it is"
    assert "Per sample:" in about.notes or "one number for the batch" in about.notes
    assert about.examples
    assert all(len(line) <= 110 for line in text.splitlines())
    assert name not in OPS
    report = check(text)
    assert report.ok, report.render()


@pytest.mark.parametrize("name", library.names())
def test_examples(name: str) -> None:
    for example in library.about(name).examples:
        given, value = example_of(name, example)
        y_true, y_pred = given.pop("y_true", None), np.asarray(given.pop("y_pred"), float)
        assert np.mean(loss(name, y_true, y_pred, **given)) == pytest.approx(value, rel=2e-5, abs=1e-6)


def example_of(name: str, example: str) -> tuple[dict[str, Any], float]:
    """The arguments of the call that an example is, and its value."""
    found = re.fullmatch(rf"({name}\(.*\)) = (\S+)", example)
    assert found, example
    called = ast.parse(found[1], mode="eval").body
    assert isinstance(called, ast.Call)
    return {str(k.arg): ast.literal_eval(k.value) for k in called.keywords}, float(found[2])


def test_every_loss_has_an_oracle() -> None:
    assert {case.name for case in CASES} == set(library.names())


@pytest.mark.parametrize("family", FAMILIES, ids=list(library.FAMILIES))
def test_families_stand_apart(family: Any) -> None:
    """An oracle stands with the oracles of its family."""
    assert {library.family(case.name) for case in family.CASES} <= {family.__name__}


def test_aliases() -> None:
    assert set(library.ALIASES.values()) <= set(library.names())
    assert not set(library.ALIASES) & (set(library.names()) | set(OPS))
    assert library.text("mse") == library.text("mean_squared_error")
    with pytest.raises(KeyError):
        library.text("msee")
