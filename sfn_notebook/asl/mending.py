"""Texts that are nearly JSON: with comments, or with placeholders where a number or object belongs.

AWS accepts neither, but people keep definitions so: comments are for readers and a build step takes them out; `"Seconds": ${Wait}` is
JSON once a template engine has filled it in. `mend` gives the JSON that is meant, every character still at its place in the source,
and says what it took out. It knows nothing of ASL.
"""

from __future__ import annotations

import re

from sfn_notebook.asl.composed import Composed, filled, whole
from sfn_notebook.asl.jsontext import Complaint
from sfn_notebook.asl.substitutions import PLACEHOLDER

_PIECES = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<placeholder>"""
    + PLACEHOLDER.pattern
    + ")",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"\s*(?://[^\n]*|/\*.*?\*/)\s*", re.DOTALL)


def behind_comments(text: str, start: int) -> int:
    """Give where the JSON starts behind comments at `start`, or `start` itself where no bracket follows such comments."""
    at = start
    while match := _COMMENT.match(text, at):
        at = match.end()
    return at if text[at : at + 1] in ("{", "[") else start


def mend(text: str) -> tuple[Composed, tuple[Complaint, ...]] | None:
    """Take comments out and put quotes around bare placeholders; None where there are neither.

    The complaints are warnings: one for the first comment.
    """
    changes: list[tuple[int, int, str]] = []
    complaints: list[Complaint] = []
    for match in _PIECES.finditer(text):
        if match.lastgroup == "comment":
            if not complaints:
                hint = 'AWS refuses them: move the text to a "Comment" field, or write the definition in YAML'
                length = len(match.group().split("\n", 1)[0])
                complaints.append(Complaint("JSON has no comments", match.start(), hint, length))
            changes.append((match.start(), match.end(), re.sub(r"[^\n]", " ", match.group())))
        elif match.lastgroup == "placeholder":
            changes.append((match.start(), match.end(), f'"{match.group()}"'))
    return (filled(whole(text), changes), tuple(complaints)) if changes else None
