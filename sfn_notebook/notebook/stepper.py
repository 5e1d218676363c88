"""The stepper widget: a `Debugger` that is driven by hand in a notebook.

Python decides everything, the browser shows it. The widget sends commands (`{"do": "step", "n": 7}`, see `stepper_commands`), the shell carries
one out on its debugger and sets the traits, all inside one `hold_sync()`: `svg` and `machine` once, `track` (the scrubber) when the line has
grown, `view` at each stop. `view["answered"]` repeats the command's number, so that the page knows when it was painted. What is too long
to send unasked goes as a message in answer to `load`, `events` or `event`.

A mistake of the user's (JSON that is none, a condition that cannot be read) comes back as `view["problem"]`. Beside the widget lies a
second output with a still picture, made anew shortly after each stop: what a saved notebook shows where there is no kernel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from sfn_notebook.api.branches import Branch
from sfn_notebook.api.debugger import Debugger
from sfn_notebook.api.history import collector_paused
from sfn_notebook.api.pictures import machine_graph
from sfn_notebook.asl.topology import topology
from sfn_notebook.errors import CommandError, SfnError
from sfn_notebook.history.places import Place
from sfn_notebook.notebook.stepper_commands import FOLLOW_AT_MOST, QUESTIONS, command
from sfn_notebook.notebook.stepper_static import Still
from sfn_notebook.notebook.stepper_thread import MainThread
from sfn_notebook.notebook.stepper_trail import Trail
from sfn_notebook.notebook.stepper_view import (
    Look,
    Texts,
    machine_model,
    track_model,
    view_model,
    waiting_tasks,
)
from sfn_notebook.render.html import DARK_PAGES
from sfn_notebook.render.theme import DARK, LIGHT, Theme
from sfn_notebook.sim.line import PendingTask

STILL_AFTER = 0.35
"""Seconds without a command after which the still picture is made."""
_HERE = Path(__file__).parent
_SCRIPTS = ("json", "graph", "panels", "strip", "scrubber")
_ROLES = (
    "text",
    "muted",
    "succeeded",
    "failed",
    "caught",
    "running",
    "waiting",
    "aborted",
    "not-reached",
    "not-reached-text",
    "missing-text",
    "taken-edge",
)


def _script() -> str:
    """Put the parts together: a page loads one module."""
    names = [*(f"stepper_{part}.js" for part in _SCRIPTS), "stepper.js"]
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def _style() -> str:
    dark = ",".join(f"{page} .sfnd" for page in DARK_PAGES)
    return f".sfnd{{{_variables(LIGHT)}}}\n{dark}{{{_variables(DARK)}}}\n" + (_HERE / "stepper.css").read_text(
        encoding="utf-8"
    )


def _variables(theme: Theme) -> str:
    names = [name for name in theme.colours if name.removesuffix("-fill").removesuffix("-line") in _ROLES]
    return ";".join(f"--sfnd-{name}:{theme[name]}" for name in names)


class Stepper(anywidget.AnyWidget):
    """A debugger in a notebook.

    Attributes:
        debugger: the debugger that is shown: that of the chosen branch.
    """

    _esm = _script()
    _css = _style()
    svg = traitlets.Unicode("").tag(sync=True)
    machine = traitlets.Dict().tag(sync=True)
    track = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        debugger: Debugger,
        *,
        theme: str = "auto",
        direction: str = "TB",
        timeout: float = 20.0,
        still: bool = True,
    ) -> None:
        """Show a debugger; `still` says whether a still picture goes with it."""
        super().__init__()
        self._main = self.debugger = debugger
        self._graph = topology(debugger.machine.definition)
        self._look = Look(debugger, Trail(debugger.line, self._graph))
        self._texts = Texts()
        self._picture: dict[str, Any] = {"theme": theme, "direction": direction, "timeout": timeout}
        self._still = Still(debugger, **self._picture) if still else None
        self._later: asyncio.TimerHandle | None = None
        self._tracked: tuple[Trail, int] | None = None
        with self.hold_sync():
            self.svg = self._drawn()
            self.machine = machine_model(debugger, self._look.trail)
            self._show()
        thread = MainThread()
        self.on_msg(lambda _widget, content, _buffers: thread.run(lambda: self.receive(content)))

    def _drawn(self) -> str:
        """Draw the machine; without a picture the widget lists the states."""
        try:
            return machine_graph(self.debugger.machine, None, **self._picture).svg(inline=True)
        except SfnError:
            return ""

    # ---- display

    def _ipython_display_(self) -> None:
        """Show the widget, and beside it the still picture."""
        from IPython.display import display

        found = super()._repr_mimebundle_()
        if found is not None:
            bundle, metadata = found
            plain = f"Stepper of {self.debugger.machine.name} (needs a running kernel; where it stopped is shown below)"
            display({**bundle, "text/plain": plain}, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]  # IPython has no annotations here
        if self._still is not None:
            self._aim_still().show()

    def __repr__(self) -> str:
        return f"<Stepper of {self.debugger!r}>"

    def refresh(self) -> Stepper:
        """Show what was done to the debugger from elsewhere, such as another cell."""
        self._look.event = None
        with self.hold_sync():
            self._show()
        return self

    # ---- commands

    def receive(self, content: Mapping[str, Any]) -> None:
        """Carry out a command of the page, or answer its question."""
        question = QUESTIONS.get(content.get("do", ""))
        if question is not None:
            try:
                answer = question(self, content)
            except SfnError as error:
                answer = {"problem": str(error)}
            self.send({"asked": content, **answer})
            return
        problem = None
        try:
            command(content.get("do", ""))(self, content)
        except SfnError as error:
            problem = str(error)
        except KeyboardInterrupt:
            problem = f"interrupted at event {self.debugger.position}: step and continue go on from here"
        except Exception as error:  # noqa: BLE001 - a user's predicate may raise anything, and the page waits for an answer
            problem = f"{type(error).__name__}: {error}"
        with collector_paused(), self.hold_sync():  # who waits for the picture need not wait for the garbage too
            self._show(answered=content.get("n", 0), problem=problem)
        self._still_later()

    def _show(self, answered: int = 0, problem: str | None = None) -> None:
        look, debugger = self._look, self.debugger
        look.trail.update()
        if self._tracked != (look.trail, look.trail.version):
            self.track = track_model(look.trail)
            self._tracked = look.trail, look.trail.version
        if look.event is not None and look.event >= debugger.position:
            look.event = None
        self._texts = Texts()
        view = view_model(look, self._texts, self._lines())
        self.view = {**view, "answered": answered, "problem": problem}

    def _lines(self) -> list[dict[str, Any]]:
        """Describe the branches; the parent is the run that the chosen child execution belongs to."""
        child = self.debugger.child_of
        return [
            {
                "name": branch.name,
                "from": branch.position if branch.made_by == "fork" else None,
                "chosen": branch.debugger is self.debugger,
                "parent": child is not None and branch.debugger is child.parent,
                "status": branch.debugger.status,
                "length": branch.debugger.length,
            }
            for branch in self.branches()
        ]

    def branches(self) -> list[Branch]:
        """Give the first line, then the branches."""
        return [Branch("main", 0, self._main, "start"), *self._main.branches]

    def _still_later(self) -> None:
        """Make the still picture anew when nothing has happened for a moment."""
        if self._still is None or not self._still.shown:
            return
        if self._later is not None:
            self._later.cancel()
            self._later = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, as in a test
            self._aim_still().update()
            return
        self._later = loop.call_later(STILL_AFTER, lambda: self._aim_still().update())

    def _aim_still(self) -> Still:
        """Let the still picture show what the widget does: at the end of a failed run the state that failed."""
        assert self._still is not None
        self._look.trail.update()
        self._still.debugger, self._still.at = self.debugger, replace(self._look, event=None).position
        return self._still

    # ---- what commands share

    def go(self, move: Callable[[Debugger], Any]) -> None:
        """Move the debugger, and look at where it stands then."""
        self._look.event = None
        move(self.debugger)

    def edit(self, changes: dict[str, Any]) -> None:
        """Change data where somebody looks; a change that is refused moves nothing."""
        debugger = self.debugger
        stood = debugger.position, debugger.reason, debugger.hit
        try:
            debugger.seek(self._look.position).edit(**changes)
        except BaseException:
            debugger.position, debugger.reason, debugger.hit = stood
            raise
        self._look.event = None

    def switch(self, debugger: Debugger) -> None:
        """Show another branch; the breakpoints that are set come along."""
        if debugger is not self.debugger:
            debugger.breakpoints = self.debugger.breakpoints.copy()
        self.debugger = debugger
        self._look = Look(
            debugger, Trail(debugger.line, self._graph), followed=self._look.followed, unit=self._look.unit
        )

    def task(self, content: Mapping[str, Any]) -> PendingTask:
        """Find the task that a command means.

        Raises:
            CommandError: no such task waits.
        """
        pending = waiting_tasks(self.debugger.where())
        number = int(content.get("task", 0))
        if number >= len(pending):
            raise CommandError(f"no task waits at event {self.debugger.position}")
        return pending[number]

    def follow(self, step: Callable[[Debugger], Any]) -> None:
        """Step until something happens in the iteration that is followed."""
        self._look.event = None
        debugger, place = self.debugger, self._look.followed
        step(debugger)
        if place is None:
            return
        trail = self._look.trail
        for _ in range(FOLLOW_AT_MOST):
            trail.update()
            at = debugger.position
            if trail.places[at - 1][: len(place)] == place and trail.owners[at - 1]:
                return
            around = trail.visit(self._look.within)
            if around is not None and around.end_event is not None and around.end_event <= at:
                self._look.followed = None  # all of the Map is over
                return
            if debugger.reason or debugger.step().position == at:
                return

    def follow_place(self, place: Place, within: int) -> None:
        """Look at the last thing that happened at a place, and let steps stay there.

        Raises:
            CommandError: nothing has happened there.
        """
        event = self._look.trail.last_inside(place, self.debugger.position)
        self._look.followed, self._look.within = place, within
        self._look.event = event
        if event is None:
            raise CommandError(f"nothing has happened in {place[-1][0]}[{place[-1][1]}] yet: step goes there")

    @property
    def look(self) -> Look:
        """What is looked at."""
        return self._look

    def long_text(self, name: str) -> str:
        """Give a long text of the last stop."""
        return self._texts.held.get(name, "null")
