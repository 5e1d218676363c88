"""The stepper in a real browser: everything that it can do, by mouse and by keyboard, in both themes, with payloads that try to break out."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Lab, Page

START = "%load_ext sfn_notebook\nimport json\nfrom sfn_notebook import StateMachine\n"

ORDERS = {
    "StartAt": "Prepare",
    "States": {
        "Prepare": {"Type": "Pass", "Result": {"checked": True}, "ResultPath": "$.note", "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "StartAt": "Price",
                "States": {
                    "Price": {
                        "Type": "Task",
                        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:price",
                        "Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "MaxAttempts": 1}],
                        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Unpriced"}],
                        "End": True,
                    },
                    "Unpriced": {"Type": "Pass", "Result": 0, "End": True},
                },
            },
            "ResultPath": "$.prices",
            "Next": "Approve",
        },
        "Approve": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "HeartbeatSeconds": 600,
            "Parameters": {"MessageBody": {"token.$": "$$.Task.Token"}},
            "ResultPath": "$.approval",
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}

HANDLERS = """
def price(item):
    print("pricing", item)
    if item == "c":
        raise NameError("name 'pirce' is not defined")
    return 12345678901234567890 if item == "a" else 2.0
handlers = {"Price": price}
"""


class Stepper:
    """One stepper in the page, as a user sees it."""

    def __init__(self, page: Page, number: int = 0) -> None:
        self.page = page
        self.raw = page.page
        self.element = self.raw.locator(".sfnd").nth(number)
        self.element.wait_for(timeout=30_000)
        self.element.scroll_into_view_if_needed()

    def settle(self, act: Callable[[], Any]) -> Stepper:
        """Do something that sends a command, and wait until its stop is painted."""
        before = self.element.get_attribute("data-answered")
        act()
        handle = self.element.element_handle()
        self.raw.wait_for_function(
            "([e, before]) => e.dataset.answered !== before && e.getAttribute('aria-busy') === 'false'",
            arg=[handle, before],
            timeout=20_000,
        )
        return self

    def press(self, *keys: str) -> Stepper:
        for key in keys:
            self.settle(lambda key=key: self.raw.keyboard.press(key))  # type: ignore[misc]
        return self

    def click(self, command: str) -> Stepper:
        return self.settle(self.element.locator(f".sfnd-do-{command}").first.click)

    def button(self, name: str) -> Stepper:
        return self.settle(self.element.get_by_role("button", name=name).first.click)

    def node(self, pointer: str) -> Any:
        return self.element.locator(f'[data-pointer="{pointer}"]')

    def tab(self, name: str, text: str = "") -> str:
        """Choose a tab, and wait until it shows the text."""
        self.element.get_by_role("tab", name=name).click()
        if text:
            self.element.get_by_role("tabpanel").filter(has_text=text).wait_for(timeout=10_000)
        return self.panel()

    def panel(self) -> str:
        return str(self.element.get_by_role("tabpanel").inner_text())

    def head(self) -> str:
        return str(self.element.locator(".sfnd-title").inner_text())

    def state(self) -> str:
        return str(self.element.locator(".sfnd-heading h3").inner_text())

    def position(self) -> int:
        return int(re.search(r"event ([\d,]+) of", self.head())[1].replace(",", ""))  # type: ignore[index]

    def places(self) -> list[list[float]]:
        """Where each state is drawn, in the picture's own units."""
        found: list[list[float]] = self.element.evaluate(
            """e => [...e.querySelectorAll('g.sfn-state')].map(n => {
                 const s = n.querySelector('path, polygon, ellipse').getBBox(); return [s.x, s.y, s.width, s.height]; })"""
        )
        return found

    def shot(self, name: str) -> None:
        self.page.screenshot(name)


def opened(
    page: Page, lab: Lab, cells: list[str], name: str = "stepper.ipynb", size: tuple[int, int] = (1500, 1000)
) -> Stepper:
    page.raw_size = size  # type: ignore[attr-defined]
    page.page.set_viewport_size({"width": size[0], "height": size[1]})
    page.open(lab.write(name, cells))
    page.run_all()
    refuse = page.page.get_by_role("button", name="No", exact=True)  # JupyterLab asks whether to show its news
    if refuse.count():
        refuse.first.click()
    return Stepper(page)


def machine(definition: Any, name: str = "orders") -> str:
    return START + f"{name} = StateMachine.load(json.loads({json.dumps(definition)!r}), name={name!r})"


def quiet(page: Page) -> None:
    assert page.errors == []
    assert page.foreign == []


@pytest.fixture
def orders(page: Page, lab: Lab) -> Stepper:
    return opened(page, lab, [machine(ORDERS), HANDLERS, '%sfn step orders --input {"items": ["a","b","c"]}'])


def test_a_run_is_stepped_looked_at_edited_forked_and_approved(orders: Stepper, page: Page) -> None:
    # GIVEN a stepper before the first state, with a picture of which no state has been reached
    at_first = orders.places()
    assert "event 1 of 1" in orders.head()
    assert "not reached" in orders.node("/States/Prepare").get_attribute("aria-label")

    # WHEN a state is stepped, THEN the graph shows where we are, and each stage what it changed
    orders.click("step")
    assert orders.state().startswith("Prepare")
    assert orders.node("/States/Prepare").get_attribute("aria-current") == "step"
    assert "note" in orders.element.locator(".sfnd-changes .sfnd-added").first.inner_text()

    # an inner state, by events, with its task asked before its handler is called
    orders.settle(lambda: orders.element.locator(".sfnd-unit").select_option("event"))
    while "TaskStarted" not in orders.head() and "LambdaFunctionScheduled" not in orders.head():
        orders.click("step")
    assert "the task is next" in orders.element.locator(".sfnd-task").inner_text()
    orders.element.get_by_label("fail with").check()
    orders.element.get_by_label("error", exact=True).last.fill("Custom.Broken")
    orders.click("task")
    assert "Custom.Broken" in orders.element.locator(".sfnd-heading").inner_text()
    orders.shot("stepper-failed-by-hand")

    # run on: the workflow stops at the callback; the handler's bug is told though a Catch took it
    orders.settle(lambda: orders.element.locator(".sfnd-unit").select_option("state"))
    orders.click("run")
    assert "waits for a callback" in orders.element.locator(".sfnd-task").inner_text()
    assert "NameError: name 'pirce' is not defined" in orders.element.locator(".sfnd-notices").inner_text()
    orders.shot("stepper-callback")
    orders.button("show where")
    assert "raise NameError" in orders.element.locator(".sfnd-call pre").first.inner_text()
    assert "pricing c" in orders.element.locator(".sfnd-call pre").nth(1).text_content()
    orders.button("back to the run")

    # heartbeat, then approve with JSON that is checked as it is typed
    orders.click("heartbeat")
    area = orders.element.locator(".sfnd-task textarea")
    area.fill('{"approved": tru')
    assert "✖" in orders.element.locator(".sfnd-task .sfnd-verdict").inner_text()
    assert orders.element.locator(".sfnd-do-task").is_disabled()
    area.fill('{"approved": "by Ada"}')
    orders.click("task")
    orders.click("run")
    assert "succeeded" in orders.head()
    assert "by Ada" in orders.element.locator(".sfnd-notices").inner_text()
    end = orders.position()

    # back in time: nothing changes ahead; a fork stands where we were
    orders.click("back")
    orders.click("fork")
    assert orders.element.locator(".sfnd-branches option").count() == 2

    # an edit in the past gives up what came after, and keeps it as a branch
    orders.click("restart")
    orders.element.locator(".sfnd-do-edit").click()
    editor = orders.element.locator(".sfnd-editor textarea")
    editor.wait_for()
    editor.fill('{"items": ["a", "b"]}')
    orders.button("apply")
    orders.click("run")
    assert "asks before its handler is called again" in orders.element.locator(".sfnd-task").inner_text()
    orders.element.get_by_label("as before the change").check()
    orders.click("task")
    orders.click("run")
    assert "waits for a callback" in orders.element.locator(".sfnd-task").inner_text()
    orders.element.get_by_label("reject with").check()
    orders.click("task")
    assert "Rejected" in orders.element.locator(".sfnd-heading").inner_text()
    names = orders.element.locator(".sfnd-branches option").all_inner_texts()
    assert len(names) >= 3
    orders.settle(lambda: orders.element.locator(".sfnd-branches").select_option("0"))
    assert f"of {end}" in orders.head()

    # the layout has not moved all the while
    assert orders.places() == at_first
    orders.shot("stepper-branches")
    quiet(page)


def test_breakpoints_nodes_and_iterations(orders: Stepper, page: Page) -> None:
    # a breakpoint by the gutter, and one by a condition
    node = orders.node("/States/Approve")
    orders.settle(lambda: node.locator(".sfnd-hit").click(force=True))
    assert "breakpoint" in node.get_attribute("aria-label")
    assert "1 breakpoint" in orders.element.locator(".sfnd-do-points").inner_text()
    orders.click("run")
    assert "stopped at breakpoint" in orders.head()
    assert orders.state().startswith("Approve")
    orders.element.locator(".sfnd-do-points").click()
    form = orders.element.locator(".sfnd-panel form")
    form.get_by_label("condition").fill("$.items[")
    orders.settle(form.get_by_role("button", name="add").click)
    assert "cannot be read" in orders.element.get_by_role("alert").inner_text()
    orders.shot("stepper-breakpoints")
    orders.button("remove breakpoint state Approve")
    assert "0 breakpoints" in orders.element.locator(".sfnd-do-points").inner_text()
    page.page.keyboard.press("Escape")

    # a click on a node looks at its last visit, the run stays where it is
    here = orders.position()
    orders.settle(orders.node("/States/Prepare").click)
    assert orders.state().startswith("Prepare")
    assert orders.position() == here
    orders.settle(orders.node("/States/Done").click)
    assert "has not been reached" in orders.element.get_by_role("alert").inner_text()
    orders.button("back to the run")

    # the Map as a strip: one square an item, by mark and word; a click follows it
    orders.settle(orders.node("/States/Each").click)
    cells = orders.element.locator(".sfnd-cell")
    assert [cells.nth(at).get_attribute("aria-label") for at in range(3)] == [
        "item 0, succeeded",
        "item 1, succeeded",
        "item 2, succeeded",
    ]
    orders.settle(cells.nth(2).click)
    assert orders.state().startswith("Unpriced")
    assert "following Each[2]" in orders.head()
    orders.shot("stepper-iteration")
    orders.click("restart")
    for _ in range(3):
        orders.click("step")
        assert "Each[2]" in orders.element.locator(".sfnd-path").inner_text()
    orders.button("following Each[2]")
    assert "following" not in orders.head()
    quiet(page)


def test_a_child_of_a_distributed_map_is_looked_into(page: Page, lab: Lab) -> None:
    # GIVEN a run whose Distributed Map has a failed child, of 40
    states = {
        "Clean": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:clean", "Next": "Check"},
        "Check": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 7, "Next": "Bad"}], "Default": "Good"},
        "Bad": {"Type": "Fail", "Error": "Odd", "Cause": "seven"},
        "Good": {"Type": "Succeed"},
    }  # fmt: skip
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    load = {
        "Type": "Map",
        "ToleratedFailureCount": 3,
        "ItemProcessor": {"ProcessorConfig": config, "StartAt": "Clean", "States": states},
        "End": True,
    }
    cells = [
        machine({"StartAt": "Load", "States": {"Load": load}}, "etl"),
        "rows = [{'n': n} for n in range(40)]\nhandlers = {'Clean': lambda row: row}",
        "%sfn step etl --input rows",
    ]
    stepper = opened(page, lab, cells)
    stepper.click("run")
    stepper.settle(lambda: stepper.node("/States/Load").click())
    strip = stepper.element.locator(".sfnd-strip")
    assert "Load: 40 children" in strip.inner_text()
    assert strip.get_by_role("gridcell").count() == 40

    # WHEN its square is pressed
    failed = strip.get_by_role("gridcell", name="child 7, failed")
    stepper.settle(lambda: failed.click())

    # THEN its own history is shown on the same picture, its siblings stay in sight, and the way back is a branch
    assert "event 10 of 10" in stepper.head()
    assert "failed" in stepper.node("/States/Load/ItemProcessor/States/Bad").get_attribute("aria-label")
    assert strip.get_by_role("gridcell", name="child 7, failed").get_attribute("aria-current") == "true"
    stepper.shot("stepper-child")
    stepper.settle(lambda: strip.get_by_role("gridcell", name="child 8, succeeded").click())
    assert "succeeded" in stepper.node("/States/Load/ItemProcessor/States/Good").get_attribute("aria-label")
    branches = stepper.element.get_by_label("branch of the run").locator("option").all_inner_texts()
    assert [text.partition(":")[0] for text in branches] == ["main", "Load[7]", "Load[8]"]
    stepper.button("↩ the whole run")
    assert "succeeded" in stepper.node("/States/Load").get_attribute("aria-label")
    quiet(page)


def test_values_are_searched_copied_and_unfolded(page: Page, lab: Lab) -> None:
    large = {"customer": {"name": "Ada", "e-mail": "ada@example.org"}, "lines": [{"sku": f"s-{n}", "n": n} for n in range(400)], "text": "x" * 40_000,
             "exact": 12345678901234567890}  # fmt: skip
    cells = [
        machine(ORDERS),
        f"data = json.loads({json.dumps({**large, 'items': []})!r})",
        "%sfn step orders --input data",
    ]
    stepper = opened(page, lab, cells)
    stepper.click("step")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    # the input is long: it comes when it is asked for
    stepper.element.locator('[data-stage="input"] summary').click()
    tree = stepper.element.locator('[data-stage="input"] [role="tree"]')
    tree.wait_for()
    assert "12345678901234567890" in tree.inner_text()
    assert len(tree.inner_text()) < 2000
    tree.get_by_role("button", name="show all 39 KiB").click()
    assert "x" * 40_000 in tree.inner_text()

    # arrow keys walk, p and j copy
    tree.locator('[data-path="$.lines"]').click()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("p")
    copied = page.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "$.lines[0]"
    page.page.keyboard.press("j")
    assert json.loads(page.page.evaluate("() => navigator.clipboard.readText()")) == {"sku": "s-0", "n": 0}
    tree.locator('[data-path="$.customer"]').click()
    page.page.keyboard.press("ArrowRight")
    tree.locator("[data-path='$.customer[\"e-mail\"]']").click()
    stepper.element.locator('[data-stage="input"]').get_by_role("button", name="copy path").click()
    assert page.page.evaluate("() => navigator.clipboard.readText()") == "$.customer['e-mail']"

    # search opens what holds the text
    stepper.element.get_by_role("searchbox").fill("s-377")
    page.page.wait_for_function("() => /[1-9]\\d* found/.test(document.querySelector('.sfnd-search').innerText)")
    found = stepper.element.locator('[data-stage="input"] .sfnd-match')
    assert found.count() == 1
    assert '"s-377"' in found.inner_text()
    assert found.is_visible()
    stepper.shot("stepper-search")
    for tab, text in (("Context", "Execution"), ("Definition", '"Type": "Pass"'), ("Events", "PassStateExited")):
        if stepper.element.get_by_role("searchbox").count():
            stepper.element.get_by_role("searchbox").fill("")
        assert text in stepper.tab(tab, text)
        if tab == "Context":
            stepper.element.locator('[data-path="$.Execution"]').click()
            page.page.keyboard.press("p")
            assert page.page.evaluate("() => navigator.clipboard.readText()") == "$$.Execution"
    quiet(page)


def test_a_path_is_copied_as_the_state_would_write_it(page: Page, lab: Lab) -> None:
    first = {"Type": "Pass", "Assign": {"order": {"lines": [1]}}, "Next": "B"}
    second = {"Type": "Pass", "Output": "{% $order %}", "End": True}
    cells = [
        machine({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": first, "B": second}}),
        "data = {'e-mail': 'a@example.org'}",
        "%sfn step orders --input data",
    ]
    stepper = opened(page, lab, cells)
    stepper.click("step")
    stepper.click("step")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stepper.element.locator('[data-stage="input"] summary').click()
    stepper.element.locator("[data-path='$[\"e-mail\"]']").click()
    page.page.keyboard.press("p")
    assert page.page.evaluate("() => navigator.clipboard.readText()") == "$states.input.`e-mail`"
    stepper.tab("Variables", "order")
    stepper.element.locator('[data-path="$.order"]').click()
    stepper.element.get_by_role("button", name="copy path").click()
    assert page.page.evaluate("() => navigator.clipboard.readText()") == "$order"
    quiet(page)


def test_the_scrubber_travels_by_mouse_and_keyboard(orders: Stepper, page: Page) -> None:
    orders.click("run")
    slider = orders.element.get_by_role("slider")
    length = int(slider.get_attribute("aria-valuemax"))
    assert length > 20
    assert orders.element.locator(".sfnd-tick-error").count() >= 1
    assert orders.element.locator(".sfnd-tick-retry").count() >= 1
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 10)
    page.page.mouse.down()
    for share in (0.8, 0.6, 0.4, 0.2, 0.1):
        page.page.mouse.move(box["x"] + box["width"] * share, box["y"] + 10)
    page.page.mouse.up()
    expected = -(-length * 0.1 // 1)
    page.page.wait_for_function(
        "([e, n]) => Math.abs(Number(e.getAttribute('aria-valuenow')) - n) <= 1 && e.closest('.sfnd').getAttribute('aria-busy') === 'false'",
        arg=[slider.element_handle(), expected],
    )
    assert abs(orders.position() - expected) <= 1
    slider.focus()
    orders.press("End")
    assert orders.position() == length
    orders.press("ArrowLeft")
    assert orders.position() == length - 1
    assert str(length - 1) in slider.get_attribute("aria-valuetext")
    quiet(page)


def test_everything_is_reached_by_keyboard_alone(orders: Stepper, page: Page) -> None:
    # GIVEN the focus on the first button
    orders.element.locator(".sfnd-do-step").focus()

    # WHEN keys are pressed, THEN the notebook does not get them
    cells = page.page.locator(".jp-Cell").count()
    orders.press("n", "n", "n", "b", "ArrowRight", "c")
    assert "waits for a callback" in orders.element.locator(".sfnd-task").inner_text()
    orders.press("b")
    page.page.keyboard.press("e")
    orders.element.locator(".sfnd-editor textarea").wait_for()
    page.page.keyboard.press("Escape")
    assert orders.element.locator(".sfnd-editor").is_hidden()
    page.page.keyboard.press("?")
    assert orders.element.locator("dialog").is_visible()
    orders.shot("stepper-help")
    page.page.keyboard.press("Escape")

    # the graph by arrow keys: a breakpoint, then a look inside
    orders.element.locator(".sfnd-do-step").focus()
    page.page.keyboard.press("g")
    page.page.keyboard.press("Home")
    orders.press("p")
    assert "breakpoint" in orders.node("/States/Prepare").get_attribute("aria-label")
    orders.press("Enter")
    assert orders.state().startswith("Prepare")

    # tabs by arrow keys; the focus stays where it is when the stop changes
    orders.element.get_by_role("tab", name="Data flow").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate("() => document.activeElement.getAttribute('data-tab')") == "variables"
    orders.element.locator(".sfnd-do-step").focus()
    page.page.keyboard.press("d")
    page.page.keyboard.press("d")
    page.page.keyboard.press("a")
    page.page.keyboard.press("x")
    assert page.page.locator(".jp-Cell").count() == cells, (
        "the notebook's own keys (dd deletes a cell, a adds one) stay out"
    )

    # Escape leaves to the notebook
    page.page.keyboard.press("Escape")
    assert page.page.evaluate("() => !document.activeElement.closest('.sfnd')")
    quiet(page)


HOSTILE = [
    "<img src=x onerror=window.broken=1>", "</script><script>window.broken=1</script>", "{{constructor.constructor('window.broken=1')()}}", "\u202eright to left\u202c",
    "🧑‍🚀🚀", "<svg/onload=window.broken=1>", "a\"b'c\\d", "\x1b[31mred", "x" * 80, "#{window.broken=1}", "javascript:window.broken=1", "--><style>*{display:none}</style>",
    "__proto__", "constructor", "toString",
]  # fmt: skip


def test_hostile_definitions_and_payloads_are_shown_as_text(page: Page, lab: Lab) -> None:
    # GIVEN names and data that try to be something else, a payload of 256 KiB of it, a handler that fails with it
    states: dict[str, Any] = {
        name: {
            "Type": "Pass",
            "Comment": name,
            "Result": {name: name, "__proto__": {"polluted": name}},
            "ResultPath": "$.r",
            "Next": following,
        }
        for name, following in zip(HOSTILE, [*HOSTILE[1:], "ask"], strict=True)
    }
    states["ask"] = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:<b>x</b>", "End": True}
    definition = {"StartAt": HOSTILE[0], "Comment": HOSTILE[0], "States": states}
    data = {
        **dict.fromkeys(HOSTILE, HOSTILE),
        "long": (HOSTILE[0] + HOSTILE[1]) * 2500,
        "deep": json.loads("[" * 200 + "]" * 200),
    }
    handler = f"def ask(x):\n    print({HOSTILE[0]!r})\n    raise KeyError({HOSTILE[1]!r})"
    cells = [
        machine(definition, "hostile"),
        f"data = json.loads({json.dumps(data)!r})",
        handler,
        "handlers = {'ask': ask}\n%sfn step hostile --input data",
    ]
    stepper = opened(page, lab, cells, "hostile_stepper.ipynb")

    # WHEN all of it is shown
    stepper.click("step")
    for summary in stepper.element.locator(".sfnd-stage summary").all():
        summary.click()
    page.page.wait_for_timeout(500)
    for path in ("$.long", "$"):
        stepper.element.locator(f'[data-path="{path}"]').first.click()
    stepper.shot("stepper-hostile")
    for tab in ("Context", "Definition", "Events"):
        stepper.tab(tab)
    stepper.click("run")
    stepper.click("back")
    stepper.shot("stepper-hostile-end")
    stepper.element.locator(".sfnd-do-points").click()

    # THEN it is text, nothing ran, and nothing is broken
    assert page.page.evaluate("() => window.broken === undefined && ({}).polluted === undefined")
    assert stepper.element.locator("img, script, iframe, object").count() == 0
    assert stepper.element.locator("style").count() == 1, "the picture's own"
    names = [stepper.element.locator("g.sfn-state").nth(at).get_attribute("aria-label") for at in range(3)]
    assert names[0].startswith(HOSTILE[0])
    assert "\\u202e" in "".join(one.get_attribute("aria-label") for one in stepper.element.locator("g.sfn-state").all())
    wide = stepper.element.evaluate("e => e.scrollWidth - e.clientWidth")
    assert wide <= 1
    quiet(page)


CONTRAST = """
e => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return c.startsWith('color(') ? [m[0]*255, m[1]*255, m[2]*255, m[3] ?? 1] : [m[0], m[1], m[2], m[3] ?? 1]; };
  const lum = ([r, g, b]) => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const ground = node => { for (let n = node; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c[3] > 0.99) return c; } return [255, 255, 255, 1]; };
  const poor = [];
  const walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest('svg, style') || !node.offsetParent || node.closest(':disabled')) continue;
    const a = lum(parse(getComputedStyle(node).color)), b = lum(ground(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${node.className} ${walker.currentNode.data.slice(0, 40)}`);
  }
  return poor;
}
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_text_has_contrast_and_controls_have_names(orders: Stepper, page: Page, theme: str) -> None:
    page.theme(theme)
    try:
        orders.click("run")
        orders.settle(orders.node("/States/Each/ItemProcessor/States/Price").click)
        assert orders.element.evaluate(CONTRAST) == []
        orders.button("back to the run")
        assert orders.element.evaluate(CONTRAST) == []
        orders.tab("Events")
        assert orders.element.evaluate(CONTRAST) == []
        nameless = orders.element.evaluate(
            """e => [...e.querySelectorAll('button, input, select, textarea, [role=slider], [role=tree], [role=button], [role=grid]')]
                 .filter(n => !(n.innerText?.trim() || n.getAttribute('aria-label') || n.title || n.closest('label')))
                 .map(n => n.outerHTML.slice(0, 120))"""
        )
        assert nameless == []
        orders.shot(f"stepper-{theme.rpartition(' ')[2].lower()}")
    finally:
        page.theme("JupyterLab Light")
    quiet(page)


@pytest.mark.parametrize(("name", "size"), [("zoom-200", (750, 500)), ("narrow", (480, 900))])
def test_it_works_in_a_narrow_cell_and_at_200_percent(page: Page, lab: Lab, name: str, size: tuple[int, int]) -> None:
    stepper = opened(
        page, lab, [machine(ORDERS), HANDLERS, '%sfn step orders --input {"items": ["a","b","c"]}'], size=size
    )
    page.page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.page.wait_for_timeout(400)
    stepper.click("run")
    graph, data = (stepper.element.locator(one).bounding_box() for one in (".sfnd-graph", ".sfnd-data"))
    assert data["y"] >= graph["y"] + graph["height"] - 1, "one column"
    assert stepper.element.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    cut = stepper.element.evaluate(
        "e => { const r = e.getBoundingClientRect(); return [...e.querySelectorAll('button, select, input, textarea')].filter(n => n.offsetParent && !n.closest('.sfnd-scroller'))"
        ".filter(n => { const b = n.getBoundingClientRect(); return b.right > r.right + 1 || b.left < r.left - 1; }).map(n => n.outerHTML.slice(0, 100)); }"
    )
    assert cut == []
    stepper.shot(f"stepper-{name}")
    quiet(page)


def test_a_saved_notebook_shows_where_it_stopped(orders: Stepper, page: Page, lab: Lab) -> None:
    still = page.page.locator(".sfnd-still")
    assert still.count() == 1
    assert not still.is_visible(), "while the widget lives, its still picture would only repeat it"
    orders.click("step")
    page.page.wait_for_function(
        "() => document.querySelector('.sfnd-still').textContent.includes('event 3 of 3')", timeout=10_000
    )
    assert "afterResultPath" in still.inner_html()
    page.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.page.wait_for_timeout(1000)
    saved = json.loads((lab.folder / "stepper.ipynb").read_text())
    outputs = saved["cells"][-1]["outputs"]
    assert "application/vnd.jupyter.widget-view+json" in outputs[0]["data"]
    assert "event 3 of 3" in "".join(outputs[1]["data"]["text/html"])
    assert "PassStateExited" in "".join(outputs[1]["data"]["text/plain"])
    quiet(page)


BARE = """
import anywidget, traitlets
class Bare(anywidget.AnyWidget):
    _esm = '''export default { render({ model, el }) {
      const b = document.createElement("button"); b.className = "bare"; b.textContent = "0";
      b.addEventListener("click", () => model.send({ n: 1 }));
      model.on("change:count", () => { b.textContent = String(model.get("count")); });
      el.append(b);
    } };'''
    count = traitlets.Int(0).tag(sync=True)
    def __init__(self):
        super().__init__()
        self.on_msg(lambda _w, content, _b: setattr(self, "count", self.count + 1))
Bare()
"""

ROUND = """
async ([element, selector, times]) => {
  const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  const taken = [];
  for (let turn = 0; turn < times; turn += 1) {
    const target = element.querySelector(selector) || element;
    const watched = element.classList.contains('sfnd') ? element : element.parentElement;
    const before = performance.now();
    await new Promise(done => {
      const seen = new MutationObserver(() => { if (element.classList.contains('sfnd') && element.getAttribute('aria-busy') !== 'false') return; seen.disconnect(); done(); });
      seen.observe(watched, { attributes: true, attributeFilter: ['data-answered'], childList: true, characterData: true, subtree: !element.classList.contains('sfnd') });
      target.click();
    });
    await painted();
    taken.push(performance.now() - before);
    await new Promise(done => setTimeout(done, 30));
  }
  return taken;
}
"""


def chain(length: int) -> dict[str, Any]:
    names = [f"State number {n}" for n in range(length)]
    states: dict[str, Any] = {
        name: {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)", "name": name}, "Next": following}
        for name, following in zip(names, [*names[1:], "end"], strict=True)
    }
    return {"StartAt": names[0], "States": {**states, "end": {"Type": "Succeed"}}}


MANY = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "Q"}, "Q": {"Type": "Pass", "End": True}}}, "End": True}}}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "definition", "data", "most"),
    [
        ("30 states", chain(30), '{"n": 0}', 2),
        ("300 states", chain(300), '{"n": 0}', 5),
        ("Map of 1,000", MANY, "many", 5),
    ],
)
def test_a_click_is_painted_soon(page: Page, lab: Lab, name: str, definition: Any, data: str, most: float) -> None:
    cells = [machine(definition, "large"), "many = list(range(1000))", BARE, f"%sfn step large --input {data}"]
    stepper = opened(page, lab, cells, "speed.ipynb")
    bare = page.page.locator(".bare")
    for _ in range(3):
        stepper.click("step")
    page.page.evaluate(ROUND, [bare.element_handle(), ".none", 5])
    round_trip = statistics.median(page.page.evaluate(ROUND, [bare.element_handle(), ".none", 20]))
    ours = statistics.median(page.page.evaluate(ROUND, [stepper.element.element_handle(), ".sfnd-do-step", 20]))
    print(f"\n{name}: bare {round_trip:.0f} ms, step {ours:.0f} ms, ratio {ours / round_trip:.2f}")
    stepper.shot(f"stepper-{name.replace(' ', '-').replace(',', '')}")
    assert ours <= round_trip * most * 2.5, "loosely: the machine that runs the tests may be busy"
    quiet(page)
