"""The engine: one execution of a compiled machine, as a pure step machine.

Rules that everything here keeps:

1. Nothing comes from outside but the arguments and `answer`: no clock, no random source, no I/O. The same calls in the same order give
   the same events, byte for byte.
2. A frame is taken from the ready queue and runs straight on until it needs time or a task. What is ready drains before time advances.
3. Commands (`TaskCall`) pile up while frames run and are answered only when nothing is ready.
4. Time is whole milliseconds; ties in the timer heap break by sequence number. A Distributed Map's children share it (`World`).
5. One comparison per state (`fence`) covers the event limit, the transition budget and places where somebody wants to stop.

The driver's loop is: `drain()`, then answer `take_calls()`; when there are none, `tick()` to the next moment; when that says no, the
run has ended or waits for an answer from outside.
"""

from __future__ import annotations

import random
from collections import deque

from sfn_notebook.engine import fanout
from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.clock import iso
from sfn_notebook.engine.distributed import MapRun
from sfn_notebook.engine.failing import fail
from sfn_notebook.engine.frames import DEAD, ENTER, RESUME, Failure, Frame, Outcome
from sfn_notebook.engine.limits import Limits, Names, check_variables
from sfn_notebook.engine.model import Program, State
from sfn_notebook.engine.task import NO_SERVICE, TaskCall, parse_resource, too_large_text
from sfn_notebook.engine.world import LAST_MOMENT, Timer, World
from sfn_notebook.errors import Json, RunError
from sfn_notebook.lang.environment import EvaluationFailure
from sfn_notebook.strictjson import json_size

STRIDE = kinds.STRIDE
_SAME = object()
ALTOGETHER = 10_000_000
"""So many transitions end even a run without limits in which time passes, before they end the memory."""


class BudgetExceeded(RunError):
    """The run made very many transitions without any time passing: most likely an endless loop."""

    execution: object = None
    """The execution as far as it came, for whoever wants to look at its history."""


class Engine:
    """One execution: its log, its frames, its view of the clock."""

    def __init__(
        self,
        program: Program,
        data: Json,
        names: Names,
        limits: Limits,
        start: int,
        seed: int | str,
        owner: MapRun | None = None,
    ) -> None:
        """Begin an execution.

        Args:
            program: the compiled machine.
            data: the input; nobody may change it afterwards.
            names: names and ARNs of machine and execution.
            limits: what to enforce.
            start: the moment of the start, in milliseconds since 1970.
            seed: decides jitter, tokens, UUIDs and random numbers.
            owner: the Map Run that this is a child execution of.

        Raises:
            RunError: the input is above the payload limit.
        """
        self.program = program
        self.input = data
        self.names = names
        self.limits = limits
        self.payload_limit = limits.payload
        self.start = start
        self.now = start
        self.owner = owner
        self.index = 0
        """Index among the children of the owner."""
        self.keep_children = "all"
        """Which child executions' histories to keep: "all", "failed" or "none"."""
        self.world: World = World(start) if owner is None else owner.engine.world
        self.seed = seed
        self.drawn = 0
        self.context_edits: dict[str, Json] = {}
        """What somebody who debugs has changed of the context object: merged into it, member by member."""
        self.assigned_bytes = 0
        """Bytes of JSON assigned to variables so far: an upper bound of what they hold."""
        self.status = "RUNNING"
        self.output: Json = None
        self.failure: Failure | None = None
        self.log: list[Json] = []
        self.ready: deque[Frame] = deque()
        self.tasks: dict[int, Frame] = {}
        self.moved_at = 0
        """Length of the log when time last advanced."""
        self.stop_at = 0
        """Stop before the first state that begins at or after this length of the log; 0 for never."""
        self.append(0, kinds.EXECUTION_STARTED, {"roleArn": names.role_arn}, data)
        size = json_size(data)
        self.root = Frame(self, program.start, data, {}, 0, size)
        if size > self.payload_limit:
            raise RunError(f"the input has {size:,} bytes of JSON; an execution takes at most {self.payload_limit:,}")
        self.ready.append(self.root)
        self.map_runs: list[MapRun] = []
        """The Map Runs of Distributed Map states, in the order in which they were started."""
        self.reset_fence()
        if owner is None:
            self.set_deadline()

    def set_deadline(self) -> None:
        """Set the timer that ends the execution; a child's is set only when it does not end at once."""
        seconds = min(self.limits.duration, self.program.timeout_seconds or self.limits.duration)
        if seconds != float("inf"):
            self.world.push(min(self.start + int(seconds * 1000), LAST_MOMENT), "deadline", self, None)

    # ---- what the driver calls

    def drain(self) -> None:
        """Run everything that is ready, child executions included; then `take_calls` has the new commands."""
        self.run_ready()
        awake = self.world.awake
        while awake and self.status == "RUNNING" and not self.stopped:
            engine = awake.popleft()
            engine.run_ready()
            if engine.owner is not None and engine.status != "RUNNING":
                engine.owner.child_ended(engine)

    @property
    def stopped(self) -> bool:
        """Say whether the log has come to `stop_at`: whoever set it goes on by setting it anew and draining again."""
        return bool(self.stop_at) and len(self.log) >= self.stop_at

    def run_ready(self) -> None:
        """Run the frames of this execution that are ready."""
        ready, log = self.ready, self.log
        self.now = self.world.now
        while ready:
            frame = ready.popleft()
            if frame.phase == DEAD:
                continue
            if len(log) >= self.fence and frame.phase == ENTER and self._at_fence(frame):
                return
            try:
                while frame.state.run(self, frame):
                    if len(log) >= self.fence and self._at_fence(frame):
                        return
            except (Failure, EvaluationFailure) as failure:
                fail(self, frame, failure)
            except fanout.InParent as inner:
                fail(self, inner.frame, inner.failure)
            if len(log) >= self.fence and self._at_fence(None):
                return

    def take_calls(self) -> list[TaskCall]:
        """Give the commands issued since the last call, without those that an abort has made void."""
        calls = self.waiting_calls()
        self.world.calls.clear()
        return calls

    def waiting_calls(self) -> list[TaskCall]:
        """Give the commands that nobody has taken yet."""
        return [call for call in self.world.calls if call.task in call.frame.engine.tasks]

    def heartbeat(self, task: int) -> None:
        """Start the HeartbeatSeconds of a task anew."""
        frame = self.tasks[task]
        self.now = self.world.now
        for timer in self.world.timers:
            if timer.frame is frame and timer.what == "heartbeat" and not timer.stale:
                timer.what = "void"
        seconds = self.log[(task - 1) * STRIDE + 3].get("heartbeatInSeconds")
        if seconds is not None:
            self.timer(seconds, frame, "heartbeat")

    def pass_time(self, until: int) -> None:
        """Let the clock stand at `until`, when nothing happens before."""
        if self.status == "RUNNING" and until > self.world.now:
            self.world.now = self.now = until
            self._moved()

    def reset_fence(self) -> None:
        """Compute anew where the loop has to look up."""
        self.fence = self._next_fence()

    def answer(self, task: int, outcome: Outcome, delay: float = 0) -> None:
        """Give the outcome of a task, `delay` seconds of virtual time from now. A task that is not under way is ignored."""
        frame = self.tasks.get(task)
        if frame is None or frame.task != task:
            return
        if outcome.kind == "never":
            return
        if delay > 0:
            self.world.push(self.world.now + round(delay * 1000), "outcome", self, frame, outcome)
        else:
            self._settle(frame, outcome)

    def tick(self, until: int | None = None) -> bool:
        """Advance to the next moment at which something happens and make it ready.

        Args:
            until: go no further than this moment; then timeouts of tasks that wait for the outside count too.

        Returns:
            False when nothing is left that time alone would bring about.
        """
        timer = self.upcoming(until)
        if timer is None:
            return False
        self.world.pop()
        timer.engine.fire(timer)
        return True

    def upcoming(self, until: int | None = None) -> Timer | None:
        """Give the timer that `tick` would let time advance to."""
        timer = self.world.next_timer()
        if timer is None or self.status != "RUNNING":
            return None
        outside = until is None and self._waits_outside(timer)
        return None if outside or (until is not None and timer.time > until) else timer

    def abort(self, error: str | None = None, cause: str | None = None) -> None:
        """End the execution from outside (StopExecution)."""
        if self.status == "RUNNING":
            details = {k: v for k, v in (("error", error), ("cause", cause)) if v is not None}
            self.failure = Failure(error, cause)
            self.end("ABORTED", kinds.EXECUTION_ABORTED, 0, details)

    # ---- what states call

    def append(self, prev: int, kind: int, subject: Json, payload: Json) -> int:
        """Write an event and give its id."""
        self.log.extend((prev, self.now, kind, subject, payload))
        return len(self.log) // STRIDE

    def write(self, frame: Frame, kind: int, subject: Json, payload: Json) -> int:
        """Write an event chained to the frame's last one."""
        self.log.extend((frame.prev, self.now, kind, subject, payload))
        frame.prev = len(self.log) // STRIDE
        return frame.prev

    def enter(self, frame: Frame) -> None:
        """Write the StateEntered event of a state that may take time or fail."""
        frame.before = frame.prev
        frame.entered_at = self.now
        frame.entered = self.write(frame, kinds.ENTERED[frame.state.type], frame.state.name, frame.data)

    def leave(
        self,
        frame: Frame,
        output: Json,
        *,
        assigned: dict[str, Json] | None = None,
        following: State | object | None = _SAME,
    ) -> bool:
        """Write the StateExited event, put variables in place and move the frame on."""
        state = frame.state
        growth = state.flow.growth
        if growth is None or state.type in ("Task", "Parallel", "Map"):
            frame.bound = self.measure(output, frame)
        self.exit(frame, output, assigned)
        target = state.next if following is _SAME else following
        if target is None:
            return self.finish(frame)
        frame.state = target  # type: ignore[assignment]  # the sentinel is gone
        return True

    def exit(self, frame: Frame, output: Json, assigned: dict[str, Json] | None) -> None:
        """Write the StateExited event, put variables in place, and make the frame ready for its next state."""
        state = frame.state
        if assigned is None:
            self.write(frame, kinds.EXITED[state.type], state.name, output)
        else:
            self.write(frame, kinds.EXITED_ASSIGNED[state.type], state.name, [output, assigned])
            frame.variables = {**frame.variables, **assigned}
        frame.data = output
        frame.phase = ENTER
        frame.entered = frame.attempt = frame.task = 0
        frame.retries = frame.request = None
        frame.token = ""
        frame.stamp += 1

    def complete(self, frame: Frame, result: Json) -> bool:
        """Leave a state that had a result to work on: Task, Parallel, Map."""
        flow = frame.state.flow
        output = result if flow.complete is None else flow.complete(frame.data, result, frame)
        assigned = None if flow.assign is None else self.assigned(frame, result)
        return self.leave(frame, output, assigned=assigned)

    def assigned(self, frame: Frame, result: Json, assign: object = None) -> dict[str, Json] | None:
        """Evaluate an Assign field and check the limits of variables; None when the state has none."""
        evaluate = assign or frame.state.flow.assign
        if evaluate is None:
            return None
        values: dict[str, Json] = evaluate(frame.data, result, frame)  # type: ignore[operator]
        self.assigned_bytes += check_variables(frame.variables, values, self.limits, self.assigned_bytes)
        return values

    def finish(self, frame: Frame) -> bool:
        """End a frame that has left the last state of its scope."""
        if frame.join is not None:
            return fanout.child_done(self, frame.join, frame)
        self.output = frame.data
        self.end("SUCCEEDED", kinds.EXECUTION_SUCCEEDED, frame.prev, None, frame.data)
        return False

    def measure(self, value: Json, frame: Frame) -> int:
        """Give the JSON size of a value; raise States.DataLimitExceeded when the service would refuse it."""
        size = json_size(value)
        if size > self.payload_limit:
            raise Failure("States.DataLimitExceeded", too_large_text(frame.state.name))
        return size

    def too_large(self, value: Json) -> bool:
        """Say whether a value is above the payload limit."""
        return self.payload_limit != float("inf") and json_size(value) > self.payload_limit

    def issue(self, call: TaskCall) -> None:
        """Give a command to the driver."""
        self.tasks[call.task] = call.frame
        self.world.calls.append(call)

    def issue_io(self, frame: Frame, purpose: str, number: int, call: Json) -> None:
        """Ask the driver to read the items or write the results of the Map Run of that number."""
        frame.task = -2 * (number + 1) - (purpose == "write")
        frame.request = call
        path = self.path(frame)
        self.issue(TaskCall(frame.task, frame.state.name, NO_SERVICE, call, 1, path, frame, purpose=purpose))

    def timer(self, seconds: float, frame: Frame, what: str) -> None:
        """Set a timer for the frame, in seconds from now."""
        self.world.push(self.now + round(seconds * 1000), what, self, frame)

    def wake_at(self, moment: int, frame: Frame) -> None:
        """Let the frame resume at a moment."""
        self.world.push(moment, "wake", self, frame)

    def forget(self, frame: Frame) -> None:
        """Let go of the task under way and of the timers of the frame."""
        if frame.task:
            self.tasks.pop(frame.task, None)
            frame.task = 0
        frame.stamp += 1

    def draw(self) -> random.Random:
        """Give a generator seeded by the run's seed and the number of draws so far."""
        self.drawn += 1
        return random.Random(f"{self.seed}/{self.drawn}")

    def new_token(self) -> str:
        """Make a task token, unique within the execution."""
        return f"{self.draw().getrandbits(256):064x}"

    def context(self, frame: Frame) -> dict[str, Json]:
        """Build the context object for a frame."""
        names, state = self.names, frame.state
        entered = frame.entered_at if frame.entered else self.now
        here: dict[str, Json] = {"Name": state.name, "EnteredTime": iso(entered)}
        if state.type in ("Task", "Map", "Parallel"):
            here["RetryCount"] = sum(frame.retries or ())
        found: dict[str, Json] = {
            "Execution": {
                "Id": names.execution_arn,
                "Input": self.input,
                "StartTime": iso(self.start),
                "Name": names.execution,
                "RoleArn": names.role_arn,
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": names.machine_arn, "Name": names.machine},
            "State": here,
        }
        if frame.token:
            found["Task"] = {"Token": frame.token}
        if frame.item is not None:
            found["Map"] = {"Item": frame.item}
        return merged(found, self.context_edits) if self.context_edits else found

    def path(self, frame: Frame) -> tuple[tuple[str, int], ...]:
        """Give where a frame runs: (Map or Parallel state, index) from the outside in."""
        steps: list[tuple[str, int]] = []
        while frame.join is not None:
            steps.append((frame.join.parent.state.name, frame.index))
            frame = frame.join.parent
        return tuple(reversed(steps))

    # ---- time and ends

    def _waits_outside(self, timer: Timer) -> bool:
        """Say whether time must not jump to this timer by itself."""
        if timer.what == "deadline":
            return self.outside()
        return timer.what in ("timeout", "heartbeat") and timer.frame is not None and timer.frame.outside

    def outside(self) -> bool:
        """Say whether some task of this execution or of its children waits for an answer from outside."""
        if any(frame.outside for frame in self.tasks.values()):
            return True
        return any(child.outside() for run in self.map_runs for child in run.active.values())

    def fire(self, timer: Timer) -> None:
        """Do what a timer says, now that its time has come."""
        if self.world.now > self.now:
            self.now = self.world.now
            self._moved()
        frame = timer.frame
        if frame is None:
            self._deadline()
        elif timer.what == "outcome" and timer.outcome is not None:
            self._settle(frame, timer.outcome)
        elif timer.what in ("timeout", "heartbeat"):
            self._settle(frame, Outcome("timed_out", error="States.Timeout"))
        else:
            frame.phase = RESUME if timer.what == "wake" else frame.phase
            self.make_ready(frame)

    def submitted(self, frame: Frame) -> None:
        """Note that a service has been called which gives the task token to somebody: the event that AWS writes while it waits."""
        service = parse_resource(frame.state.definition["Resource"])
        if service.pattern == "token" and service.family == "task":
            named = {"resourceType": service.resource_type, "resource": service.action}
            self.now = self.world.now
            self.write(frame, kinds.TASK_SUBMITTED, named, {"SdkHttpMetadata": {"HttpStatusCode": 200}})

    def make_ready(self, frame: Frame) -> None:
        """Let a frame run when the engine drains next."""
        self.ready.append(frame)
        self.world.awake.append(self)

    def _settle(self, frame: Frame, outcome: Outcome) -> None:
        self.now = self.world.now
        self.forget(frame)
        frame.outside = False
        frame.outcome = outcome
        frame.phase = RESUME
        self.make_ready(frame)

    def _moved(self) -> None:
        self.moved_at = len(self.log)
        self.reset_fence()

    def _deadline(self) -> None:
        self.failure = Failure("States.Timeout", None)
        self.world.awake.append(self)
        self.end("TIMED_OUT", kinds.EXECUTION_TIMED_OUT, self.root.prev, {"error": "States.Timeout"})

    def end(self, status: str, kind: int, prev: int, details: Json, payload: Json = None) -> None:
        """Write the last event; nothing is under way any more."""
        self.append(prev, kind, details, payload)
        self.status = status
        self.ready.clear()
        self.tasks.clear()
        for run in self.map_runs:
            run.abort()
        if self.owner is None:
            self.world.timers.clear()
            self.world.calls.clear()

    def _next_fence(self) -> int:
        budget = min(self.moved_at // STRIDE + 2 * self.limits.transitions, 2 * self._altogether())
        fence = min(self.limits.events - 1, budget) * STRIDE
        return int(min(fence, self.stop_at) if self.stop_at else fence)

    def _altogether(self) -> int:
        return max(ALTOGETHER, 10 * self.limits.transitions)

    def _at_fence(self, frame: Frame | None) -> bool:
        """Decide what the fence means; True stops `drain`. A frame that stands before its next state goes back to the queue's front."""
        running = self.status == "RUNNING"
        events = len(self.log) // STRIDE
        most = self.limits.events - (frame is not None) if running else self.limits.events + 1
        if events >= most:
            self._too_many_events()
            return True
        if not running:
            return True
        stop = bool(self.stop_at) and len(self.log) >= self.stop_at
        endless = events >= self.moved_at // STRIDE + 2 * self.limits.transitions
        endless = endless or events >= 2 * self._altogether()
        if (stop or endless) and frame is not None:
            self.ready.appendleft(frame)
        if endless and not stop:
            raise BudgetExceeded(
                f"stopped after {events // 2:,} transitions, now at state "
                f'"{(frame or self.root).state.name}": this looks like an endless loop (at most {self.limits.transitions:,} '
                f"transitions without any time passing, {self._altogether():,} altogether); a larger max_transitions lets it go on"
            )
        return stop

    def _too_many_events(self) -> None:
        """End as the service does when event 25,000 is not ExecutionSucceeded."""
        last = int(self.limits.events) - 1
        del self.log[last * STRIDE :]
        text = f"The execution reached the maximum number of history events ({last + 1})."
        self.failure = Failure("States.Runtime", text, fatal=True)
        self.output = None
        self.end("FAILED", kinds.EXECUTION_FAILED, last, self.failure.details())


def merged(base: Json, changes: Json) -> Json:
    """Give an object with changes merged into it, member by member; what is no object is replaced."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    return {**base, **{key: merged(base.get(key), value) for key, value in changes.items()}}
