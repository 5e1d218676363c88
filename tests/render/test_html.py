import re
from html.parser import HTMLParser

import pytest

from sfn_notebook.render.html import escape, graph_html, message_html, run_html
from sfn_notebook.render.labels import visible
from sfn_notebook.render.summary import (
    AttemptRow,
    RunSummary,
    VisitRow,
    duration_text,
    pretty,
    preview,
    shown_rows,
    size_text,
)

from .machines import HOSTILE

ALLOWED = {
    "div",
    "style",
    "span",
    "b",
    "br",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "pre",
    "p",
}


class Page(HTMLParser):
    """Collects what a browser would see: elements, attributes, and text outside of style."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data


def everywhere(text: str) -> RunSummary:
    attempt = AttemptRow(1, "FAILED", 1, text, text, text, text)
    visit = VisitRow(text, text, "FAILED", text, 1, [attempt], 2, text, text, text + "!", text)
    return RunSummary("FAILED", text, None, None, text, text, text, [visit], 3, None, None, [text])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_text_everywhere(name: str) -> None:
    page, plain = Page(run_html(everywhere(name))), Page(run_html(everywhere("plain")))
    assert page.open == []
    assert set(page.tags) <= ALLOWED
    assert page.attributes <= {"class", "style", "colspan", "open", "hidden"}
    assert page.text.count(visible(name).split("\n")[0]) >= 8
    if name:  # an empty error or cause is not shown at all
        shape = [
            [tag for tag in seen.tags if tag not in {"details", "summary", "pre", "span"}] for seen in (page, plain)
        ]
        assert shape[0] == shape[1]


def test_a_status_has_a_mark_and_a_word() -> None:
    for status, mark in (("SUCCEEDED", "✔"), ("FAILED", "✖"), ("RUNNING", "▶"), ("ABORTED", "■"), ("TIMED_OUT", "✖")):
        assert f"{mark} {status}" in Page(run_html(RunSummary(status, "m"))).text


def test_attempts_tell_what_was_printed_and_raised() -> None:
    attempt = AttemptRow(2, "FAILED", 1.5, "KeyError", "'x'", "hello from the handler", "Traceback\nKeyError: 'x'")
    text = Page(
        run_html(RunSummary("SUCCEEDED", "m", visits=[VisitRow("A", "Task", "CAUGHT", attempts=[attempt], tries=2)]))
    ).text
    for piece in (
        "attempt 2",
        "✖ failed",
        "1.5 s",
        "KeyError",
        "hello from the handler",
        "Traceback\nKeyError: 'x'",
        "↻ 2",
        "⚠ caught",
    ):
        assert piece in text


def test_the_column_for_places_is_there_only_when_needed() -> None:
    inside, outside = VisitRow("A", "Pass", "SUCCEEDED", place="M[0]"), VisitRow("A", "Pass", "SUCCEEDED")
    assert "<th>in</th>" in run_html(RunSummary("SUCCEEDED", "m", visits=[inside]))
    assert "<th>in</th>" not in run_html(RunSummary("SUCCEEDED", "m", visits=[outside]))


def test_long_payloads_are_cut_and_their_size_is_told() -> None:
    payload = '{"x":"' + "y" * 300_000 + '"}'
    html = run_html(
        RunSummary(
            "SUCCEEDED",
            "m",
            output=payload,
            visits=[VisitRow("A", "Pass", "SUCCEEDED", input=payload, output=payload)] * 3,
        )
    )
    assert len(html) < 120_000
    assert "293.0 KiB in all" in html


def test_a_thousand_visits_keep_the_page_small_and_the_failures_shown() -> None:
    visits = [
        VisitRow(f"S{i}", "Task", "FAILED" if i == 500 else "SUCCEEDED", input="{}", output="{}") for i in range(1000)
    ]
    html = run_html(RunSummary("FAILED", "m", visits=visits))
    text = Page(html).text
    assert "400 visits not shown" in text
    assert "469 visits not shown" in text
    assert all(name in text for name in ("S0", "S99", "S500", "S970", "S999"))
    assert ">501</td>" in html
    assert "S100<" not in html
    assert sum(row if isinstance(row, int) else 1 for row in shown_rows(visits)) == 1000


def test_a_graph_stays_hidden_where_its_style_is_stripped_and_text_stands_for_it() -> None:
    html = graph_html("<svg></svg>", "A → <B>")
    assert re.search(r'<div class="sfn-graph" hidden="hidden" style="display:none"><svg>', html)
    assert "A → &lt;B&gt;" in html


def test_style_is_scoped() -> None:
    style = re.findall(r"<style>(.*?)</style>", run_html(RunSummary("SUCCEEDED", "m")), re.DOTALL)[0]
    selectors = [part for rule in style.split("}") if "{" in rule for part in rule.partition("{")[0].split(",")]
    assert all(".sfn-run" in selector for selector in selectors)


def test_a_message_is_escaped() -> None:
    assert (
        message_html("<b>no</b>", "<i>")
        == '<div class="sfn-message mathjax_ignore"><p>&lt;b&gt;no&lt;/b&gt;</p><pre>&lt;i&gt;</pre></div>'
    )
    assert escape('"<&\x00') == "&quot;&lt;&amp;␀"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.00125, "1.25 ms"),
        (1.5, "1.5 s"),
        (59.99, "60 s"),
        (125, "2 min 5 s"),
        (3660, "1 h 1 min"),
        (86400 * 400, "400 d"),
    ],
)
def test_durations_read_well(seconds: float | None, words: str) -> None:
    assert duration_text(seconds) == words


def test_payloads_are_indented_where_they_are_json() -> None:
    assert pretty('{"é":[1]}', 100) == '{\n  "é": [\n    1\n  ]\n}'
    assert pretty("not json", 100) == "not json"
    assert preview('{"a":\n  1}', 20) == '{"a": 1}'
    assert preview("x" * 500, 10) == "xxxxxxxxx…"
    assert size_text(2 * 1024 * 1024) == "2.0 MiB"
