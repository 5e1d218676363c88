"""Colours and status marks that every drawing shares.

Owns the palettes (Okabe–Ito hues on neutral surfaces, text at least 4.5:1 on each fill in both themes) and the marks that go
with a status, because a status never shows by hue alone. Knows nothing of DOT, SVG or HTML.

A `Theme` is a table role -> colour. `AUTO` draws with the light palette and lets the SVG follow the page: `svg.py` swaps each
palette colour for the CSS variable of its role, so no colour may stand for two roles that differ in the other theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """What became of a state in a run."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CAUGHT = "caught"
    RUNNING = "running"
    WAITING = "waiting"
    ABORTED = "aborted"
    NOT_REACHED = "not reached"


MARKS: Mapping[Status, str] = MappingProxyType(
    {
        Status.SUCCEEDED: "✔",
        Status.FAILED: "✖",
        Status.CAUGHT: "⚠",
        Status.RUNNING: "▶",
        Status.WAITING: "⏸",
        Status.ABORTED: "■",
        Status.NOT_REACHED: "◌",
    }
)
"""One mark per status, readable in a terminal."""

RETRIED = "↻"
"""Stands before the number of retries, and before the retry rules of a state."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A palette.

    Attributes:
        name: "light", "dark" or "auto".
        colours: role -> "#rrggbb"; `KIND-fill`, `KIND-line` for state types and statuses, and a few neutral roles.
    """

    name: str
    colours: Mapping[str, str]

    def __getitem__(self, role: str) -> str:
        return self.colours[role]


_LIGHT = {
    "surface": "#ffffff",
    "text": "#212121",
    "muted": "#5f5f5f",
    "edge": "#4a4a4a",
    "mark": "#333333",
    "group-fill": "#f7f7f8",
    "group-line": "#b4b4b8",
    "branch-fill": "#fefefd",
    "branch-line": "#cfcfd2",
    "task-fill": "#e6f1fa",
    "task-line": "#0072b2",
    "choice-fill": "#fdf2d9",
    "choice-line": "#b97f00",
    "map-fill": "#f8e9f2",
    "map-line": "#b3578a",
    "parallel-fill": "#f8e9f1",
    "parallel-line": "#b35789",
    "wait-fill": "#e4f3fc",
    "wait-line": "#2f8fc7",
    "pass-fill": "#f1f1f1",
    "pass-line": "#757575",
    "succeed-fill": "#ddf3ea",
    "succeed-line": "#00805d",
    "fail-fill": "#fce5d6",
    "fail-line": "#c75200",
    "unknown-fill": "#fffbe0",
    "unknown-line": "#8a7a00",
    "missing-fill": "#fde4e4",
    "missing-line": "#c00000",
    "missing-text": "#a30000",
    "catch-line": "#c25100",
    "catch-text": "#a34400",
    "choice-text": "#3c3c3c",
    "succeeded-fill": "#d3efe4",
    "succeeded-line": "#008a64",
    "failed-fill": "#fad9c5",
    "failed-line": "#cc5500",
    "caught-fill": "#fbe9c2",
    "caught-line": "#a87400",
    "running-fill": "#cfe6f6",
    "running-line": "#0071b0",
    "waiting-fill": "#f7f2b8",
    "waiting-line": "#857800",
    "aborted-fill": "#e7e2ea",
    "aborted-line": "#6d5f78",
    "not-reached-fill": "#fefefe",
    "not-reached-line": "#a9a9a9",
    "not-reached-text": "#6b6b6b",
    "not-reached-edge": "#b5b5b5",
    "taken-edge": "#007a58",
    "heat-0-fill": "#f6f9fa",
    "heat-0-line": "#7f8d99",
    "heat-1-fill": "#e3f4f8",
    "heat-1-line": "#4f8b98",
    "heat-2-fill": "#cdeff5",
    "heat-2-line": "#1f7f92",
    "heat-3-fill": "#b5ebf2",
    "heat-3-line": "#006f84",
    "heat-4-fill": "#9fe9f1",
    "heat-4-line": "#005a6e",
}

_DARK = {
    "surface": "#1e1e1e",
    "text": "#f2f2f2",
    "muted": "#b8b8b8",
    "edge": "#b0b0b0",
    "mark": "#d0d0d0",
    "group-fill": "#272729",
    "group-line": "#66666c",
    "branch-fill": "#202022",
    "branch-line": "#505055",
    "task-fill": "#12324a",
    "task-line": "#56b4e9",
    "choice-fill": "#43340f",
    "choice-line": "#e69f00",
    "map-fill": "#432639",
    "map-line": "#cc79a7",
    "parallel-fill": "#432638",
    "parallel-line": "#cc79a6",
    "wait-fill": "#143646",
    "wait-line": "#7cc7f0",
    "pass-fill": "#333333",
    "pass-line": "#a6a6a6",
    "succeed-fill": "#0f3b2d",
    "succeed-line": "#2bbd93",
    "fail-fill": "#4a2411",
    "fail-line": "#ee7a2b",
    "unknown-fill": "#3a3610",
    "unknown-line": "#d8ca45",
    "missing-fill": "#4a1616",
    "missing-line": "#ff6b6b",
    "missing-text": "#ff9a9a",
    "catch-line": "#ee7a2c",
    "catch-text": "#ffa366",
    "choice-text": "#dcdcdc",
    "succeeded-fill": "#0f4534",
    "succeeded-line": "#2fc79b",
    "failed-fill": "#5a2810",
    "failed-line": "#f58a3c",
    "caught-fill": "#4d390a",
    "caught-line": "#e9a90f",
    "running-fill": "#123f60",
    "running-line": "#5bb8ec",
    "waiting-fill": "#454010",
    "waiting-line": "#f0e442",
    "aborted-fill": "#3a3340",
    "aborted-line": "#b5a3c4",
    "not-reached-fill": "#1f1f1f",
    "not-reached-line": "#6e6e6e",
    "not-reached-text": "#a3a3a3",
    "not-reached-edge": "#626262",
    "taken-edge": "#2fc79a",
    "heat-0-fill": "#23282d",
    "heat-0-line": "#75828e",
    "heat-1-fill": "#16313a",
    "heat-1-line": "#5c93a1",
    "heat-2-fill": "#113e4a",
    "heat-2-line": "#4fb0c4",
    "heat-3-fill": "#0c4855",
    "heat-3-line": "#5ccde2",
    "heat-4-fill": "#084e5d",
    "heat-4-line": "#8fe6f5",
}

LIGHT = Theme("light", MappingProxyType(_LIGHT))
DARK = Theme("dark", MappingProxyType(_DARK))
AUTO = Theme("auto", MappingProxyType(_LIGHT))
