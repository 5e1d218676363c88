"""`%sfn history`, `%sfn executions` and `%sfn watch` in a real shell, against the fake service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sfn_notebook import Executions, History
from sfn_notebook.api.reports import Text
from sfn_notebook.api.watching import Watch, watches
from tests.aws.conftest import impatient, no_account  # noqa: F401 - fixtures that work by being there
from tests.aws.fake_service import BASE, MACHINE, OPERATIONS, START, FakeAws, World, execution
from tests.notebook.conftest import Notebook

LOOP = '{"StartAt": "Loop", "States": {"Loop": {"Type": "Pass", "Next": "Loop"}}}'
ARN = f"{BASE}:execution:orders:o-1"


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with FakeAws(World()) as found:
        yield found


@pytest.fixture
def there(nb: Notebook, aws: FakeAws) -> Notebook:
    """A notebook whose variables lead to the fake: `machine`, `one`, `url`."""
    aws.world.machines[MACHINE] = {
        "name": "orders", "definition": LOOP, "roleArn": "arn:aws:iam::123456789012:role/r", "type": "STANDARD", "creationDate": 1.5e9,
    }  # fmt: skip
    for number in range(6):
        end = "Failed" if number % 3 == 2 else "Succeeded"
        aws.world.add(execution(f"o-{number}", steps=number, end=end, start=START + timedelta(hours=number)))
    nb["machine"], nb["one"], nb["url"] = MACHINE, ARN, aws.url
    return nb


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    for watch in watches():
        watch.stop()
        watch.join(5)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


# --- history -------------------------------------------------------------------------------------------------------------


def test_one_execution_is_fetched_with_the_machine_that_it_ran(there: Notebook) -> None:
    found = there.good(f"%sfn history {ARN} --endpoint-url url")
    assert isinstance(found, History)
    assert (found.name, found.status, len(found)) == ("o-1", "SUCCEEDED", 6)
    assert found.machine_as_ran().name == "orders"
    shown, _ = there.shell.display_formatter.format(found)  # type: ignore[union-attr]
    assert shown["text/plain"].startswith("✔ SUCCEEDED  orders · o-1 · 2 state visits · 6 events")
    assert "<svg" in shown["text/html"]


@pytest.mark.parametrize(
    "line", ["h = %sfn history one --endpoint-url url", "%sfn h << history one --endpoint-url url"]
)
def test_the_arn_may_stand_in_a_variable_and_the_result_too(there: Notebook, line: str) -> None:
    assert there.good(line) is None
    assert there["h"].arn == ARN


def test_without_the_permission_to_see_the_machine_the_history_is_there_all_the_same(
    there: Notebook, aws: FakeAws
) -> None:
    aws.fail("DescribeStateMachineForExecution", "AccessDeniedException")
    found = there.good("%sfn history one --endpoint-url url")
    assert len(found) == 6
    shown, _ = there.shell.display_formatter.format(found)  # type: ignore[union-attr]
    assert "<svg" in shown["text/html"]


def test_fields_are_masked_by_the_option_and_by_the_setting(there: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    assert there.good("%sfn history one --endpoint-url url --redact $.order").overview.input == {"order": "***"}
    assert there.good("%sfn history one --endpoint-url url").overview.input == {"order": "o-1"}
    monkeypatch.setenv("SFN_NOTEBOOK_REDACT", "$..secret, $['order']")
    assert there.good("%sfn history one --endpoint-url url").overview.input == {"order": "***"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("history", "%sfn history: missing: ARN; see %sfn history --help"),
        ("history on --endpoint-url url", "there is no variable 'on' (did you mean one?)"),
        ("history arm:aws:states:eu:1:x", 'an ARN starts with "arn:aws:states:", but found arm:aws:states:eu:1:x'),
        ("history arn:aws:s3:::bucket", "belongs to the service s3"),
        ("history machine", "is expected"),
        ("history one --regon eu-west-1", "there is no option --regon (did you mean --region?)"),
        ("history one --endpoint-url nowhere", "--endpoint-url: there is no variable 'nowhere'"),
        ("history one --endpoint-url url --profile absent", 'there is no AWS profile "absent"'),
        ("history one --endpoint-url url --redact password[", "password["),
        ("history 5", "5"),
    ],
)
def test_a_mistake_gets_one_good_line(there: Notebook, line: str, message: str) -> None:
    assert message in there.bad(f"%sfn {line}")


# --- executions ----------------------------------------------------------------------------------------------------------


def test_executions_are_fetched_newest_first(there: Notebook) -> None:
    found = there.good("%sfn executions machine --endpoint-url url")
    assert isinstance(found, Executions)
    assert list(found.by_name) == ["o-5", "o-4", "o-3", "o-2", "o-1", "o-0"]
    shown, _ = there.shell.display_formatter.format(found)  # type: ignore[union-attr]
    assert shown["text/plain"].startswith("Executions: 6: 2 FAILED, 4 SUCCEEDED")
    assert "Broken" in shown["text/html"]


def test_status_age_and_number_choose(there: Notebook) -> None:
    failed = there.good("%sfn executions machine --endpoint-url url --status failed")
    assert list(failed.by_name) == ["o-5", "o-2"]
    both = there.good("%sfn executions machine --endpoint-url url --status FAILED --status SUCCEEDED --limit 2")
    assert list(both.by_name) == ["o-5", "o-4"]
    late = there.good(
        '%sfn executions machine --endpoint-url url --since 2026-03-01T14:30Z --until "2026-03-01 15:30Z"'
    )
    assert list(late.by_name) == ["o-3"]
    assert len(there.good("%sfn executions machine --endpoint-url url --since 7d")) == 0


@pytest.mark.parametrize(
    ("form", "column", "rows"), [("table", "execution", 6), ("summary", "share", 1), ("failures", "template", 1)]
)
def test_a_frame_can_be_had_at_once(there: Notebook, form: str, column: str, rows: int) -> None:
    there.good(f"df = %sfn executions machine --endpoint-url url --as {form}")
    assert column in there["df"].columns
    assert len(there["df"]) == rows


def test_closed_executions_come_from_the_cache(
    there: Notebook, aws: FakeAws, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFN_NOTEBOOK_CACHE", str(tmp_path / "cache"))
    first = there.good("%sfn executions machine --endpoint-url url --cache")
    calls = aws.calls["GetExecutionHistory"]
    again = there.good("%sfn executions machine --endpoint-url url --cache")
    assert aws.calls["GetExecutionHistory"] == calls == 6
    assert [history.raw for history in again] == [history.raw for history in first]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--status FAILD", "did you mean FAILED?"),
        ("--since yesterday", "yesterday"),
        ("--limit many", "--limit"),
        ("--limit 0", "limit"),
        ("--as tabel", "did you mean table?"),
        ("--state FAILED", "did you mean --status?"),
        ("--region us-east-1", "contradicts the ARN"),
    ],
)
def test_a_wrong_option_of_executions_gets_one_good_line(there: Notebook, line: str, message: str) -> None:
    assert message in there.bad(f"%sfn executions machine --endpoint-url url {line}")


def test_what_could_not_be_fetched_is_said(there: Notebook, aws: FakeAws) -> None:
    aws.fail("GetExecutionHistory", "AccessDeniedException", when=lambda number: number == 2)
    said = there.cell("xs = %sfn executions machine --endpoint-url url")
    assert "no permission for GetExecutionHistory" in said.text
    assert "no permission for GetExecutionHistory" in repr(there["xs"])
    assert len(there["xs"]) == 6


# --- watch ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def growing(there: Notebook, aws: FakeAws) -> Callable[[int], None]:
    """An execution "live" that has got as far as it is told."""
    made = execution("live", steps=20)
    whole = made["events"]
    made["events"] = whole[:3]
    aws.world.add(made)
    there["live"] = f"{BASE}:execution:orders:live"

    def further(to: int) -> None:
        with aws.lock:
            made["events"] = whole[:to]

    return further


def test_a_watch_goes_on_in_the_background_until_the_execution_has_closed(
    there: Notebook, growing: Callable[[int], None]
) -> None:
    there.good("w = %sfn watch live --endpoint-url url --interval 0.01")
    watch: Watch = there["w"]
    assert (watch.status, len(watch.history)) == ("RUNNING", 3)
    assert there.good("1 + 1") == 2
    growing(10)
    until(lambda: len(watch.history) == 10)
    assert watch.history.known_machine is not None
    assert "watching" in repr(watch)
    growing(44)
    until(lambda: not watch.is_alive())
    assert (watch.status, len(watch.history)) == ("SUCCEEDED", 44)
    assert repr(watch) == "<Watch of 'live': SUCCEEDED, 44 events, closed>"
    assert [event["id"] for event in watch.history] == list(range(1, 45))


def test_what_was_displayed_goes_on_changing(
    there: Notebook, growing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[tuple[bool, str, str]] = []
    monkeypatch.setattr(
        there.shell.display_pub,
        "publish",
        lambda data, metadata=None, transient=None, update=False, **_: published.append(
            (update, transient["display_id"], data["text/plain"])
        ),
    )
    there.shell.display_formatter.active_types = ["text/plain", "text/html"]  # type: ignore[union-attr]
    there.good("w = %sfn watch live --endpoint-url url --interval 0.01")
    assert published == []
    there["w"]._ipython_display_()
    there["w"]._ipython_display_()
    assert len(published) == 2
    growing(44)
    until(lambda: not there["w"].is_alive())
    last = {display: text for update, display, text in published if update}
    assert len(last) == 2
    assert all(text.startswith("✔ SUCCEEDED") for text in last.values())


def test_an_emulator_that_gives_the_oldest_events_first_is_watched_too(
    there: Notebook, growing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = OPERATIONS["GetExecutionHistory"]
    monkeypatch.setitem(
        OPERATIONS,
        "GetExecutionHistory",
        lambda fake, request: whole(fake, {key: request[key] for key in request if key != "reverseOrder"}),
    )
    there.good("w = %sfn watch live --endpoint-url url --interval 0.01")
    for to in (10, 44):
        growing(to)
        until(lambda to=to: len(there["w"].history) == to)  # type: ignore[misc]
    until(lambda: not there["w"].is_alive())
    assert [event["id"] for event in there["w"].history] == list(range(1, 45))


def test_a_watch_is_stopped_at_once(there: Notebook, growing: Callable[[int], None]) -> None:
    there.good("w = %sfn watch live --endpoint-url url --interval 3600")
    told = there.good("%sfn watch --stop")
    assert isinstance(told, Text)
    assert told.text == "stopped watching live: RUNNING, 3 events"
    assert not there["w"].is_alive()
    assert there["w"].stopped
    assert there["w"].history.machine_as_ran().name == "orders"
    assert there.good("%sfn watch --stop").text == "nothing is being watched"


def test_one_of_several_watches_can_be_stopped(there: Notebook, growing: Callable[[int], None], aws: FakeAws) -> None:
    aws.world.add(execution("other", end=""))
    there["other"] = f"{BASE}:execution:orders:other"
    there.good("a = %sfn watch live --endpoint-url url --interval 3600")
    there.good("b = %sfn watch other --endpoint-url url --interval 3600")
    there.good("%sfn watch other --stop")
    assert (there["a"].is_alive(), there["b"].is_alive()) == (True, False)
    assert "is not being watched" in there.bad("%sfn watch other --stop")


def test_a_failure_later_on_is_shown_and_not_raised(
    there: Notebook, growing: Callable[[int], None], aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    there.good("w = %sfn watch live --endpoint-url url --interval 0.01")
    aws.fail("GetExecutionHistory", "ExpiredTokenException")
    until(lambda: not there["w"].is_alive())
    assert "the AWS session has expired" in there["w"].problem
    assert "the AWS session has expired" in repr(there["w"])
    assert raised == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("watch", "missing: ARN"),
        ("watch machine --endpoint-url url", "an execution is expected"),
        ("watch one --interval 0", "--interval takes seconds, more than 0, but found 0"),
        ("watch one --interval soon", "--interval"),
        (f"watch {BASE}:execution:orders:absent --endpoint-url url", "not found by GetExecutionHistory"),
        ("watch one --stopp", "did you mean --stop?"),
    ],
)
def test_what_cannot_be_watched_gets_one_good_line(there: Notebook, line: str, message: str) -> None:
    assert message in there.bad(f"%sfn {line}")
    assert watches() == []


@pytest.mark.parametrize("verb", ["history", "executions", "watch"])
def test_each_verb_has_help(nb: Notebook, verb: str) -> None:
    text = nb.good(f"%sfn {verb} --help").text
    assert f"usage: %sfn {verb}" in text
    assert "--profile" in text
