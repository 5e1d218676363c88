"""Imports only go down: ranks of the packages, read from the source text, blocks for type checkers included."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sfn_notebook"
RANKS = {
    "errors": 0,
    "strictjson": 0,
    "lang": 1,
    "asl": 2,
    "history": 3,
    "engine": 3,
    "sim": 4,
    "aws": 4,
    "render": 4,
    "api": 5,
    "notebook": 6,
    "cli": 7,
    "__main__": 7,
    "__init__": 8,
}
"""`__init__` is the package itself: it may import anything."""
SEEN_AS = {**RANKS, "__init__": RANKS["api"]}
"""To others the package itself is a window on `api`; only its version may be read from below."""


def modules() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def dotted(module: str) -> list[str]:
    parts = ["sfn_notebook", *module.removesuffix(".py").split("/")]
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported_modules(module: str) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute dotted name) for every import anywhere in a module."""
    here = dotted(module)
    package = here if module.endswith("__init__.py") else here[:-1]
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


def unit(name: str) -> str | None:
    """Give the package or top-level module that a dotted name lies in; None for anything of other people."""
    parts = name.split(".")
    if parts[0] != "sfn_notebook":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in RANKS else "__init__"


def violations(module: str) -> Iterator[str]:
    own = unit(".".join(dotted(module)))
    assert own is not None
    for line, name in imported_modules(module):
        other = unit(name)
        if other is None or other == own or name == "sfn_notebook.__version__":
            continue
        if SEEN_AS[other] >= RANKS[own] and {own, other} != {"errors", "strictjson"}:
            yield f"{module}:{line}: {own} (rank {RANKS[own]}) imports {name} (rank {SEEN_AS[other]})"


def test_every_package_and_top_level_module_has_a_rank() -> None:
    units = {module.split("/")[0].removesuffix(".py") for module in modules()}
    assert units <= set(RANKS)
    assert {"errors", "strictjson", "lang", "asl", "history", "engine", "sim", "render", "api"} <= units


@pytest.mark.parametrize("module", modules())
def test_imports_of_a_module_only_go_down_the_ranks(module: str) -> None:
    assert list(violations(module)) == []


def test_relative_imports_and_blocks_for_type_checkers_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "bad.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from ..history import events\n"
        "if TYPE_CHECKING:\n    from sfn_notebook.sim.driver import drive\n"
        "def late() -> None:\n    import sfn_notebook.api.machine\n    from sfn_notebook import StateMachine\n"
        "    from .frames import Frame\n    from sfn_notebook import errors, __version__\n"
    )
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert [text.split(": ")[0] for text in violations("engine/bad.py")] == [
        f"engine/bad.py:{line}" for line in (2, 4, 6, 7)
    ]
