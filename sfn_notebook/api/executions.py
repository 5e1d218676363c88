"""`Executions`: many executions as one thing: frames over all of them, what fails, what it costs, where the time goes.

They come from `StateMachine.run_many`, from AWS, from logs, from Parquet, or from any runs and histories at hand; nothing here asks which.
Frames and answers that one history has too are in `analysis`; running a machine on many inputs is in `many`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from sfn_notebook.api.analysis import Analysed, framed, kind_of, redaction_paths, shown
from sfn_notebook.api.execution import Execution
from sfn_notebook.api.history import History, access_of, collector_paused, recordings_of_logs
from sfn_notebook.api.many import run_each
from sfn_notebook.errors import CommandError, Json, RunError
from sfn_notebook.history.recording import Batch, Recording
from sfn_notebook.history.records import Visit
from sfn_notebook.history.trend import Trend

if TYPE_CHECKING:
    import pandas as pd

    from sfn_notebook.api.machine import StateMachine
    from sfn_notebook.history.parquet import Written
    from sfn_notebook.render.chart import Chart
    from sfn_notebook.render.digraph import StateGraph


class Executions(Analysed, Sequence[Any]):
    """A sequence of executions (or histories) with frames and answers over all of them.

    Attributes:
        message: what is missing and why, None when nothing is; the display shows it too.
        missing: ARNs of executions that were listed but not fetched any more: `from_aws(…, resume=executions)` fetches them.
    """

    def __init__(
        self,
        items: Iterable[Execution | History],
        *,
        missing: Iterable[str] = (),
        message: str | None = None,
        name: str = "",
    ) -> None:
        """Use `Executions.of`, `from_aws`, `from_parquet`, `from_logs` or `StateMachine.run_many`."""
        self._items = list(items)
        self.missing = list(missing)
        self.message = message
        self._name = name

    # ---- where they come from

    @classmethod
    def of(cls, items: Iterable[Execution | History]) -> Executions:
        """Collect runs and histories.

        Raises:
            RunError: an element is neither.
        """
        found = list(items)
        for index, item in enumerate(found):
            if not isinstance(item, Execution | History):
                raise RunError(f"element {index} is neither an Execution nor a History, but {item!r:.80}")
        return cls(found)

    @classmethod
    def from_aws(
        cls,
        arn: str,
        status: str | Iterable[str] | None = None,
        since: Any = None,
        until: Any = None,
        limit: int | None = None,
        session: Any = None,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        cache: Any = None,
        resume: Iterable[Any] = (),
        progress: Any = True,
        concurrency: int | None = None,
        payloads: bool = True,
        redact: Sequence[str] | str | None = None,
        log_group: str | None = None,
        config: Any = None,
        clock: Any = None,
    ) -> Executions:
        """Fetch executions with their histories, newest first.

        Ctrl-C, an expired token or a lost network end it early and keep what was fetched: see `message` and `missing`, and call again with
        `resume=` to go on from there.

        Args:
            arn: ARN or console URL of a state machine (also a version or alias) or of a Map Run.
            status: only those with this status, such as "FAILED", or one of these.
            since: only those that started then or later: a datetime, ISO text, or an age such as "7d" or "12h".
            until: only those that started then or before.
            limit: only the newest so many.
            session: a boto3 session, used as it is; else we make one of our own.
            profile: a profile for a session of our own.
            region: the default is that of the ARN.
            endpoint_url: another endpoint than AWS.
            cache: a directory, True for the user's, None for what `SFN_NOTEBOOK_CACHE` says. Closed executions in it are not fetched again.
            resume: what an earlier call gave: closed executions in it are not fetched again.
            progress: whether to show a bar.
            concurrency: calls at once, 10 by default.
            payloads: whether to fetch inputs and outputs.
            redact: paths of payload fields to mask, such as "$..password"; by default what `SFN_NOTEBOOK_REDACT` says.
            log_group: for Express: the log group, to spare asking the state machine for it.
            config: a `botocore.config.Config` over our settings.
            clock: time, for tests.

        Raises:
            AwsError: nothing could be fetched at all.
            CommandError: an argument that cannot be understood.
        """
        from sfn_notebook.aws.executions import fetch_executions
        from sfn_notebook.aws.session import POOL

        access = access_of(session, profile, region, endpoint_url, config, clock)
        batch = fetch_executions(
            arn,
            status,
            since,
            until,
            limit,
            cache=cache,
            resume=_recordings(resume),
            progress=progress,
            payloads=payloads,
            redact=redaction_paths(redact),
            log_group=log_group,
            concurrency=POOL if concurrency is None else concurrency,
            **access,
        )
        found = cls._of_batch(batch, access)
        if found.message and progress:
            _tell(found.message)
        return found

    @classmethod
    def from_logs(
        cls,
        source: str | os.PathLike[str] | Iterable[str | Mapping[str, Any]],
        *,
        redact: Sequence[str] | str | None = None,
    ) -> Executions:
        """Read the log records of Express executions, newest first.

        Args:
            source: their text (JSON Lines, a JSON list, or what `aws logs` prints), the path of a file with it, or records one by one.
            redact: paths of payload fields to mask, such as "$..password".

        Raises:
            RunError: there are none.
        """
        return cls._of_batch(Batch(recordings_of_logs(source, redact)))

    @classmethod
    def from_parquet(cls, folder: str | os.PathLike[str], *, redact: Sequence[str] | str | None = None) -> Executions:
        """Read what `to_parquet` wrote, newest first; a file that cannot be read is named in `message`.

        Raises:
            MissingExtra: pyarrow is not installed.
            RunError: there is no data set, or nothing in it can be read.
        """
        from sfn_notebook.history.parquet import read_parquet

        found = cls._of_batch(read_parquet(folder))
        paths = redaction_paths(redact)
        return found.redact(paths) if paths else found

    @classmethod
    def _of_batch(cls, batch: Batch, access: Mapping[str, Any] | None = None) -> Executions:
        machines = {row.machine_arn for row in batch if row.machine_arn}
        return cls(
            [History.of_recording(row, access) for row in batch],
            missing=batch.missing,
            message=batch.message,
            name=machines.pop().rpartition(":")[2] if len(machines) == 1 else "",
        )

    # ---- a sequence

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Execution | History: ...
    @overload
    def __getitem__(self, index: slice) -> Executions: ...
    def __getitem__(self, index: int | slice) -> Execution | History | Executions:
        return self._some(self._items[index]) if isinstance(index, slice) else self._items[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    @property
    def histories(self) -> list[History]:
        """The history of each."""
        return [history_of(item) for item in self._items]

    def with_status(self, *statuses: str) -> Executions:
        """Give those with one of these statuses, such as "FAILED"."""
        return self._some(item for item in self._items if history_of(item).status in statuses)

    def redact(self, paths: Sequence[str] | str) -> Executions:
        """Give the same executions, as histories, with payload fields masked: `xs.redact(["$..password"])`.

        Raises:
            ExpressionError: a path is not one of keys, `..`, `*` and indices.
        """
        named = [
            History.of_recording(row, history._access)
            for row, history in zip(_recordings(self), self.histories, strict=True)
        ]
        return self._some(history.redact(paths) for history in named)

    def _some(self, items: Iterable[Execution | History]) -> Executions:
        return Executions(items, name=self._name)

    @cached_property
    def by_name(self) -> dict[str, History]:
        """The histories by the name of the execution; a name that comes again gets a number."""
        found: dict[str, History] = {}
        for index, item in enumerate(self._items):
            name = item.name or str(index)
            found[name if name not in found else f"{name} ({index})"] = history_of(item)
        return found

    @property
    def name(self) -> str:
        """The name of the one machine that they ran; "" where it is not known, or where there are several."""
        names = {item.machine.name for item in self._items if isinstance(item, Execution)}
        return self._name or (names.pop() if len(names) == 1 else "")

    @property
    def title(self) -> str:
        """What pictures call them."""
        count = f"{len(self):,} execution{'s'[: len(self) != 1]}"
        return f"{self.name}, {count}" if self.name else count

    # ---- frames and answers, besides those of `Analysed`

    @cached_property
    def _visits(self) -> dict[str, list[Visit]]:
        with collector_paused():
            return {name: history.visits for name, history in self.by_name.items()}

    def _given_visits(self) -> dict[str, list[Visit]]:
        return self._visits

    def _given_events(self) -> dict[str, list[dict[str, Any]]]:
        return {name: history.raw for name, history in self.by_name.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an execution; columns in `history.overview.executions_frame`."""
        from sfn_notebook.history.overview import executions_frame

        return framed(executions_frame({name: history.overview for name, history in self.by_name.items()}))

    def failures(self, examples: int = 3) -> pd.DataFrame:
        """Put together failures that are the same, a row each, by state, error and shape of the cause; columns in `history.clusters.failures`.

        Args:
            examples: how many executions to name for each.
        """
        from sfn_notebook.history.clusters import failures

        return framed(failures({name: history.failure for name, history in self.by_name.items()}, examples))

    def failures_over_time(self, *, title: str | None = None, theme: str = "auto") -> Chart:
        """Show how many executions started when and how they ended, and since when which failure happens.

        Args:
            title: heading.
            theme: "auto" (follows the page), "light" or "dark".
        """
        from sfn_notebook.api.pictures import chosen_theme
        from sfn_notebook.render.charts import failures_over_time

        reports = {name: history.failure for name, history in self.by_name.items()}
        return failures_over_time(
            self.table, reports, title=title or f"failures over time: {self.title}", theme=chosen_theme(theme)
        )

    def trend(self, state: str | None = None) -> Trend:
        """Say whether executions, or the visits of one state, are getting slower.

        Raises:
            CommandError: no execution visited this state.
        """
        from sfn_notebook.history.trend import trend

        return shown(trend(self.table if state is None else self.states, state))

    def process_map(
        self,
        machine: StateMachine | dict[str, Json] | None = None,
        *,
        title: str | None = None,
        theme: str = "auto",
        direction: str = "TB",
    ) -> StateGraph:
        """Draw the machine's graph with all executions on it: how often each way was taken, how long each state takes, how often it fails.

        Args:
            machine: the machine, or its definition. Local runs know theirs; for executions from AWS it is fetched as the newest ran it.
            title: heading.
            theme: "auto" (follows the page), "light" or "dark".
            direction: "TB", from top to bottom, or "LR".

        Raises:
            CommandError: the machine is not known.
            AwsError: its definition cannot be fetched.
        """
        from sfn_notebook.api.pictures import chosen_theme
        from sfn_notebook.render.digraph import make_digraph
        from sfn_notebook.render.processmap import missing, process_map_dot, process_outline

        look = chosen_theme(theme)
        if direction not in ("TB", "LR"):
            raise CommandError(f'direction is "TB" or "LR", but found {direction!r}')
        definition = machine if isinstance(machine, dict) else (machine or self.machine()).definition
        visits = self._given_visits()
        gone = missing(definition, visits)
        without = f" (not in this definition: {', '.join(gone)})" if gone else ""
        heading = title or self.title + without
        called = " ".join(filter(None, ("process map", self.name and f"of {self.name}"))) + without
        return make_digraph(
            process_map_dot(definition, visits, theme=look, title=heading, direction=direction),
            title=called,
            outline=process_outline(visits, title or called),
            theme=look,
        )

    def machine(self) -> StateMachine:
        """Give the machine that they ran: that of the first local run, or as the newest fetched execution ran it.

        Raises:
            CommandError: none of them knows its machine.
            AwsError: the definition cannot be fetched.
        """
        local = next((item.machine for item in self._items if isinstance(item, Execution)), None)
        if local is not None:
            return local
        known = [history for history in self.histories if history.knows_machine]
        if not known:
            raise CommandError(
                "these executions do not know their machine: give it, as in process_map(StateMachine.load(…))"
            )
        return max(known, key=lambda history: (len(history) > 0, str(history.overview.started or ""))).machine_as_ran()

    def to_parquet(self, folder: str | os.PathLike[str], *, redact: Sequence[str] | str | None = None) -> Written:
        """Add the executions to a Parquet data set that pandas, DuckDB, Dask and Athena can read; what is there already is not written again.

        Args:
            folder: the data set: a directory with `executions/*.parquet` and `events/*.parquet`; it is made if it is not there.
            redact: paths of payload fields to mask in what is written.

        Raises:
            MissingExtra: pyarrow is not installed.
            RunError: the directory cannot be written.
        """
        from sfn_notebook.history.parquet import write_parquet

        paths = redaction_paths(redact)
        return write_parquet(folder, _recordings(self.redact(paths) if paths else self))

    def _type(self) -> str:
        kinds = {kind_of(item.arn) for item in self._items}
        return kinds.pop() if len(kinds) == 1 else "STANDARD"

    def _definition_bytes(self) -> int:
        return max((len(item.machine.source) for item in self._items if isinstance(item, Execution)), default=0)

    # ---- display

    @property
    def headline(self) -> str:
        """How many ended how, in one line."""
        counts: dict[str, int] = {}
        for history in self.histories:
            counts[history.status] = counts.get(history.status, 0) + 1
        shown = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        return f"Executions: {len(self)}{': ' if shown else ''}{shown}"

    def __repr__(self) -> str:
        return f"<{self.headline}{f'; {self.message}' if self.message else ''}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's signature
        from sfn_notebook.api.showing import executions_bundle

        return executions_bundle(self, include)


def history_of(item: Execution | History) -> History:
    """Give the history of a run, or the history itself."""
    return item.history if isinstance(item, Execution) else item


def _recordings(items: Iterable[Any]) -> list[Recording]:
    """Give executions as plain data; a history without a name gets its number.

    Raises:
        CommandError: an element is none.
    """
    found: list[Recording] = []
    for index, item in enumerate(items):
        if isinstance(item, Execution):
            found.append(item.history.recording(item.name, item.arn))
        elif isinstance(item, History):
            found.append(item.recording(str(index), str(index)))
        elif isinstance(item, Recording):
            found.append(item)
        else:
            raise CommandError(f"an Execution or a History is expected, but found {item!r:.80}")
    return found


def _tell(message: str) -> None:
    """Say in a line below the progress bar what is missing: whoever assigns the result does not see its display."""
    from tqdm.auto import tqdm

    tqdm.write(message)


def run_all(
    machine: StateMachine,
    inputs: Any,
    handlers: Mapping[str, Any] | None,
    executor: Executor | str | None,
    options: dict[str, Any],
    *,
    progress: bool,
) -> Executions:
    """Run a machine on many inputs; see `StateMachine.run_many`."""
    return Executions(run_each(machine, inputs, handlers, executor, options, progress=progress))
