"""How `lossdsl check` says what it found: for a person, for a program, or for a pull request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lossdsl.api import Report
from lossdsl.configs import Found
from lossdsl.errors import Diagnostic


@dataclass(frozen=True)
class Result:
    """One formula and what is to be said about it; `report` is None where it could not be checked."""

    found: Found | None
    report: Report | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.report.ok if self.report is not None else not any(map(_is_error, self.diagnostics))


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity.value == "error"


def as_text(results: Sequence[Result]) -> str:
    """For a person: what is wrong, or what the formula was found to be; a count where there are several."""
    parts = [_text(r) for r in results]
    wrong = sum(not r.ok for r in results)
    if len(results) > 1:
        parts.append(f"{len(results)} formulas, {wrong or 'none'} wrong")
    return "\n\n".join(parts)


def as_json(results: Sequence[Result]) -> str:
    """For a program: a list, one entry per formula."""
    return json.dumps([_entry(r) for r in results], indent=2, allow_nan=False)


def _text(result: Result) -> str:
    if result.report is None or not result.ok:
        return "\n\n".join(d.render() for d in result.diagnostics)
    place = result.found.source.place(0) if result.found is not None else ""
    return "\n".join([f"ok {place}", *(f"  {line}" for line in result.report.render().splitlines())])


def _entry(result: Result) -> dict[str, object]:
    place: dict[str, object] = {}
    if result.found is not None:
        place = {"place": result.found.source.place(0), "formula": result.found.source.text}
    if result.report is not None:
        return {**place, **result.report.to_dict()}
    return {**place, "ok": result.ok, "diagnostics": [d.to_dict() for d in result.diagnostics]}


def as_github(results: Sequence[Result]) -> str:
    """For a pull request: one workflow command per diagnostic, which GitHub shows beside the line."""
    return "\n".join(_command(d) for r in results for d in (*r.diagnostics, *_alarms(r)))


def _alarms(result: Result) -> list[Diagnostic]:
    proof = result.report.proof if result.report is not None else None
    return [part.warning for part in proof.parts if part.warning is not None] if proof is not None else []


_LEVEL = {"error": "error", "warning": "warning", "remark": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def _command(diagnostic: Diagnostic) -> str:
    properties = {"title": f"lossdsl {diagnostic.code}"}
    if diagnostic.span is not None:
        file, line, column = diagnostic.span.source.place(diagnostic.span.start).rsplit(":", 2)
        properties = {"file": file, "line": line, "col": column} | properties
    listed = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    text = diagnostic.message + (f"\n{diagnostic.help}" if diagnostic.help else "")
    return f"::{_LEVEL[diagnostic.severity.value]} {listed}::{text.translate(_DATA)}"


FORMATS = {"text": as_text, "json": as_json, "github": as_github}
