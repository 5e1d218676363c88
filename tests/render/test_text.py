from datetime import datetime, timedelta

from sfn_notebook.render.labels import width_of
from sfn_notebook.render.overlay import overlay_from_visits
from sfn_notebook.render.summary import AttemptRow, RunSummary, VisitRow
from sfn_notebook.render.text import outline, run_text

from .machines import HOSTILE, MACHINES, ORDERS, around

START = datetime(2026, 1, 1)


def test_a_machine_is_an_outline_with_arrows() -> None:
    assert outline(ORDERS, title="orders").splitlines() == [
        "orders",
        "● Validate  [Task · Lambda validate-order · ↻ 4× TooManyRequestsExcepti… +1] → Prepare",
        "    ⚠ ValidationError ⇢ Refused",
        "  Prepare  [Parallel] → Ready?",
        "    ⚠ any error ⇢ Undo",
        "    branch 1",
        "    │ ● Charge  [Task · HTTP invoke] ■",
        "    branch 2",
        "    │ ● Reserve  [Task · DynamoDB updateItem] ■",
        "  Ready?  [Choice]",
        "    ◇ paid and total > 100 → Pack",
        "    ◇ otherwise → Undo",
        "  Pack  [Map] → Cool down",
        "    │ ● Wrap  [Pass] ■",
        "  Cool down  [Wait · 2 h] → Done",
        "  Done  [Succeed] ■",
        "  Undo  [Task · SQS sendMessage · waits for token] → Refused",
        "  Refused  [Fail] ■",
    ]


def test_a_run_puts_marks_into_the_outline() -> None:
    rows = [{"name": "Validate", "status": "SUCCEEDED", "attempts": 3}, {"name": "Prepare", "status": "FAILED"}]
    lines = outline(ORDERS, overlay_from_visits(rows)).splitlines()
    assert lines[0].startswith("● ✔ Validate ↻2 ")
    assert "  ✖ Prepare" in lines[2]
    assert "  ◌ Done  [Succeed] ■" in lines


def test_half_written_machines_say_what_is_missing() -> None:
    text = outline(MACHINES["half_written"])
    assert "● Nowhere (no such state)" in text
    assert "→ B (no such state)" in text
    assert "F  [no Type]" in text
    assert outline({}) == "(no states)"


def test_lines_keep_within_the_width_and_can_be_printed() -> None:
    for name in HOSTILE:
        text = outline(around(name), title=f"t {name}", width=60)
        text.encode()
        assert all(width_of(line) <= 60 for line in text.split("\n"))
        assert len(text.split("\n")) == len(outline(around("plain"), title="plain").split("\n"))


def run(**changes: object) -> RunSummary:
    attempts = [
        AttemptRow(1, "FAILED", 2, "Busy", "later", printed="trying\nhard"),
        AttemptRow(
            2,
            "FAILED",
            4,
            "KeyError",
            "'x'",
            exception="Traceback (most recent call last):\n  File \"f\"\nKeyError: 'x'",
        ),
    ]
    visits = [
        VisitRow("Validate", "Task", "FAILED", "", 6, attempts, 2, '{"a":1}', None, "KeyError", "'x'"),
        VisitRow("日本語", "Map", "SUCCEEDED", "Pack[3]/Wrap[0]", 0.004, (), 1, "{}", '{"long":"' + "x" * 300 + '"}'),
    ]
    values: dict[str, object] = {
        "status": "FAILED",
        "name": "orders",
        "started": START,
        "ended": START + timedelta(seconds=125),
        "error": "KeyError",
        "cause": "'x'",
        "visits": visits,
        "events": 17,
    }
    return RunSummary(**(values | changes))  # type: ignore[arg-type]


def test_a_run_is_a_status_line_and_an_aligned_table() -> None:
    assert run_text(run(), width=90).splitlines() == [
        "✖ FAILED  orders · 2 state visits · 17 events · 2 min 5 s",
        "  KeyError: 'x'",
        "",
        "#  state     in               status       duration  tries  output",
        "1  Validate                   ✖ failed     6 s       ↻ 2    KeyError",
        "      attempt 1 printed: trying",
        "      attempt 1 printed: hard",
        "      attempt 2 raised: KeyError: 'x'",
        '2  日本語    Pack[3]/Wrap[0]  ✔ succeeded  4 ms             {"long":"xxxxxxxxxxxxxxxxxxxx…',
    ]


def test_a_run_that_waits_says_for_what() -> None:
    text = run_text(
        run(status="RUNNING", ended=None, error=None, cause=None, messages=["state Ask waits for a token"], output=None)
    )
    assert text.startswith("▶ RUNNING  orders · 2 state visits · 17 events\n  state Ask waits for a token\n")


def test_an_output_is_previewed() -> None:
    text = run_text(run(status="SUCCEEDED", error=None, cause=None, visits=(), output='{"ok":\n true}'))
    assert text.splitlines() == [
        "✔ SUCCEEDED  orders · 0 state visits · 17 events · 2 min 5 s",
        "",
        'output: {"ok": true}',
    ]


def test_tables_keep_within_the_width() -> None:
    visits = [
        VisitRow(
            name,
            "Task",
            "FAILED",
            name,
            1,
            [AttemptRow(1, "FAILED", 1, name, name, name, name)],
            1,
            name,
            name,
            name,
            name,
        )
        for name in HOSTILE
    ]
    for width in (80, 120):
        text = run_text(run(visits=visits), width=width)
        text.encode()
        assert max(width_of(line) for line in text.split("\n")) <= width
