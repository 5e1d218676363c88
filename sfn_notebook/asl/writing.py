"""A definition as text again: JSON or YAML that means the same, keys in their order.

YAML is written so that both this package and readers of YAML 1.1 get back every string as a string: what would read as a number, a
boolean or null is quoted. Texts of several lines are written as blocks. It knows nothing of ASL.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sfn_notebook.errors import Json

_LOOKS_LIKE_NUMBER = re.compile(
    r"[-+]?(?:[0-9][0-9_]*|0x[0-9a-fA-F]+|0o?[0-7]+)?(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?(?::[0-9.:]+)?"
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_WIDTH = 120


def to_json(value: Json, *, indent: int | None = 2) -> str:
    """Write a definition as JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False) + "\n"


def to_yaml(value: Json) -> str:
    """Write a definition as YAML.

    >>> print(to_yaml({"StartAt": "A", "Comment": "1e3"}), end="")
    StartAt: A
    Comment: "1e3"
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's signature
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as above
            return super().increase_indent(flow, False)  # noqa: FBT003 - as above

    Dumper.add_representer(str, _string)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False)


def _string(dumper: Any, text: str) -> Any:
    style = None
    if _LOOKS_LIKE_NUMBER.fullmatch(text) or _UNPRINTABLE.search(text):
        style = '"'
    elif "\n" in text and text.strip() and not re.search(r"[^\S\n]\n|\t|^\s", text):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
