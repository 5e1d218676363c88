"""Mock configuration files, in the format of Step Functions Local.

Such a file names state machines, their test cases, which mocked response answers which state in a case, and what each response
returns or throws at which attempt. `load_mock_file` turns one test case into handlers by state name; `MockFile` is the same as an
object that `run(handlers=...)` takes before it knows the machine.

As in Step Functions Local: one counter per state and execution numbers the attempts, over retries, loops and Map iterations alike;
`Return` holds the whole answer of the service (`StatusCode`, `Payload` ... of `lambda:invoke`); an attempt that the response does not
describe fails the execution with States.Runtime. Overlaps and gaps in the numbers are refused when the file is read.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sfn_notebook.errors import Json, RunError
from sfn_notebook.sim.outcomes import Outcomes, Raw, TaskError
from sfn_notebook.strictjson import json_text, parse_json

_ATTEMPTS = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)
_MOST_ATTEMPTS = 1_000_000

Source = str | os.PathLike[str] | Mapping[str, Json]


class MockFileError(RunError):
    """A mock file cannot be used: it cannot be read, is not of the format, or has no such machine or test case."""


class Returned:
    """Answer a request with the value that a mock file gives for it."""

    pure = True
    """Being called has no effect but the answer."""

    def __init__(self, value: Json) -> None:
        self.value = value

    def __call__(self, request: Json) -> Json:  # noqa: ARG002 - it is called as a handler
        """Give the value, whatever the request is."""
        return self.value

    def __repr__(self) -> str:
        return f"Returned({self.value!r})"


class MockFile:
    """One test case of a mock file, for `run(handlers=MockFile("mocks.json", "HappyPath"))`.

    Args:
        source: path of the file, or its content as a mapping.
        test_case: name of the test case.
        machine: name of the state machine in the file, where it is not the name of the machine that is run.

    Raises:
        MockFileError: when the file cannot be read or is not of the format.
    """

    def __init__(self, source: Source, test_case: str, machine: str | None = None) -> None:
        self.content = _read(source)
        self.name = "the mock file" if isinstance(source, Mapping) else f"the mock file {os.fspath(source)}"
        self.test_case = test_case
        self.machine = machine

    def __repr__(self) -> str:
        return f"MockFile({self.name!r}, {self.test_case!r})"

    def handlers_for(self, machine_name: str | None, states: Iterable[str] | None = None) -> dict[str, Any]:
        """Give the handlers of the test case by state name.

        Args:
            machine_name: name of the machine that is run; None where it has none, which will do for a file with one machine.
            states: names of the machine's states; when given, a mocked state that the machine does not have is refused.

        Raises:
            MockFileError: when machine, test case or response are unknown or not of the format.
        """
        machines = _members(self.content, "StateMachines", self.name)
        name = self.machine or machine_name
        if name is None and len(machines) == 1:
            name = next(iter(machines))
        hint = "" if self.machine else ' (MockFile(..., machine="...") takes another name than that of the machine)'
        machine = _pick(machines, name, "state machine", self.name, hint)
        cases = _members(machine, "TestCases", f'state machine "{name}" in {self.name}')
        case = _pick(cases, self.test_case, "test case", f'state machine "{name}" in {self.name}')
        responses = _members(self.content, "MockedResponses", self.name)
        where = f'test case "{self.test_case}" of {self.name}'
        if not isinstance(case, Mapping):
            raise MockFileError(f"{where} must map state names to mocked responses, but found {json_text(case)}")
        known = None if states is None else dict.fromkeys(states)
        handlers = {}
        for state, response in case.items():
            if known is not None:
                _pick(known, state, "state", f'state machine "{name}"', f" ({where} mocks it)")
            handlers[state] = outcomes(response, _pick(responses, response, "mocked response", self.name), state)
        return handlers


def load_mock_file(source: Source, machine_name: str | None, test_case: str) -> dict[str, Any]:
    """Read one test case of a mock file: the handlers of its states, by state name."""
    return MockFile(source, test_case).handlers_for(machine_name)


def outcomes(name: str, response: Json, state: str) -> Outcomes:
    """Turn a mocked response into one outcome per attempt; the one after the last fails the execution.

    Raises:
        MockFileError: when attempts overlap, are missing, or neither return nor throw.
    """
    where = f'mocked response "{name}"'
    if not isinstance(response, Mapping):
        raise MockFileError(f"{where} must map attempts to Return or Throw, but found {json_text(response)}")
    found: list[Any] = []
    for (first, last), key in sorted((_attempts(key, where), key) for key in response):
        if first < len(found):
            raise MockFileError(f'{where} describes attempt {first} twice, the second time in "{key}"')
        if first > len(found):
            missing = str(len(found)) if first == len(found) + 1 else f"{len(found)}-{first - 1}"
            raise MockFileError(f"{where} describes attempt {first}, but not {missing}; attempts are numbered from 0")
        found += [_outcome(response[key], f'attempt "{key}" of {where}')] * (last + 1 - first)
    cause = f'{where} of state "{state}" describes {len(found)} attempts, but the state was invoked once more'
    return Outcomes([*found, TaskError("States.Runtime", cause)])


def _outcome(value: Json, where: str) -> Raw | TaskError:
    """Read one Return or Throw."""
    chosen = [key for key in ("Return", "Throw") if isinstance(value, Mapping) and key in value]
    if len(chosen) != 1:
        raise MockFileError(f"{where} needs either Return or Throw, but has {' and '.join(chosen) or 'neither'}")
    if len(value) > 1:
        extra = next(key for key in value if key not in chosen)
        raise MockFileError(f'{where} has "{extra}" beside {chosen[0]}')
    if chosen == ["Return"]:
        return Raw(Returned(value["Return"]))
    thrown = value["Throw"]
    error, cause = (thrown.get("Error"), thrown.get("Cause", "")) if isinstance(thrown, Mapping) else (None, "")
    if not isinstance(error, str) or not isinstance(cause, str):
        raise MockFileError(f"the Throw of {where} needs Error and Cause as text, but found {json_text(thrown)}")
    return TaskError(error, cause)


def _attempts(key: str, where: str) -> tuple[int, int]:
    """Read the number of an attempt, or a range of them."""
    match = _ATTEMPTS.fullmatch(key)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if first > last:
        raise MockFileError(f'{where} has the attempt "{key}"; write a number from 0, or a range such as "1-2"')
    if last > _MOST_ATTEMPTS:
        raise MockFileError(f'{where} has the attempt "{key}"; the greatest number is {_MOST_ATTEMPTS:,}')
    return first, last


def _read(source: Source) -> Mapping[str, Json]:
    if isinstance(source, Mapping):
        return source
    path = Path(source)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise MockFileError(f"the mock file {path} cannot be read: {error.strerror}") from error
    content = parse_json(text, f"the mock file {path}")
    if not isinstance(content, dict):
        raise MockFileError(f'the mock file {path} must be an object with "StateMachines" and "MockedResponses"')
    return content


def _members(holder: Json, name: str, where: str) -> Mapping[str, Json]:
    """Give the object that a member of an object is."""
    found = holder.get(name) if isinstance(holder, Mapping) else None
    if not isinstance(found, Mapping):
        raise MockFileError(f'{where} needs an object "{name}", but found {json_text(found)}')
    return found


def _pick(among: Mapping[str, Json], name: Json, what: str, where: str, hint: str = "") -> Json:
    """Give a member by name; else say which names there are and which is nearest."""
    if isinstance(name, str) and name in among:
        return among[name]
    near = difflib.get_close_matches(str(name), list(among), n=1)
    shown = ", ".join(f'"{key}"' for key in list(among)[:20]) or "none"
    guess = f'did you mean "{near[0]}"?' if near else f"there are: {shown}" if len(among) != 1 else f"there is: {shown}"
    asked = f'"{name}"' if isinstance(name, str) else json_text(name)
    raise MockFileError(f"{where} has no {what} {asked}; {guess}{hint}")
