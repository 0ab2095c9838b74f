"""The form of a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad it is: an error stops, a warning and a remark do not."""

    ERROR = "error"
    WARNING = "warning"
    REMARK = "remark"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One wording. `example` is a formula that gives it, or a `# comment` that says what does."""

    text: str
    help: str
    example: str
    severity: Severity = Severity.ERROR
