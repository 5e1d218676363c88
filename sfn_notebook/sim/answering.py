"""Who answers the tasks of a recorded run: somebody by hand, a history, a handler, or nobody yet.

For each task, in this order: what was given by hand beforehand (`given`), what a recorded history says (`recorded`), the handler that is
bound. A task without a handler is asked: it waits for an answer, and the run stops once to say so (not for callbacks and activities,
whose answers come from outside anyway). The same happens to a task that has already been answered, by its handler or in the
history, in a part of the run that was given up by an edit (`past`): calling its handler again may have side effects, so that somebody
must agree (`confirm`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sfn_notebook.engine.frames import Outcome
from sfn_notebook.engine.task import TaskCall
from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.handlers import Responder
from sfn_notebook.sim.tape import Entry, key_of

Name = tuple[Any, ...]
"""(engine, path, state, purpose, which call of it there): names a task call in any line of a run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task got.

    Attributes:
        call: where the task ran: engine, task, path, state, attempt, purpose, input.
        by: "hand", "history", "handler", "constant", "storage", "asked" or "outside".
        outcome: as JSON; None while it waits for one.
        delay: seconds of virtual time until it comes.
        untimed: the task's timeouts do not count.
        submitted: the answer of the service that took the task, where the outcome does not bring it.
    """

    call: dict[str, Json]
    by: str
    outcome: Json = None
    delay: float = 0
    untimed: bool = False
    submitted: Json = None

    def to_json(self) -> dict[str, Json]:
        """Give the answer as JSON."""
        found = {"call": self.call, "by": self.by, "outcome": self.outcome, "delay": self.delay}
        more = {"untimed": True} if self.untimed else {}
        return {**found, **more} if self.submitted is None else {**found, **more, "submitted": self.submitted}


class Recorded(Protocol):
    """Outcomes of an earlier run."""

    def find(self, call: TaskCall, visit: int, *, exactly: bool) -> dict[str, Json] | None:
        """Give `outcome` (None for "still waiting"), `delay` and more of a task, as `Answer` has it; None where nothing is known of it.

        Args:
            call: the task.
            visit: how often its state was visited at this place before.
            exactly: only what a task was answered that was given the same.
        """


Confirm = bool | Callable[[TaskCall, Outcome | None], bool] | None
"""May a handler be called again: True, False or None (ask), or `f(task, earlier outcome)`."""


class Answering:
    """Answers tasks.

    Attributes:
        responder: the handlers.
        recorded: outcomes of a history, which come before handlers.
        confirm: who agrees to calling a handler again.
        changed: the run has left the way that was recorded: what a task was answered then holds only for one that is given the same.
        given: answers by hand to tasks that have not been asked for yet, by (engine, task).
        past: what handlers and the history answered in parts of the run that were given up.
    """

    def __init__(self, responder: Responder, recorded: Recorded | None = None, confirm: Confirm = None) -> None:
        self.responder = responder
        self.recorded = recorded
        self.confirm = confirm
        self.changed = False
        self.given: dict[tuple[Any, int], Json] = {}
        self.past: dict[Name, Json] = {}
        self._counts: Counter[Name] = Counter()
        self._visits: Counter[Name] = Counter()

    # ---- answering

    def answers(self, calls: Sequence[TaskCall]) -> list[Answer]:
        """Answer a batch of tasks, in order.

        Raises:
            RunError: a handler's answer is no JSON; what the others answered is kept.
        """
        found = [self._without_calling(call) for call in calls]
        self._call_handlers([call for call, answer in zip(calls, found, strict=True) if answer is None])
        answers = [answer or self._take(call) for call, answer in zip(calls, found, strict=True)]
        self._note(answer.to_json() for answer in answers)
        return answers

    def _note(self, answers: Iterable[dict[str, Json]]) -> None:
        """Count calls and visits by place."""
        for answer in answers:
            place = _place(answer["call"])
            self._counts[place] += 1
            self._visits[place] += answer["call"]["attempt"] == 1

    def _without_calling(self, call: TaskCall) -> Answer | None:
        """Give the answer of a task that needs no handler; None where one shall be called."""
        described = describe(call)
        held = self.given.pop(_number(described), None)
        if held is not None:
            return Answer(described, **held)
        known = self._recorded(call, described)
        if known is not None:
            return Answer(described, "history", **known)
        if call.purpose == "task" and not self.responder.find(call.state, call.service.arn)[0]:
            return Answer(described, "outside" if call.service.outside else "asked")
        if self._side_effects(call) and not self._agreed(call):
            return Answer(described, "asked")
        return None

    def _recorded(self, call: TaskCall, described: dict[str, Json]) -> dict[str, Json] | None:
        if self.recorded is None:
            return None
        visit = self._visits[_place(described)] - (call.attempt > 1)
        return self.recorded.find(call, visit, exactly=self.changed)

    def _side_effects(self, call: TaskCall) -> bool:
        if call.purpose == "task":
            return self.responder.calls_code(call.state, call.service.arn)
        return call.purpose == "write"

    def _agreed(self, call: TaskCall) -> bool:
        name = self.name(call)
        if name not in self.past or self.confirm is True:
            return True
        if callable(self.confirm):
            earlier = self.past[name]["outcome"]
            return bool(self.confirm(call, None if earlier is None else Outcome(**earlier)))
        return False

    def _call_handlers(self, calls: list[TaskCall]) -> None:
        """Call handlers; what they give is put into `given`, so that it survives the failure of a later one."""
        alone = self.responder.caller.executor is None
        for batch in [[call] for call in calls] if alone else [calls] if calls else []:
            for call, (outcome, delay) in zip(batch, self.responder.respond(batch), strict=True):
                self.given[_number(describe(call))] = self._held(call, outcome, delay)

    def _held(self, call: TaskCall, outcome: Outcome | None, delay: float) -> Json:
        if outcome is None:
            return {"by": "outside"}
        by = "storage" if call.purpose == "read" else "handler" if self._side_effects(call) else "constant"
        return {"by": by, "outcome": outcome.to_json(), "delay": delay}

    def _take(self, call: TaskCall) -> Answer:
        described = describe(call)
        return Answer(described, **self.given.pop(_number(described)))

    def will_answer(self, call: TaskCall) -> bool:
        """Say whether a task that has not been asked yet will get an answer by going on."""
        described = describe(call)
        if _number(described) in self.given or call.purpose != "task":
            return True
        if self.recorded is not None and (not self.changed or self._recorded(call, described)):
            return True
        return self.responder.find(call.state, call.service.arn)[0]

    def call_now(self, call: TaskCall) -> tuple[Outcome | None, float]:
        """Call the handler of a task that was asked."""
        if call.purpose == "task" and not self.responder.find(call.state, call.service.arn)[0]:
            raise RunError(f'no handler is bound to the state "{call.state}" or its resource {call.service.arn}')
        return self.responder.respond([call])[0]

    # ---- what happened in parts that were given up

    def name(self, call: TaskCall) -> Name:
        """Name a task by its place and by how often a task was called there before."""
        place = _place(describe(call))
        return (*place, self._counts[place])

    def earlier(self, call: TaskCall, tape: list[Entry]) -> Outcome | None:
        """Give the outcome that the same task had before an edit, when a handler or the history gave it."""
        if not self.past:
            return None
        described = describe(call)
        place = _place(described)
        name = _names(tape).get(_number(described)) or (*place, self._counts[place])
        found = self.past.get(name)
        return None if found is None or found["outcome"] is None else Outcome(**found["outcome"])

    def forget(self, kept: list[Entry], dropped: list[Entry]) -> None:
        """Take note that a part of the run was given up."""
        self._count(kept)
        counts = Counter(self._counts)
        named = _names(kept)
        self._forget_records(dropped)
        for answer in answers_on(dropped):
            place = _place(answer["call"])
            named[_number(answer["call"])] = name = (*place, counts[place])
            counts[place] += 1
            if answer["by"] in ("handler", "history"):
                self.past[name] = answer
        for entry in dropped:  # what a handler was called for on request
            if entry.kind == "answer" and entry.data["by"] == "handler":
                self.past[named[_number(entry.data["call"])]] = entry.data
        self.given.clear()
        self._restore(kept)

    def _forget_records(self, dropped: list[Entry]) -> None:
        """Forget what handlers printed and raised in calls that were given up; of calls with one number, the last are meant."""
        told = [answer for answer in answers_on(dropped) if answer["by"] in ("handler", "history")]
        told += [entry.data for entry in dropped if entry.kind == "answer" and entry.data["by"] == "handler"]
        gone = Counter((one["call"]["task"], one["call"]["state"], one["call"]["attempt"]) for one in told)
        kept = []
        for record in reversed(self.responder.records):
            key = record.task, record.state, record.attempt
            if gone[key] > 0:
                gone[key] -= 1
            else:
                kept.append(record)
        self.responder.records[:] = reversed(kept)

    def again(self) -> list[dict[str, Json]]:
        """Give the handler calls of given-up parts that have not come up again: those that going on may repeat."""
        left = ((name, answer) for name, answer in self.past.items() if name[-1] >= self._counts[name[:-1]])
        return [answer["call"] for _, answer in left if answer["by"] == "handler" or self._may_call(answer["call"])]

    def _may_call(self, call: Mapping[str, Any]) -> bool:
        return self.responder.calls_code(call["state"], call["resource"])

    def fork(self, tape: list[Entry]) -> Answering:
        """Give the same for another line of the run."""
        responder = self.responder.twin()
        responder.records.extend(self.responder.records)
        new = Answering(responder, self.recorded, self.confirm)
        new.changed = self.changed
        new.given, new.past = dict(self.given), dict(self.past)
        new._count(tape)
        responder.restore(self.responder.progress())
        return new

    def _count(self, tape: list[Entry]) -> None:
        self._counts, self._visits = Counter(), Counter()
        self._note(answers_on(tape))

    def _restore(self, tape: list[Entry]) -> None:
        used: dict[str, int] = next(
            (e.data["used"] for e in reversed(tape) if e.kind == "answers" and "used" in e.data), {}
        )
        self.responder.restore(used)

    # ---- saving

    def to_json(self) -> dict[str, Json]:
        """Give what is not on the tape."""
        return {
            "changed": self.changed,
            "given": [[list(key), task, held] for (key, task), held in self.given.items()],
            "past": [[list(name), answer] for name, answer in self.past.items()],
        }

    def load(self, saved: dict[str, Json], tape: list[Entry]) -> None:
        """Take over what `to_json` gave, for a tape."""
        self.changed = saved["changed"]
        self.given = {(_tuples(key), task): held for key, task, held in saved["given"]}
        self.past = {_tuples(name): answer for name, answer in saved["past"]}
        self._count(tape)
        self._restore(tape)


def answers_on(tape: list[Entry]) -> Any:
    """Yield all answers to tasks on a tape, as JSON; those that came later from outside are not among them."""
    return (answer for entry in tape if entry.kind == "answers" for answer in entry.data["answers"])


def _names(tape: list[Entry]) -> dict[tuple[Any, int], Name]:
    """Name every task call on a tape, by its number."""
    counts: Counter[Name] = Counter()
    found: dict[tuple[Any, int], Name] = {}
    for answer in answers_on(tape):
        place = _place(answer["call"])
        found[_number(answer["call"])] = (*place, counts[place])
        counts[place] += 1
    return found


def describe(call: TaskCall) -> dict[str, Json]:
    """Describe a task call as JSON."""
    return {
        "engine": [list(step) for step in key_of(call.frame.engine)],
        "task": call.task,
        "path": [list(step) for step in call.path],
        "state": call.state,
        "attempt": call.attempt,
        "purpose": call.purpose,
        "resource": call.service.arn,
    }


def _number(described: dict[str, Json]) -> tuple[Any, int]:
    return _tuples(described["engine"]), described["task"]


def _place(described: dict[str, Json]) -> Name:
    return _tuples(described["engine"]), _tuples(described["path"]), described["state"], described["purpose"]


def _tuples(value: Any) -> Any:
    """Make nested lists hashable."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
