"""Where the commands of a stepper run: in the kernel's main thread, as cells do.

A recent JupyterLab sends what widgets say over a subshell, which is another thread of the kernel. There a command would run beside a cell
that uses the same debugger, and no interrupt would ever reach a handler that does not end. So the message waits until the main thread has
carried it out, with Ctrl-C on. Where there is no main thread with a loop (tests, an older JupyterLab) it is simply carried out.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager


class MainThread:
    """The thread in which the cells of a notebook run; to be made in it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        if threading.current_thread() is threading.main_thread():
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:  # no kernel, as in a test
                self._loop = None

    def run(self, act: Callable[[], None]) -> None:
        """Do something in the main thread and wait for its end."""
        loop = self._loop
        if loop is None or not loop.is_running() or threading.current_thread() is threading.main_thread():
            act()
            return
        done: Future[None] = Future()

        def there() -> None:
            try:
                with _interruptible():
                    act()
            except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits for it
                done.set_exception(error)
            else:
                done.set_result(None)

        loop.call_soon_threadsafe(there)
        while not wait([done], 1).done:
            if not loop.is_running():  # the kernel ends
                return
        done.result()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt: between two messages a kernel ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
