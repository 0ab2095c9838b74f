"""Every message of lossdsl, written once: its wording, its standing advice, and a formula that triggers it.

The name of a message is its code. `{pieces}` are filled in by `lossdsl.errors.diagnostic`, which escapes them.
One file for each stage: `syntax` (text), `meaning` (names, calls, values), `axes` (axes and shapes), `data` (what is
given besides the text), `config` (specs, files).
The tests check each example and compare the whole rendered text.
"""

from __future__ import annotations

from lossdsl.messages.axes import SHAPES
from lossdsl.messages.config import CONFIG
from lossdsl.messages.data import DATA
from lossdsl.messages.meaning import MEANING
from lossdsl.messages.message import Message, Severity
from lossdsl.messages.syntax import SYNTAX

MESSAGES: dict[str, Message] = {**SYNTAX, **MEANING, **SHAPES, **DATA, **CONFIG}

__all__ = ["MESSAGES", "Message", "Severity"]
