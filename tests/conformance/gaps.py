"""Compare what differs from the recordings with the list of known gaps: `python gaps.py ROWS.json`, ROWS being the scorer's `--json`.

Both directions are errors: a difference that the list does not name, and a named one that no longer differs. Exit code 1 for either.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

LEVELS = ("L1", "L2", "L3")


def differing(rows: list[dict[str, object]]) -> dict[str, str]:
    """Give the cases that differ: id -> the first level that does; a skipped case differs at L1."""
    found: dict[str, str] = {}
    for row in rows:
        levels = row.get("levels")
        if not isinstance(levels, dict):
            found[str(row["id"])] = "L1"
            continue
        first = next((level for level in LEVELS if levels.get(level)), None)
        if first is not None:
            found[str(row["id"])] = first
    return found


def main(path: str) -> int:
    """Print every disagreement between list and result; give the exit code."""
    known = tomllib.loads((Path(__file__).parent / "known_gaps.toml").read_text(encoding="utf-8"))["gap"]
    expected = {gap["id"]: gap["level"] for gap in known}
    found = differing(json.loads(Path(path).read_text(encoding="utf-8")))
    problems = [f"new difference at {level}: {case}" for case, level in found.items() if case not in expected]
    problems += [f"closed, take it off the list: {case}" for case in expected if case not in found]
    problems += [
        f"differs at {found[case]}, the list says {level}: {case}"
        for case, level in expected.items()
        if case in found and found[case] != level
    ]
    print("\n".join(problems) or f"{len(expected)} known gaps, as listed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
