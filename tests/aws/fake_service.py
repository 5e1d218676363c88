"""An HTTP fake of AWS, made from botocore's own service models, on 127.0.0.1.

`FakeAws` answers Step Functions (JSON 1.0) and CloudWatch Logs (JSON 1.1) with what a `World` holds. The models decide what a request may
contain and how an answer is written, so a call that AWS would refuse as malformed is refused here too. Pages are real: `maxResults`, and tokens
that belong to one request. `fail` makes chosen calls go wrong: refused, throttled, cut in the middle, dropped.

>>> with FakeAws(World()) as aws:
...     aws.fail("ListExecutions", "ThrottlingException", times=2)
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

ACCOUNT, REGION = "123456789012", "eu-west-1"
BASE = f"arn:aws:states:{REGION}:{ACCOUNT}"
MACHINE = f"{BASE}:stateMachine:orders"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOSED = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "TimedOut": "TIMED_OUT", "Aborted": "ABORTED"}

DROP, CUT, GARBAGE = "DROP", "CUT", "GARBAGE"
"""Failures of the connection: no answer at all, half an answer, an answer that is no JSON."""


class Refused(Exception):
    """An error of the service: code, message."""


# ---- what there is


def execution(
    name: str, steps: int = 1, end: str = "Succeeded", start: datetime = START, machine: str = "orders"
) -> dict[str, Any]:
    """Make an execution with `4 + 2 * steps` events; `end` is the word in the type of the last event, "" for none."""
    events: list[dict[str, Any]] = []

    def add(kind: str, member: str | None = None, **detail: Any) -> None:
        number = len(events) + 1
        event = {"timestamp": (start + timedelta(milliseconds=37 * number)).timestamp(), "type": kind, "id": number}
        event["previousEventId"] = 0 if number <= 2 else number - 1
        events.append(event | ({member: detail} if member else {}))

    whole = {"truncated": False}
    add(
        "ExecutionStarted",
        "executionStartedEventDetails",
        input=json.dumps({"order": name}),
        inputDetails=whole,
        roleArn="r",
    )
    add("PassStateEntered", "stateEnteredEventDetails", name="Loop", input="{}", inputDetails=whole)
    for step in range(steps):
        add(
            "PassStateExited",
            "stateExitedEventDetails",
            name="Loop",
            output=json.dumps({"step": step}),
            outputDetails=whole,
        )
        add("PassStateEntered", "stateEnteredEventDetails", name="Loop", input="{}", inputDetails=whole)
    add("PassStateExited", "stateExitedEventDetails", name="Loop", output="{}", outputDetails=whole)
    if end == "Succeeded":
        add("ExecutionSucceeded", "executionSucceededEventDetails", output="{}", outputDetails=whole)
    elif end:
        add(f"Execution{end}", f"execution{end}EventDetails", error="Broken", cause="it broke")
    row = {
        "executionArn": f"{BASE}:execution:{machine}:{name}",
        "stateMachineArn": f"{BASE}:stateMachine:{machine.partition('/')[0]}",
        "name": name,
        "status": CLOSED.get(end, "RUNNING"),
        "startDate": events[0]["timestamp"],
        "redriveCount": 0,
    }
    if end:
        row["stopDate"] = events[-1]["timestamp"]
    return {"row": row, "events": events}


@dataclass
class World:
    """The executions, state machines and log records that the fake knows."""

    executions: list[dict[str, Any]] = field(default_factory=list)
    machines: dict[str, dict[str, Any]] = field(default_factory=dict)
    map_runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[tuple[float, str]] = field(default_factory=list)
    """(seconds, message)"""

    def add(self, *executions: dict[str, Any]) -> World:
        self.executions += executions
        return self

    def find(self, arn: str) -> dict[str, Any]:
        for found in self.executions:
            if found["row"]["executionArn"] == arn:
                return found
        raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


# ---- operations: (fake, request) -> answer


def _page(aws: FakeAws, items: list[Any], request: dict[str, Any], key: str, default: int) -> dict[str, Any]:
    asked = {name: value for name, value in request.items() if name != "nextToken"}
    size = min(request.get("maxResults") or default, aws.most)
    start = 0
    if "nextToken" in request:
        known = aws.tokens.get(request["nextToken"])
        if known is None or known[0] != asked:
            raise Refused("InvalidToken", "Invalid Token: 'Invalid token'")
        start = known[1]
    answer: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        token = f"token-{len(aws.tokens)}"
        aws.tokens[token] = (asked, start + size)
        answer["nextToken"] = token
    return answer


def _history(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    events = aws.world.find(request["executionArn"])["events"]
    if request.get("reverseOrder"):
        events = events[::-1]
    if request.get("includeExecutionData") is False:
        events = [_bare(event) for event in events]
    return _page(aws, events, request, "events", 100)


def _bare(event: dict[str, Any]) -> dict[str, Any]:
    payloads = ("input", "output", "inputDetails", "outputDetails")
    return {
        k: {n: x for n, x in v.items() if n not in payloads} if isinstance(v, dict) else v for k, v in event.items()
    }


def _executions(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    machine, run, status = (request.get(key) for key in ("stateMachineArn", "mapRunArn", "statusFilter"))
    if machine and aws.world.machines.get(machine, {}).get("type") == "EXPRESS":
        raise Refused("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    rows = [found["row"] for found in aws.world.executions]
    wanted = [row for row in rows if (row.get("mapRunArn") == run if run else row["stateMachineArn"] == machine)]
    if not wanted and machine not in aws.world.machines and not run:
        raise Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")
    wanted = [row for row in wanted if status in (None, row["status"])]
    return _page(aws, sorted(wanted, key=lambda row: -row["startDate"]), request, "executions", 100)


def _machine(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    found = aws.world.machines.get(request["stateMachineArn"])
    if found is None:
        raise Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{request['stateMachineArn']}'")
    return {"stateMachineArn": request["stateMachineArn"], **found}


def _as_ran(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    row = aws.world.find(request["executionArn"])["row"]
    found = aws.world.machines[row["stateMachineArn"]]
    shown: dict[str, Any] = {key: found[key] for key in ("name", "definition", "roleArn") if key in found}
    return {"stateMachineArn": row["stateMachineArn"], "updateDate": 1.5e9, "revisionId": "r-1", **shown}


def _map_runs(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    found = [run for run in aws.world.map_runs.values() if run["executionArn"] == request["executionArn"]]
    keys = ("executionArn", "mapRunArn", "startDate")
    rows = [{**{key: run[key] for key in keys}, "stateMachineArn": MACHINE} for run in found]
    return _page(aws, rows, request, "mapRuns", 100)


def _start_query(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    if request["logGroupName"] != "/aws/vendedlogs/states/quick":
        raise Refused("ResourceNotFoundException", f"Log group '{request['logGroupName']}' does not exist")
    text = request["queryString"]
    wanted = text.split('"')[1]
    most = int(text.rpartition("limit ")[2])
    inside = [
        row for row in aws.world.logs if request["startTime"] <= int(row[0]) <= request["endTime"] and wanted in row[1]
    ]
    aws.queries.append((sorted(inside)[:most], 2))
    return {"queryId": str(len(aws.queries) - 1)}


def _query_results(aws: FakeAws, request: dict[str, Any]) -> dict[str, Any]:
    number = int(request["queryId"])
    rows, waits = aws.queries[number]
    if waits:
        aws.queries[number] = (rows, waits - 1)
        return {"status": "Running", "results": []}
    found = [[{"field": "@timestamp", "value": str(at)}, {"field": "@message", "value": text}] for at, text in rows]
    return {"status": "Complete", "results": found}


OPERATIONS: dict[str, Callable[[FakeAws, dict[str, Any]], dict[str, Any]]] = {
    "GetExecutionHistory": _history,
    "ListExecutions": _executions,
    "DescribeExecution": lambda aws, request: aws.world.find(request["executionArn"])["row"],
    "DescribeStateMachine": _machine,
    "DescribeStateMachineForExecution": _as_ran,
    "ListMapRuns": _map_runs,
    "DescribeMapRun": lambda aws, request: aws.world.map_runs[request["mapRunArn"]],
    "StartQuery": _start_query,
    "GetQueryResults": _query_results,
    "StopQuery": lambda _aws, _request: {"success": True},
}


# ---- the protocol


@cache
def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def check_request(shape: Shape | None, value: dict[str, Any]) -> None:
    members = getattr(shape, "members", {})
    missing = [name for name in getattr(shape, "required_members", ()) if name not in value]
    unknown = [name for name in value if name not in members]
    if missing or unknown:
        raise Refused("ValidationException", f"missing {missing}, unknown {unknown}")
    for name, item in value.items():
        most = members[name].metadata.get("max")
        if most is not None and (len(item) if isinstance(item, str) else item if isinstance(item, int) else 0) > most:
            raise Refused("ValidationException", f"{name} is more than {most}")


def shaped(shape: Any, value: Any, *, future: bool) -> Any:
    """Check an answer against its shape; members of a `future` service are let through."""
    if shape.type_name == "structure":
        unknown = {name for name in value if name not in shape.members}
        assert future or not unknown, f"{shape.name} has no {unknown}"
        return {n: v if n in unknown else shaped(shape.members[n], v, future=future) for n, v in value.items()}
    if shape.type_name == "list":
        return [shaped(shape.member, item, future=future) for item in value]
    return value


class FakeAws:
    """The server. `most` is the longest page that it gives, `calls` counts the requests of each operation, `refused` those that were made to fail."""

    def __init__(self, world: World, *, future: bool = False) -> None:
        self.world: World = world
        self.most = 1000
        self.future = future
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.tokens: dict[str, tuple[dict[str, Any], int]] = {}
        self.queries: list[tuple[list[Any], int]] = []
        self.lock = threading.Lock()
        self._faults: list[tuple[str, str, str, Callable[[int], bool]]] = []

    def fail(
        self,
        operation: str,
        code: str,
        message: str = "made up",
        *,
        times: int | None = None,
        when: Callable[[int], bool] = lambda _number: True,
    ) -> None:
        """Make calls of an operation fail: those whose number (from 1) fits, the first `times` of these."""
        left = [times]

        def fits(number: int) -> bool:
            if not when(number) or left[0] == 0:
                return False
            if left[0] is not None:
                left[0] -= 1
            return True

        self._faults.append((operation, code, message, fits))

    def heal(self) -> None:
        """Let all calls succeed from now on."""
        self._faults.clear()

    def answer(self, target: str, body: bytes) -> tuple[int, bytes, str | None]:
        """Answer a request: status, body, and a failure of the connection."""
        prefix, _, operation = target.partition(".")
        service = "stepfunctions" if prefix == "AWSStepFunctions" else "logs"
        shapes = model(service).operation_model(operation)
        request = json.loads(body)
        with self.lock:
            self.calls[operation] += 1
            self.requests.append((operation, request))
            fault = next((f for f in self._faults if f[0] == operation and f[3](self.calls[operation])), None)
            if fault:
                self.refused[operation] += 1
                if fault[1] not in (DROP, CUT, GARBAGE):
                    return self._error(fault[1], fault[2])
            try:
                check_request(shapes.input_shape, request)
                answer = shaped(shapes.output_shape, OPERATIONS[operation](self, request), future=self.future)
            except Refused as error:
                return self._error(*error.args)
        return 200, json.dumps(answer).encode(), fault[1] if fault else None

    @staticmethod
    def _error(code: str, message: str) -> tuple[int, bytes, None]:
        status = 500 if code.startswith("Internal") else 400
        return status, json.dumps({"__type": f"com.amazon#{code}", "message": message}).encode(), None

    def __enter__(self) -> FakeAws:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: two would wait for each other

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer, broken = fake.answer(self.headers["X-Amz-Target"], body)
                if broken == DROP:
                    self.close_connection = True
                    return
                if broken == GARBAGE:
                    answer = b"<html>bad gateway</html>"
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("x-amzn-RequestId", "request-1")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if broken == CUT:
                    answer = answer[: len(answer) // 2]
                    self.close_connection = True
                self.wfile.write(answer)

            def log_message(self, *_args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
