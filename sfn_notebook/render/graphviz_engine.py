"""Turns DOT text into a picture with whichever engine is there.

Owns the chain: a program that the user names (argument, or the environment variable SFN_NOTEBOOK_DOT), the one that the
graphviz-pure wheel brings, a `dot` on the PATH. The engine is always a process of its own with a time limit, because layout
can take minutes on dense graphs and native code can crash. No setting of the `graphviz` package is touched.

An exit code of 1 with a complete SVG counts as success: the engines use it for warnings.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sfn_notebook.errors import SfnError

VARIABLE = "SFN_NOTEBOOK_DOT"
TIMEOUT = 20.0
FORMATS = ("svg", "png", "pdf", "dot", "json", "plain")

_BUNDLED_SIGNS = str.maketrans({"✔": "√", "✖": "×", "⚠": "!", "▶": "►", "⏸": "=", "↻": "retry", "◌": "◦", "◷": "○"})
"""The fonts in the bundled engine, which it uses for PNG, lack our marks; these stand for them there."""

_ENDINGS = {"svg": b"</svg>", "png": b"IEND\xaeB`\x82", "pdf": b"%%EOF"}


class RenderError(SfnError):
    """No picture could be drawn; `source` is the DOT text, which other tools can draw."""

    def __init__(self, message: str, source: str = "") -> None:
        super().__init__(message)
        self.source = source

    def __reduce__(self) -> tuple[type[RenderError], tuple[str, str]]:
        return type(self), (str(self), self.source)


def bundled_program() -> str | None:
    """Find the program inside the installed graphviz-pure wheel."""
    try:
        files = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if path.stem == "graphviz-pure" and path.suffix in {"", ".exe"} and path.is_file():
            return str(path)
    return None


def programs(chosen: str | os.PathLike[str] | None = None) -> list[str]:
    """List the programs to try, in order. A program that the user chose is the only one tried."""
    own = os.fspath(chosen) if chosen else os.environ.get(VARIABLE)
    if own:
        found = shutil.which(own)
        if found is None:
            raise RenderError(f"cannot draw: there is no program {own!r} (set by {'argument' if chosen else VARIABLE})")
        return [found]
    return list(_known())


def _known() -> Iterator[str]:
    for program in (bundled_program(), shutil.which("dot")):
        if program is not None:
            yield program


def render_dot(
    source: str,
    format: str = "svg",  # noqa: A002 - the word that graphviz and its users know
    *,
    program: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
) -> bytes:
    """Draw DOT text.

    Args:
        source: the DOT text.
        format: "svg", "png", "dot", or "pdf" where an engine can write it (the bundled one cannot).
        program: path or name of a Graphviz `dot` to use instead of the chain.
        timeout: seconds after which the engine is stopped.

    Raises:
        RenderError: with the DOT text in its `source`.
    """
    if format not in FORMATS:
        raise RenderError(f'cannot draw as "{format}": the formats are {", ".join(FORMATS)}', source)
    failures = []
    for candidate in programs(program):
        shown = source.translate(_BUNDLED_SIGNS) if format == "png" and candidate == bundled_program() else source
        done, text = _run(candidate, shown, format, timeout)
        if done is not None:
            return done
        failures.append(f"{Path(candidate).name}: {text}")
    if not failures:
        raise RenderError(
            "cannot draw: no Graphviz engine is installed (pip install graphviz-pure brings one; the DOT text is in .source)",
            source,
        )
    hint = " (PDF needs a Graphviz installation, as of apt install graphviz)" if format == "pdf" else ""
    raise RenderError(f"cannot draw as {format}{hint}: " + "; ".join(failures), source)


def _run(program: str, source: str, kind: str, timeout: float) -> tuple[bytes | None, str]:
    """Run one engine; give the picture, or None and why not. A time-out ends the chain: the next engine is no faster."""
    try:
        done = subprocess.run(  # noqa: S603 - the program is the user's choice or one that we found; no shell
            [program, f"-T{kind}"],
            input=source.encode("utf-8", "replace"),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(
            f"drawing took more than {timeout:g} s and was stopped (draw a part of the machine, give a longer timeout, "
            "or export DOT or Mermaid text)",
            source,
        ) from None
    except OSError as error:
        return None, f"cannot be started, {error.strerror or error}"
    ending = _ENDINGS.get(kind)
    complete = bool(done.stdout) if ending is None else done.stdout.rstrip().endswith(ending)
    if done.returncode in {0, 1} and complete:
        return done.stdout, ""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None, lines[0][:200] if lines else f"ended with exit code {done.returncode}"
