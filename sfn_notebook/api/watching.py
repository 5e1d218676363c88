"""Watching an execution on AWS while it runs, in the background, so that the notebook's cells keep working.

A `Watch` is a thread that looks again and again and keeps the latest `History`. Showing one in a notebook makes a display that goes on
changing until the execution has closed or the watch is stopped; it can be shown in several places. Where only text can be shown, as in a
terminal, nothing is written between the prompts: ask `watch.history`. The threads that are alive are the list of all watches.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sfn_notebook.api.history import History, access_of
from sfn_notebook.api.showing import history_bundle
from sfn_notebook.errors import SfnError

if TYPE_CHECKING:
    from sfn_notebook.history.recording import Recording


class Watch(threading.Thread):
    """An execution that is being watched.

    Attributes:
        arn: its ARN, as it was given.
        history: its history as it stands.
        problem: why watching ended early, None when it did not.
    """

    def __init__(self, arn: str, looks: Iterator[Recording], access: Mapping[str, Any], theme: str = "auto") -> None:
        """Use `watch`."""
        super().__init__(name="sfn-watch", daemon=True)
        self.arn = arn
        self.problem: str | None = None
        self._looks = looks
        self._clock = access["clock"]
        self._theme = theme
        self._handles: list[Any] = []
        self._lock = threading.Lock()
        self.history = History.of_recording(next(looks), {**access, "clock": None})
        with suppress(SfnError):  # without the definition there is the timeline
            self.history.machine_as_ran()

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.history.status

    def run(self) -> None:
        """Look until the execution has closed or the watch is stopped; called by `start`."""
        try:
            for recording in self._looks:
                found = _in_order(recording)
                self.history = self.history.continued(found)
                if found.closed:
                    break
                self._show()
        except SfnError as error:
            self.problem = str(error)
        self._show()

    def stop(self) -> None:
        """End the watching; what was seen so far stays."""
        self._clock.stop()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before the execution closed."""
        return bool(self._clock.stopped) and self.status == "RUNNING"

    def _show(self) -> None:
        with self._lock:
            for handle in self._handles:
                handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        note = self.problem or ("stopped watching" if self.stopped else None)
        return history_bundle(self.history, self.history.known_machine, theme=self._theme, note=note)

    def _ipython_display_(self) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import DisplayHandle

        formatter = getattr(get_ipython(), "display_formatter", None)
        live = formatter is not None and "text/html" in formatter.active_types
        handle = DisplayHandle()  # type: ignore[no-untyped-call]  # IPython has no annotations here
        with self._lock:
            handle.display(self._bundle(), raw=True)  # type: ignore[no-untyped-call]  # IPython has no annotations here
            if live:
                self._handles.append(handle)

    def __repr__(self) -> str:
        what = "stopped" if self.stopped else self.problem or ("watching" if self.is_alive() else "closed")
        return f"<Watch of {self.history.name!r}: {self.status}, {len(self.history)} events, {what}>"


def _in_order(recording: Recording) -> Recording:
    """Put events in order, each once: emulators of AWS may not know `reverseOrder`, with which the newest are asked for."""
    events = {event["id"]: event for event in recording.events}
    return recording.with_events([events[number] for number in sorted(events)], recording.notice)


def watch(
    arn: str,
    session: Any = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    interval: float | None = None,
    redact: Any = None,
    config: Any = None,
    clock: Any = None,
    theme: str = "auto",
) -> Watch:
    """Watch a Standard execution in the background; show what is given back, or read its `history`.

    Args:
        arn: ARN or console URL of a Standard execution.
        session: a boto3 session, used as it is; else we make one of our own.
        profile: a profile for a session of our own.
        region: the default is that of the ARN.
        endpoint_url: another endpoint than AWS.
        interval: seconds between two looks, 2 by default.
        redact: paths of payload fields to mask; by default what `SFN_NOTEBOOK_REDACT` says.
        config: a `botocore.config.Config` over our settings.
        clock: time, for tests.
        theme: "auto" (follows the page), "light" or "dark".

    Raises:
        AwsError: with what, where, and what to do.
    """
    from sfn_notebook.api.analysis import redaction_paths
    from sfn_notebook.aws.quota import Clock
    from sfn_notebook.aws.watch import INTERVAL, watch_history

    access = access_of(session, profile, region, endpoint_url, config, clock or Clock())
    looks = watch_history(
        arn, interval=INTERVAL if interval is None else interval, redact=redaction_paths(redact), **access
    )
    found = Watch(arn, looks, access, theme)
    found.start()
    return found


def watches() -> list[Watch]:
    """Give all watches of this process that are under way."""
    return [thread for thread in threading.enumerate() if isinstance(thread, Watch)]
