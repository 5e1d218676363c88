// The widget: shows the traits that Python sets and sends commands. It decides nothing about the run.

const BUTTONS = [ // command, icon, word, key, tip
  ["restart", "M3 3v10M13 3v10L5 8z", "restart", "r", "go back to the first event; nothing is called again"],
  ["back", "M12 3v10L4 8z", "back", "b", "go back by one state; nothing is called again"],
  ["step", "M4 3v10l8-5z", "step", "n", "go on to the end of the state at hand"],
  ["over", "M2 9c1-6 10-6 11 0M13 9l-4-1M13 9l2-4M7 13h3", "over", "o", "step over: a whole Map, Parallel or retry at once"],
  ["out", "M8 12V3M8 3L4 7M8 3l4 4M3 14h10", "out", "u", "step out of the Map or Parallel around"],
  ["run", "M3 3v10l7-5zM13 3v10", "continue", "c", "run to the next breakpoint, question or the end"],
  ["fork", "M8 14V9L3 3M8 9l5-6M3 3v4M3 3h4M13 3v4M13 3H9", "fork", "f", "go on in a branch of its own; this one stays as it is"],
  ["edit", "M3 13l1-4 7-7 3 3-7 7zM9 4l3 3", "edit data", "e", "change input, variables or context here, and go on from there"],
];
const KEYS = [
  ...BUTTONS.map(([, , word, key, tip]) => [key, `${word}: ${tip}`]),
  ["→ ←", "one event forward, one back"], ["Home End", "the first event, the last one recorded"], ["g", "to the graph; arrow keys walk over the states, Enter looks inside, p toggles a breakpoint"],
  ["d", "to the data; arrow keys walk, p copies the path, j the JSON"], ["t", "to the scrubber"], ["/", "search the data"], ["k", "breakpoints"], ["?", "this help"], ["Esc", "close, or leave to the notebook"],
];
const TABS = [["flow", "Data flow"], ["variables", "Variables"], ["context", "Context"], ["definition", "Definition"], ["events", "Events"]];
const REASONS = { breakpoint: "stopped at breakpoint", asked: "a task asks for an answer", waiting: "waits for an answer from outside", ended: "ended" };
const ERRORS = ["States.TaskFailed", "States.Timeout", "States.Permissions", "Lambda.ServiceException", "Lambda.TooManyRequestsException", "States.HeartbeatTimeout"];
const WORDS = { ...Object.fromEntries(BUTTONS.map(([command, , word]) => [command, word])), seek: "travel", handler: "calling the handler", edit: "edit", advance: "advancing the clock", iteration: "looking into it" };
const SLOW = 500; // ms after which it shows that something is under way
const PATIENCE = 5000; // ms for which travelling waits for what is under way
let made = 0;

class View {
  constructor(model, el) {
    this.model = model;
    this.number = 0;
    this.asked = new Map();
    this.tab = "flow";
    this.opened = new Map();
    this.stages = new Map();
    this.needle = "";
    this.rows = null;
    this.id = `sfnd-${(made += 1)}`;
    this.build();
    el.append(this.root);
    this.listen();
    this.updateTrack();
    this.update();
    this.watch = new ResizeObserver(() => this.graph.placeMarks());
    this.watch.observe(this.root);
  }

  get view() { return this.model.get("view"); }

  // ---- talking to Python

  send(command, more = {}) {
    this.number += 1;
    const number = this.number;
    this.waitingFor = number;
    this.sentAt = performance.now();
    this.root.setAttribute("aria-busy", "true");
    clearTimeout(this.slow);
    this.slow = setTimeout(() => this.hint(`working: ${WORDS[command] || command}…`, 0), SLOW);
    this.post({ do: command, n: number, ...more }, (why) => { if (this.waitingFor === number) this.giveUp(why); });
    return number;
  }

  /** Send a message; `lost` is called when no answer to it will come: the kernel is gone, or has dealt with it and said nothing. */
  post(message, lost) {
    const status = (heard) => { if (heard.content.execution_state === "idle") setTimeout(lost, 1500, "there was no answer: it was interrupted, or the kernel is not the one that ran this cell"); };
    try { this.model.send(message, { iopub: { status } }); }
    catch { lost("the kernel is gone: run the cell again"); }
  }

  /** Show what there is, though no answer came. */
  giveUp(why) {
    this.target = null;
    this.done();
    this.trouble = why;
    this.updateHead(this.view);
    this.updateNotices(this.view);
    this.scrub.show(this.view.position, this.view);
  }

  done() {
    this.waitingFor = null;
    clearTimeout(this.slow);
    this.chip.hidden = true;
    this.root.setAttribute("aria-busy", "false");
  }

  /** Say something in passing, where it moves nothing; 0 seconds: until the next stop. */
  hint(text, seconds = 6) {
    clearTimeout(this.passing);
    this.chip.textContent = visible(text);
    this.chip.hidden = false;
    this.live.textContent = visible(text);
    if (seconds) this.passing = setTimeout(() => { this.chip.hidden = true; }, seconds * 1000);
  }

  /** Ask for something long; the answer comes as a message. */
  ask(question) {
    return new Promise((resolve) => {
      this.number += 1;
      const number = this.number;
      this.asked.set(number, resolve);
      this.post({ ...question, n: number }, (why) => { if (this.asked.delete(number)) resolve({ problem: why }); });
    });
  }

  /** While the hand drags, only the last place counts: one command is under way at a time, unless it takes very long. */
  travel(to) {
    this.target = to;
    this.scrub.show(to);
    if (this.waitingFor && performance.now() - this.sentAt < PATIENCE) return;
    this.target = null;
    this.send("seek", { to });
  }

  // ---- building

  build() {
    this.title = h("span", { class: "sfnd-title" });
    this.branches = h("select", { class: "sfnd-branches", "aria-label": "branch of the run", title: "branches: those you forked, and those kept when a change gave them up", onchange: () => this.send("branch", { to: Number(this.branches.value) }) });
    this.buttons = new Map();
    this.refusals = new Map();
    this.chip = h("div", { class: "sfnd-passing", hidden: true });
    const toolbar = h("div", { class: "sfnd-toolbar", role: "toolbar", "aria-label": "steps" });
    for (const [command, sign, word, key, tip] of BUTTONS) {
      const button = h("button", { type: "button", class: `sfnd-button sfnd-do-${command}`, title: `${tip} (${key})`, "aria-keyshortcuts": key, onclick: () => this.press(command) },
        icon(sign), h("span", { class: "sfnd-word", text: word }));
      this.buttons.set(command, button);
      toolbar.append(button);
    }
    this.unit = h("select", { class: "sfnd-unit", "aria-label": "size of a step", title: "how far step and back go", onchange: () => this.send("unit", { unit: this.unit.value }) },
      h("option", { value: "state", text: "by state" }), h("option", { value: "event", text: "by event" }));
    this.points = h("button", { type: "button", class: "sfnd-button sfnd-do-points", "aria-expanded": "false", title: "breakpoints (k)", onclick: () => this.togglePoints() });
    const help = h("button", { type: "button", class: "sfnd-button", title: "keyboard shortcuts (?)", "aria-label": "keyboard shortcuts", text: "?", onclick: () => this.help() });
    toolbar.append(this.unit, this.points, help);
    this.notices = h("div", { class: "sfnd-notices" });
    this.pointsPanel = h("div", { class: "sfnd-panel", role: "group", "aria-label": "breakpoints", hidden: true });
    this.graph = new Graph(this.model.get("svg"), this.model.get("machine"), {
      inspect: (pointer) => this.send("inspect", { pointer }), gutter: (pointer) => this.send("gutter", { pointer }),
    });
    this.data = h("section", { class: "sfnd-data", "aria-label": "data" });
    this.heading = h("div", { class: "sfnd-heading" });
    this.strip = new Strip((item) => this.send("iteration", item), () => this.send("branch", { to: this.view.lines.findIndex((line) => line.parent) }));
    this.task = h("div", { class: "sfnd-task" });
    this.editor = h("div", { class: "sfnd-panel sfnd-editor", role: "group", "aria-label": "edit data", hidden: true });
    this.tabs = h("div", { class: "sfnd-tabs", role: "tablist", "aria-label": "what to show" });
    for (const [name, word] of TABS) {
      this.tabs.append(h("button", { type: "button", role: "tab", id: `${this.id}-${name}`, "data-tab": name, "aria-controls": `${this.id}-panel`, text: word, onclick: () => this.show(name) }));
    }
    this.panel = h("div", { class: "sfnd-body", role: "tabpanel", id: `${this.id}-panel`, tabindex: "0" });
    this.data.append(this.heading, this.strip.element, this.editor, this.task, this.tabs, this.panel);
    this.scrub = new Scrubber((to) => this.travel(to));
    this.live = h("div", { class: "sfnd-only-read", role: "status", "aria-live": "polite" });
    this.dialog = h("dialog", { class: "sfnd-help", "aria-label": "keyboard shortcuts" });
    const name = this.model.get("machine").name;
    this.root = h("div", { class: "sfnd", role: "region", "aria-label": visible(`step debugger of ${name}`) },
      h("header", { class: "sfnd-head" }, h("div", { class: "sfnd-line" }, this.title, this.branches), toolbar, this.chip), this.notices, this.pointsPanel,
      h("div", { class: "sfnd-main" }, this.graph.element, this.data), this.scrub.element, this.live, this.dialog);
  }

  listen() {
    this.onView = () => this.update();
    this.onTrack = () => this.updateTrack();
    this.onMessage = (content) => {
      const resolve = content.asked && this.asked.get(content.asked.n);
      if (resolve) { this.asked.delete(content.asked.n); resolve(content); }
    };
    this.model.on("change:view", this.onView);
    this.model.on("change:track", this.onTrack);
    this.model.on("msg:custom", this.onMessage);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.guard = (event) => { // the notebook has keys of its own; plain ones belong to us while we have the focus
      if (!this.root.contains(event.target)) return;
      this.root.toggleAttribute("data-lm-suppress-shortcuts", !event.ctrlKey && !event.metaKey && !(event.shiftKey && event.key === "Enter"));
    };
    window.addEventListener("keydown", this.guard, true);
    this.tabs.addEventListener("keydown", (event) => {
      const at = TABS.findIndex(([name]) => name === this.tab);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.show(TABS[(to + TABS.length) % TABS.length][0]);
      this.tabs.querySelector('[aria-selected="true"]').focus();
    });
  }

  close() {
    window.removeEventListener("keydown", this.guard, true);
    this.watch.disconnect();
    clearTimeout(this.slow);
    clearTimeout(this.passing);
    this.model.off("change:view", this.onView);
    this.model.off("change:track", this.onTrack);
    this.model.off("msg:custom", this.onMessage);
  }

  // ---- keys and buttons

  press(command) {
    const why = this.refusals.get(command);
    if (why) this.hint(why);
    else if (command === "edit") this.openEditor();
    else this.send(command);
  }

  /** A button that is of no use now keeps the focus, and says why when it is pressed. */
  refuse(command, why) {
    const button = this.buttons.get(command);
    if (this.refusals.get(command) === why) return;
    this.refusals.set(command, why);
    if (why) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
    const [, , , key, tip] = BUTTONS.find(([name]) => name === command);
    button.title = `${why || tip} (${key})`;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") { this.leave(event); return; }
    if (event.target.closest("input, textarea, select")) return;
    if (event.repeat && this.waitingFor) { event.preventDefault(); return; }
    const button = BUTTONS.find((one) => one[3] === event.key);
    const keys = {
      ArrowRight: () => { const why = this.refusals.get("step"); if (why) this.hint(why); else this.send("step", { unit: "event" }); }, ArrowLeft: () => this.send("back", { unit: "event" }),
      Home: () => this.send("seek", { to: 1 }), End: () => this.send("seek", { to: this.view.length }),
      g: () => { const node = this.graph.nodes.get(this.view.here) || this.graph.nodes.values().next().value; if (node) this.graph.focusNode(node); },
      d: () => { const row = this.panel.querySelector(".sfnd-row"); (row || this.panel).focus(); },
      t: () => this.scrub.slider.focus(), "/": () => this.focusSearch(), k: () => this.togglePoints(), "?": () => this.help(),
    };
    const act = button ? () => this.press(button[0]) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  leave(event) {
    event.stopPropagation();
    if (!this.editor.hidden) { this.closeEditor(); return; }
    if (!this.pointsPanel.hidden) { this.togglePoints(); return; }
    if (event.target.closest("input, textarea, select")) { this.panel.focus(); return; }
    const notebook = this.root.closest(".jp-Notebook");
    if (notebook) notebook.focus();
    else document.activeElement.blur();
  }

  help() {
    const rows = KEYS.map(([key, text]) => h("tr", {}, h("th", { scope: "row" }, ...key.split(" ").map((one) => h("kbd", { text: one }))), h("td", { text })));
    this.dialog.replaceChildren(h("h3", { text: "Keys of the debugger" }), h("table", {}, h("tbody", {}, ...rows)),
      h("p", { text: "Ctrl and the mouse wheel zoom the graph; drag it to move it." }),
      h("button", { type: "button", class: "sfnd-button", text: "close", onclick: () => this.dialog.close() }));
    this.dialog.showModal();
  }

  focusSearch() {
    if (!["flow", "variables", "context"].includes(this.tab)) this.show("flow");
    this.panel.querySelector("input[type=search]").focus();
  }

  // ---- a stop

  update() {
    const view = this.view;
    if (view.answered === undefined) return;
    const focused = this.root.contains(document.activeElement) ? document.activeElement : null;
    this.trouble = null;
    this.refused = this.editing && view.answered === this.editing ? view.problem : null;
    this.updateHead(view);
    this.updateNotices(view);
    this.updatePoints(view);
    this.graph.update(view);
    this.updateHeading(view);
    this.strip.update(view.map, view.lines.some((line) => line.parent));
    this.updateTask(view);
    this.rows = null;
    this.fillPanel();
    this.scrub.show(view.position, view);
    if (!this.waitingFor || view.answered >= this.waitingFor) this.done();
    const text = this.spoken(view);
    if (this.live.textContent !== text) this.live.textContent = text;
    if (!this.editor.hidden) this.updateEditor(view);
    if (focused && !this.root.contains(document.activeElement)) {
      const held = focused.getAttribute("data-keep");
      const again = held && this.root.querySelector(`[data-keep="${CSS.escape(held)}"]`);
      (again || this.panel).focus({ preventScroll: true });
    }
    this.root.dataset.answered = view.answered;
    if (this.waitingFor) return;
    if (this.target !== null && this.target !== undefined) this.travel(this.target);
  }

  spoken(view) {
    if (view.problem) return view.problem;
    const where = view.detail.state ? ` in ${view.detail.state}` : "";
    return visible(`event ${view.position} of ${view.length}: ${view.event || "before the start"}${where}${REASONS[view.reason] ? `; ${REASONS[view.reason]}` : ""}`);
  }

  updateTrack() {
    this.scrub.draw(this.model.get("track"));
  }

  updateHead(view) {
    const reason = view.reason || (view.stuck ? "waiting" : "");
    const status = view.finished ? view.final : reason === "asked" || reason === "waiting" ? "WAITING" : "RUNNING";
    const [word, mark] = STATUS[status] || STATUS.RUNNING;
    const parts = [`event ${view.position.toLocaleString("en")} of ${view.length.toLocaleString("en")}`, `t+${duration(view.elapsed)}`];
    if (view.event) parts.push(view.event);
    if (REASONS[reason]) parts.push(view.hit ? `${REASONS[reason]} ${visible(view.hit)}` : REASONS[reason]);
    this.title.replaceChildren(h("bdi", { class: "sfnd-name", text: visible(this.model.get("machine").name) }), " ",
      h("span", { class: `sfnd-badge sfnd-s-${word.replace(" ", "-")}`, text: `${mark} ${view.finished ? word : status === "WAITING" ? "waiting" : "under way"}` }), ` ${parts.join(" · ")}`);
    if (view.followed) {
      this.title.append(" ", h("button", { type: "button", class: "sfnd-chip", "data-keep": "follow", title: "steps stay in this iteration; click to follow the whole run again", onclick: () => this.send("unfollow"), text: visible(`following ${view.followed} ✕`) }));
    }
    this.branches.hidden = view.lines.length < 2;
    this.branches.replaceChildren(...view.lines.map((line, at) => h("option", { value: at, selected: line.chosen, text: visible(`${line.name}${line.from === null ? "" : ` (from event ${line.from})`}: ${line.status.toLowerCase()}, ${line.length} events`) })));
    this.unit.value = view.unit;
    const further = view.finished ? "the run has ended: go back, or restart" : view.stuck ? "the run waits for an answer: give one in the form, or advance the clock" : "";
    for (const command of ["step", "over", "out", "run"]) this.refuse(command, further);
    for (const command of ["back", "restart"]) this.refuse(command, view.position <= 1 ? "this is the first event" : "");
  }

  updateNotices(view) {
    const notices = [];
    const problem = this.trouble || (this.refused ? null : view.problem);
    if (problem) notices.push(h("div", { class: "sfnd-notice sfnd-bad", role: "alert" }, h("pre", { text: `✖ ${visible(problem)}` })));
    for (const edit of view.edits) {
      const [before, after] = { input: ["", " will get "], variables: ["", " will see the variables "], context: ["from ", " on the context object has "] }[edit.what];
      notices.push(h("div", { class: "sfnd-notice sfnd-edited" }, `✎ edited: ${before}`, h("b", {}, h("bdi", { text: visible(edit.state) })), after, h("bdi", { class: "sfnd-code", text: visible(edit.value.preview) })));
    }
    for (const bug of view.bugs) {
      notices.push(h("div", { class: "sfnd-notice sfnd-bad" }, h("span", { text: "✖ the handler of " }), h("bdi", { text: visible(bug.state) }), h("span", { text: ` raised ` }), h("bdi", { text: visible(bug.text) }), bug.times > 1 ? ` ×${bug.times} ` : " ",
        h("button", { type: "button", class: "sfnd-button", "data-keep": `bug ${bug.event || bug.state}`, text: "show where", onclick: () => (bug.child ? this.send("iteration", { children: true, ...bug.child }) : this.send("watch", { event: bug.event })) })));
    }
    if (view.again.length) notices.push(h("div", { class: "sfnd-notice", text: visible(`⚠ these handlers have been called before the change; going on asks before calling them again: ${view.again.join("; ")}`) }));
    if (view.output) notices.push(h("div", { class: "sfnd-notice sfnd-good" }, h("span", { text: "✔ output " }), h("bdi", { class: "sfnd-code", text: visible(view.output.preview) })));
    this.notices.replaceChildren(...notices);
  }

  // ---- breakpoints

  togglePoints() {
    this.pointsPanel.hidden = !this.pointsPanel.hidden;
    this.points.setAttribute("aria-expanded", String(!this.pointsPanel.hidden));
    if (!this.pointsPanel.hidden) this.pointsPanel.querySelector("select, input, button").focus();
    else this.points.focus();
  }

  updatePoints(view) {
    const count = view.breakpoints.length;
    this.points.replaceChildren(h("span", { class: count ? "sfnd-dot" : "", "aria-hidden": "true", text: count ? "●" : "○" }), h("span", { text: ` ${count} breakpoint${count === 1 ? "" : "s"}` }));
    const key = JSON.stringify(view.breakpoints);
    if (this.pointsKey === key) return;
    this.pointsKey = key;
    const listed = view.breakpoints.map((one) => h("li", {}, h("bdi", { text: visible(one.text) }), " ",
      h("button", { type: "button", class: "sfnd-button", text: "remove", "aria-label": visible(`remove breakpoint ${one.text}`), onclick: () => this.send("break", { remove: one.number }) })));
    const state = h("select", { "aria-label": "state" }, h("option", { value: "", text: "any state" }), ...this.model.get("machine").states.map((one) => h("option", { value: one.name, text: visible(one.name) })));
    const when = h("input", { type: "text", "aria-label": "condition", placeholder: "condition: $.total > 100", size: "24" });
    const error = h("input", { type: "text", "aria-label": "error", placeholder: "error: States.Timeout, or *", size: "20" });
    const form = h("form", { class: "sfnd-form" }, "stop at ", state, " when ", when, " or on ", error, " ", h("button", { type: "submit", class: "sfnd-button", text: "add" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send("break", { state: state.value, when: when.value.trim(), error: error.value.trim() });
    });
    this.pointsPanel.replaceChildren(count ? h("ul", {}, ...listed) : h("p", { class: "sfnd-note", text: "none yet; a click on the gutter left of a state sets one" }), form);
  }

  // ---- data

  updateHeading(view) {
    const seen = view.detail;
    const parts = [];
    if (view.looking !== null) {
      parts.push(h("div", { class: "sfnd-notice" }, h("span", { text: `looking at event ${view.looking}; the run stands at ${view.position} ` }),
        h("button", { type: "button", class: "sfnd-button", "data-keep": "go-there", text: "travel there", onclick: () => this.send("seek", { to: view.looking }) }), " ",
        h("button", { type: "button", class: "sfnd-button", "data-keep": "go-back", text: "back to the run", onclick: () => this.send("watch") })));
    }
    if (!seen.state) {
      parts.push(h("h3", { text: view.position <= 1 ? "before the first state" : view.finished ? "the end" : "between states" }));
    } else {
      const [word, mark] = seen.phase === "failed" && seen.status === "RUNNING" ? ["failed", "✖"] : STATUS[seen.status] || STATUS.RUNNING;
      const about = [seen.type, seen.service, seen.attempt > 1 ? `attempt ${seen.attempt}` : "", seen.status === "RUNNING" ? (seen.phase === "failed" ? "a retry or a catch may follow" : seen.phase) : ""].filter(Boolean).join(" · ");
      parts.push(h("h3", {}, h("bdi", { text: visible(seen.state) }), " ", h("span", { class: `sfnd-badge sfnd-s-${word.replace(" ", "-")}`, text: `${mark} ${word}` }), " ", h("small", { text: visible(about) })));
      if (seen.path) parts.push(h("div", { class: "sfnd-path" }, h("bdi", { text: visible(seen.path.replaceAll("/", " › ")) })));
    }
    if (seen.error !== null && seen.error !== undefined) parts.push(h("div", { class: "sfnd-notice sfnd-bad" }, h("b", { text: visible(seen.error) }), h("pre", { text: visible(seen.cause || "") })));
    for (const call of seen.calls) {
      if (call.traceback) parts.push(h("details", { class: "sfnd-call", open: call.bug }, h("summary", { text: visible(`the handler raised ${call.raised} (attempt ${call.attempt})`) }), h("pre", { text: visible(call.traceback) })));
      if (call.printed) parts.push(h("details", { class: "sfnd-call" }, h("summary", { text: `the handler printed (attempt ${call.attempt})` }), h("pre", { text: visible(call.printed) })));
    }
    this.heading.replaceChildren(...parts);
  }

  show(tab) {
    this.tab = tab;
    this.rows = null;
    this.fillPanel();
  }

  fillPanel() {
    const view = this.view;
    const seen = view.detail;
    for (const button of this.tabs.children) {
      const chosen = button.dataset.tab === this.tab;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    const count = Math.max(0, (seen.variables.preview.match(/^\{\}$/) ? 0 : 1));
    this.tabs.querySelector('[data-tab="variables"]').textContent = count ? "Variables •" : "Variables";
    this.panel.setAttribute("aria-labelledby", `${this.id}-${this.tab}`);
    const scroll = this.panel.scrollTop;
    const fill = { flow: fillFlow, variables: fillVariables, context: fillContext, definition: fillDefinition, events: fillEvents }[this.tab];
    fill(this, view, seen);
    this.panel.scrollTop = scroll;
  }

  async copy(text, what) {
    try { await navigator.clipboard.writeText(text); }
    catch {
      const field = h("textarea", { class: "sfnd-only-read" });
      field.value = text;
      this.root.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    this.live.textContent = `copied the ${what}`;
    this.root.dataset.copied = text.slice(0, 200);
  }

  // ---- tasks

  updateTask(view) {
    const key = JSON.stringify([view.position, view.length, view.looking, view.stuck, view.pending.map((task) => [task.state, task.path, task.attempt, task.outside]), view.timers]);
    if (this.taskKey === key) return;
    this.taskKey = key;
    this.task.replaceChildren();
    if (view.looking !== null) return;
    if (view.pending.length) this.task.append(taskForm(this, view));
    const delays = view.timers.filter((timer) => timer.what === "wake" || timer.what === "retry");
    if (delays.length) {
      this.task.append(h("div", { class: "sfnd-timers" }, h("span", { text: visible(`◷ ${delays.slice(0, 3).map((one) => `${one.what === "wake" ? "wait of" : "retry of"} ${one.state} until ${one.at}`).join("; ")} `) }),
        h("button", { type: "button", class: "sfnd-button sfnd-do-skip", "data-keep": "skip", title: "end this wait at once: no time passes for it", text: "skip the wait", onclick: () => this.send("skip") })));
    }
    if (view.stuck) {
      const seconds = h("input", { type: "number", min: "0", value: "60", "aria-label": "seconds", size: "6" });
      this.task.append(h("div", { class: "sfnd-timers" }, "let ", seconds, " seconds pass ", h("button", { type: "button", class: "sfnd-button", text: "advance the clock", onclick: () => this.send("advance", { seconds: Number(seconds.value) || 0 }) })));
    }
  }

  // ---- editing

  async openEditor() {
    if (!this.editor.hidden) { this.closeEditor(); return; }
    const found = await this.ask({ do: "editable" });
    if (found.problem) { this.hint(found.problem); return; }
    this.editedAt = this.view.detail.position;
    this.editing = null;
    const texts = { input: pretty(found.input), variables: pretty(found.variables), context: pretty(found.context) };
    const what = h("select", { "aria-label": "what to edit" }, ...Object.keys(texts).map((one) => h("option", { value: one, text: one })));
    const area = jsonArea("the new value", texts.input, (valid) => { apply.disabled = !valid; });
    const apply = h("button", { type: "button", class: "sfnd-button sfnd-main-button", text: "apply", onclick: () => { this.editing = this.send("edit", { [what.value]: area.field.value }); } });
    const note = h("div", { class: "sfnd-note", hidden: true, text: "what is left out stays as it is" });
    let shown = "input";
    what.addEventListener("change", () => {
      texts[shown] = area.field.value;
      shown = what.value;
      note.hidden = shown === "input";
      area.set(texts[shown]);
    });
    this.refusal = h("div", { class: "sfnd-bad-text", role: "alert", hidden: true });
    this.editor.replaceChildren(h("div", { class: "sfnd-form" }, "edit ", what, h("span", { class: "sfnd-note", text: "as" }), h("bdi", { text: visible(found.state) }), h("span", { class: "sfnd-note", text: "sees it; what came after this point stays as a branch" })),
      area.element, note, this.refusal, h("div", { class: "sfnd-form" }, apply, " ", h("button", { type: "button", class: "sfnd-button", text: "cancel", onclick: () => this.closeEditor() })));
    this.editor.hidden = false;
    area.field.focus();
  }

  /** Close the editor when its text has been taken, or the run has gone elsewhere; keep it, with the reason, when it was refused. */
  updateEditor(view) {
    if (this.refused) {
      this.refusal.textContent = `✖ ${visible(this.refused)}`;
      this.refusal.hidden = false;
    } else if ((this.editing && view.answered >= this.editing) || this.editedAt !== view.detail.position) this.closeEditor();
  }

  closeEditor() {
    this.editing = null;
    const inside = this.editor.contains(document.activeElement);
    this.editor.hidden = true;
    if (inside) this.buttons.get("edit").focus();
  }

  async textOf(value) {
    if (value.text !== null && value.text !== undefined) return value.text;
    const answer = await this.ask({ do: "load", name: value.name });
    if (answer.problem) { this.hint(answer.problem); return JSON.stringify(`✖ ${answer.problem}`); }
    value.text = answer.text;
    return value.text;
  }
}

/** Draw a small picture; not every font has the signs of players. */
function icon(path) {
  const picture = svgElement("svg", { class: "sfnd-icon", viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" });
  picture.append(svgElement("path", { d: path }));
  return picture;
}

function duration(seconds) {
  if (seconds >= 86400) return `${Math.floor(seconds / 86400)}d ${Math.floor((seconds % 86400) / 3600)}h`;
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60].map((one) => String(one).padStart(2, "0"));
  return (parts[0] === "00" ? parts.slice(1) : parts).join(":");
}

function pretty(text) {
  try { return jsonText(parseJson(text)); } catch { return text; }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.close();
  },
};
