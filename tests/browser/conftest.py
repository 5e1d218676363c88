"""JupyterLab in a real headless Chromium.

Skipped with a reason where there is no Chromium; where `SFN_NOTEBOOK_REQUIRE_BROWSER` is set (in CI), a missing one is a failure.
Screenshots go to the folder that `SFN_NOTEBOOK_ARTIFACTS` names, if it is set.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
REQUIRED = bool(os.environ.get("SFN_NOTEBOOK_REQUIRE_BROWSER"))
NOISE = re.compile(
    r"favicon|ResizeObserver loop|Failed to decode downloaded font|preloaded using link preload", re.IGNORECASE
)
"""Console messages that JupyterLab itself causes in an empty notebook."""


def chromium() -> str | None:
    """Find a Chromium: the one named by `SFN_NOTEBOOK_CHROMIUM`, else the system's."""
    named = os.environ.get("SFN_NOTEBOOK_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = chromium()
    if path is None:
        reason = "no Chromium found; install one (Debian: apt install chromium) or set SFN_NOTEBOOK_CHROMIUM"
        if REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="module")  # while it runs, this thread has an event loop, which other tests must not meet
def browser(browser_path: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        yield running
        running.close()


@dataclass
class Lab:
    """A JupyterLab server of our own."""

    folder: Path
    url: str
    token: str

    def write(self, name: str, cells: list[str]) -> str:
        """Write a notebook with these code cells into the server's folder."""
        made: Any = nbformat.v4  # ships no types
        notebook = made.new_notebook(cells=[made.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)  # type: ignore[no-untyped-call]
        return name


@pytest.fixture(scope="session")
def lab(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    settings = folder / "settings"
    port, token = _free_port(), secrets.token_hex(8)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--expose-app-in-browser",
        "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTER_PLATFORM_DIRS": "1"}
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api/status?token={token}", server, folder / "server.log")
        yield Lab(folder, url, token)
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"JupyterLab ended at once:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                json.load(answer)
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@dataclass
class Page:
    """One notebook, open in the browser."""

    page: Any
    lab: Lab
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, notebook: str) -> None:
        """Open a notebook in a workspace of its own and wait for its kernel."""
        space = secrets.token_hex(6)
        self.page.goto(f"{self.lab.url}/lab/workspaces/{space}/tree/{notebook}?reset&token={self.lab.token}")
        self.page.wait_for_function(
            "() => window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext", timeout=60_000
        )
        self.page.wait_for_function(
            """() => { const k = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
                       return k && k.status === 'idle' && k.connectionStatus === 'connected'; }""",
            timeout=90_000,
        )
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=30_000)

    def run_all(self, timeout: int = 120_000) -> None:
        """Run all cells and wait until none is under way."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_function(
            """() => { const all = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.textContent);
                       return all.length > 0 && all.every(t => !t.includes('*')) && all.some(t => /\\d/.test(t)); }""",
            timeout=timeout,
        )
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'",
            timeout=timeout,
        )
        self.page.wait_for_timeout(300)

    def theme(self, name: str) -> None:
        """Switch JupyterLab's theme: "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        dark = "false" if "Dark" in name else "true"
        self.page.wait_for_function(
            f"() => document.body.getAttribute('data-jp-theme-light') === '{dark}'", timeout=20_000
        )
        self.page.wait_for_timeout(300)

    def screenshot(self, name: str) -> None:
        """Keep a picture of the page, where somebody asked for pictures."""
        folder = os.environ.get("SFN_NOTEBOOK_ARTIFACTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 8000})
    raw = context.new_page()
    opened = Page(raw, lab)
    raw.on(
        "console", lambda m: opened.errors.append(m.text) if m.type == "error" and not NOISE.search(m.text) else None
    )
    raw.on("pageerror", lambda error: opened.errors.append(str(error)))
    raw.on("request", lambda request: None if _own(request.url, lab.url) else opened.foreign.append(request.url))
    yield opened
    context.close()


def _own(url: str, server: str) -> bool:
    return url.startswith((server, server.replace("http", "ws", 1), "data:", "blob:", "about:"))
