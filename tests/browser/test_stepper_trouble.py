"""The stepper in a real browser where things go wrong or get tight: refused edits, interrupts, a lost kernel, the focus, a narrow cell."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.conftest import Lab, Page
from tests.browser.test_stepper import HANDLERS, ORDERS, machine, opened, quiet

ITEMS = '%sfn step orders --input {"items": ["a","b","c"]}'
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
CUT = """
e => { const r = e.getBoundingClientRect();
       return [...e.querySelectorAll('*')].filter(n => n.offsetParent && !n.closest('svg, .sfnd-scroller, .sfnd-only-read, .sfnd-stage, .sfnd-told, .sfnd-scrub'))
         .filter(n => { const b = n.getBoundingClientRect(); return b.width && (b.right > r.right + 1 || b.left < r.left - 1); }).map(n => n.outerHTML.slice(0, 120)); }
"""


def test_an_edit_is_shown_while_it_is_pending_and_stays_open_when_it_is_refused(page: Page, lab: Lab) -> None:
    # GIVEN a run before its second state
    first = {"Type": "Pass", "Assign": {"v": 1}, "Next": "Second"}
    states = {"First": first, "Second": {"Type": "Pass", "End": True}}
    cells = [machine({"StartAt": "First", "States": states}), '%sfn step orders --input {"n": 1, "price": "$5 or $6"}']
    stepper = opened(page, lab, cells)
    stepper.click("step")
    at = stepper.position()

    # WHEN an edit is refused, THEN editor, text and position stay, with the reason
    stepper.element.locator(".sfnd-do-edit").click()
    editor = stepper.element.locator(".sfnd-editor")
    area = editor.locator("textarea")
    area.wait_for()
    assert json.loads(area.input_value())["n"] == 1
    assert "Second" in editor.inner_text()
    editor.get_by_label("what to edit").select_option("variables")
    assert json.loads(area.input_value()) == {"v": 1}
    area.fill("[1]")
    stepper.button("apply")
    assert area.input_value() == "[1]"
    assert "the variables are an object" in editor.get_by_role("alert").inner_text()
    assert stepper.position() == at
    stepper.shot("stepper-edit-refused")

    # the context is there to be changed, and the drafts of the others stay
    editor.get_by_label("what to edit").select_option("context")
    context = json.loads(area.input_value())
    assert context["Execution"]["Input"]["n"] == 1
    editor.get_by_label("what to edit").select_option("variables")
    assert area.input_value() == "[1]"

    # WHEN one is taken, THEN it is told as long as no event shows it
    editor.get_by_label("what to edit").select_option("input")
    area.fill('{"n": 42}')
    stepper.button("apply")
    assert editor.is_hidden()
    assert 'edited: Second will get {"n":42}' in stepper.element.locator(".sfnd-notices").inner_text()
    assert page.page.evaluate("() => document.activeElement.classList.contains('sfnd-do-edit')")
    stepper.shot("stepper-edited")
    stepper.click("step")
    assert "edited" not in stepper.element.locator(".sfnd-notices").inner_text()
    assert '{"n":42}' in stepper.panel()

    # and what stands between two `$` in the still picture is no formula
    page.page.wait_for_function("() => document.querySelector('.sfnd-still').textContent.includes('event 5 of')")
    page.page.wait_for_timeout(500)
    assert page.page.locator(".sfnd-still mjx-container").count() == 0
    quiet(page)


SLOW = """
import time
calls = []
def price(item):
    calls.append(item)
    while len(calls) == 1:
        time.sleep(0.05)
    return 1
handlers = {"Price": price}
"""


def test_it_says_that_it_works_was_interrupted_or_has_lost_its_kernel(page: Page, lab: Lab) -> None:
    stepper = opened(page, lab, [machine(ORDERS), SLOW, ITEMS])
    raw = page.page
    passing = stepper.element.locator(".sfnd-passing")

    # a handler that does not end: it shows, and an interrupt ends it
    stepper.element.locator(".sfnd-do-run").click()
    passing.wait_for()
    assert passing.inner_text() == "working: continue…"
    stepper.settle(lambda: raw.evaluate(f"() => {KERNEL}.interrupt()"))
    assert "interrupted at event" in stepper.element.get_by_role("alert").inner_text()
    assert passing.is_hidden()
    stepper.shot("stepper-interrupted")
    stepper.click("run")
    assert "waits for a callback" in stepper.element.locator(".sfnd-task").inner_text()

    # the focus stays on a button that is of no use any more, which then says why
    stepper.click("task")
    stepper.element.locator(".sfnd-do-run").focus()
    stepper.press("Enter")
    assert "succeeded" in stepper.head()
    assert raw.evaluate("() => document.activeElement.classList.contains('sfnd-do-run')")
    raw.keyboard.press("Enter")
    assert "the run has ended" in passing.inner_text()
    stepper.press("b")
    assert stepper.element.locator(".sfnd-do-run").get_attribute("aria-disabled") is None

    # a kernel that has been started anew knows nothing of it
    raw.evaluate(f"async () => {{ await {KERNEL}.restart(); }}")
    raw.wait_for_timeout(1000)
    for act in (stepper.element.locator(".sfnd-do-back"), stepper.element.get_by_role("slider")):
        act.click()
        stepper.element.get_by_role("alert").filter(has_text="the kernel is gone: run the cell again").wait_for()
        assert stepper.element.get_attribute("aria-busy") == "false"
    stepper.shot("stepper-kernel-gone")
    quiet(page)


def test_a_run_that_only_an_answer_brings_further_offers_all_that_does(page: Page, lab: Lab) -> None:
    # GIVEN a callback that was reached by single events
    stepper = opened(page, lab, [machine(ORDERS), HANDLERS, '%sfn step orders --input {"items": []}'])
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stepper.settle(lambda: stepper.element.locator(".sfnd-unit").select_option("event"))
    while "TaskSubmitted" not in stepper.head():
        assert stepper.element.get_by_role("button", name="advance the clock").count() == 0
        stepper.click("step")

    # THEN the clock can be advanced, the token is whole, and step says what is missing
    assert "waits for an answer" in stepper.head()
    assert stepper.element.get_by_role("button", name="advance the clock").is_visible()
    token = stepper.element.locator(".sfnd-token bdi").inner_text()
    stepper.element.get_by_role("button", name="copy token").click()
    assert page.page.evaluate("() => navigator.clipboard.readText()") == token
    assert len(token) > 40
    stepper.element.locator(".sfnd-do-step").click(force=True)
    assert "waits for an answer" in stepper.element.locator(".sfnd-passing").inner_text()
    stepper.click("back")
    assert stepper.element.get_by_role("button", name="advance the clock").count() == 0

    # a list of branches moves nothing
    top = stepper.element.locator(".sfnd-main").evaluate("e => e.offsetTop")
    stepper.click("fork")
    assert stepper.element.locator(".sfnd-branches").is_visible()
    assert stepper.element.locator(".sfnd-main").evaluate("e => e.offsetTop") == top
    quiet(page)


def test_a_conditional_breakpoint_looks_different_and_a_click_takes_it_away(page: Page, lab: Lab) -> None:
    stepper = opened(page, lab, [machine(ORDERS), HANDLERS, ITEMS])
    node = stepper.node("/States/Approve")
    stepper.element.locator(".sfnd-do-points").click()
    form = stepper.element.locator(".sfnd-panel form")
    form.get_by_label("state").select_option("Approve")
    form.get_by_label("condition").fill("$.items[0]")
    stepper.settle(form.get_by_role("button", name="add").click)
    assert "conditional breakpoint" in node.get_attribute("aria-label")
    assert "when $.items[0]" in node.locator(".sfnd-gutter title").text_content()
    plain = "e => getComputedStyle(e.querySelector('.sfnd-if')).stroke === 'none'"
    assert not node.evaluate(plain)
    stepper.shot("stepper-conditional")
    stepper.settle(lambda: node.locator(".sfnd-hit").click(force=True))
    assert "breakpoint" not in node.get_attribute("aria-label")
    stepper.settle(lambda: node.locator(".sfnd-hit").click(force=True))
    assert node.get_attribute("aria-label").endswith(", breakpoint")
    assert node.evaluate(plain)
    quiet(page)


def test_in_a_cell_of_300_pixels_everything_can_be_read(page: Page, lab: Lab) -> None:
    stepper = opened(page, lab, [machine(ORDERS), HANDLERS, ITEMS], size=(410, 900))
    page.page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.page.wait_for_timeout(400)
    assert stepper.element.bounding_box()["width"] < 320
    stepper.click("run")
    assert stepper.element.evaluate(CUT) == []
    stepper.tab("Events", "TaskSubmitted")
    assert stepper.element.evaluate(CUT) == []
    row = stepper.element.get_by_role("row").filter(has_text="MapStateEntered")
    assert row.get_by_role("cell").nth(1).bounding_box()["height"] < 30, "a type is not broken into pieces"
    row.scroll_into_view_if_needed()
    stepper.shot("stepper-300-events")
    stepper.tab("Definition", "Resource")
    stepper.shot("stepper-300-definition")
    assert stepper.element.evaluate(CUT) == []
    quiet(page)


def test_the_strip_goes_along_and_a_search_says_when_there_is_more(page: Page, lab: Lab) -> None:
    each: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    definition = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": each, "End": True}}}
    stepper = opened(page, lab, [machine(definition), "data = ['x'] * 700", "%sfn step orders --input data"])
    stepper.click("run")
    visible = """e => { const c = e.querySelector('.sfnd-cell[aria-current]'), r = c.getBoundingClientRect(), b = c.closest('.sfnd-cells').getBoundingClientRect();
                        return r.top >= b.top - 1 && r.bottom <= b.bottom + 1; }"""
    for item in (650, 3, 400):
        stepper.settle(stepper.node("/States/M/ItemProcessor/States/P").click)
        stepper.element.locator(".sfnd-cells").evaluate(
            "(e, n) => { e.scrollTop = n > 300 ? 0 : e.scrollHeight; }", item
        )
        stepper.settle(lambda item=item: stepper.element.locator(".sfnd-cell").nth(item).dispatch_event("click"))  # type: ignore[misc]
        page.page.wait_for_timeout(100)
        assert stepper.element.locator(".sfnd-cell[aria-current]").get_attribute("data-index") == str(item)
        assert stepper.element.evaluate(visible)
    stepper.settle(stepper.node("/States/M").click)
    stepper.element.get_by_role("searchbox").fill("x")
    page.page.wait_for_function("() => / found/.test(document.querySelector('.sfnd-search').innerText)")
    assert "+ found" in stepper.element.locator(".sfnd-search").inner_text()
    quiet(page)
