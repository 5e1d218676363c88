// The parts of the widget that are filled anew at each stop: data flow, tabs, the form at a task.

/** A text area that says at each key whether what stands in it is JSON. */
function jsonArea(label, text, changed) {
  const field = h("textarea", { rows: "6", spellcheck: "false", "aria-label": label, class: "sfnd-json" });
  const verdict = h("div", { class: "sfnd-verdict", role: "status" });
  const check = () => {
    try {
      parseJson(field.value);
      verdict.textContent = "✔ JSON";
      verdict.className = "sfnd-verdict sfnd-good-text";
      field.removeAttribute("aria-invalid");
      changed(true);
    } catch (error) {
      verdict.textContent = `✖ ${error.message}`;
      verdict.className = "sfnd-verdict sfnd-bad-text";
      field.setAttribute("aria-invalid", "true");
      changed(false);
    }
  };
  const set = (value) => { field.value = value; check(); };
  field.addEventListener("input", check);
  field.value = text;
  queueMicrotask(check);
  return { element: h("div", {}, field, verdict), field, set };
}

/** What to do at a task: run its handler, answer, fail, or take an earlier answer; a callback is approved or rejected. */
function taskForm(view, stop) {
  const many = stop.pending.length > 1;
  const form = h("form", { class: "sfnd-task-form", "aria-label": "answer the task" });
  const chosen = h("select", { "aria-label": "which task" }, ...stop.pending.map((task) => h("option", { value: task.number, text: visible(`${task.path ? `${task.path} › ` : ""}${task.state}, attempt ${task.attempt}`) })));
  const inner = h("div", {});
  const fill = () => inner.replaceChildren(...taskParts(view, stop, stop.pending[Number(chosen.value) || 0], form));
  chosen.addEventListener("change", fill);
  form.append(many ? h("div", { class: "sfnd-form" }, `${stop.unsettled} tasks wait: `, chosen) : "", inner);
  fill();
  return form;
}

function taskParts(view, stop, task, form) {
  const { number } = task;
  const outside = task.outside;
  const { callback, activity } = task;
  const worker = callback || activity;
  const past = stop.position < stop.length;
  const options = [];
  if (past) options.push(["recorded", "as recorded", "go on with the answer that this run has recorded"]);
  if (task.earlier) options.push(["reuse", "as before the change", "take the answer that the handler gave before the change, without calling it again"]);
  if (task.bound && (!worker || task.earlier)) options.push(["handler", outside ? "call the handler" : "run the handler", "call the Python function, or take the constant, that answers this state"]);
  else if (!outside && !past) options.push(["handler", "as recorded", "go on with the answer that is known already"]);
  options.push(["answer", callback ? "approve with" : activity ? "complete with" : "answer with", "give the result by hand"], ["fail", callback ? "reject with" : "fail with", "let the task fail with an error"]);
  const name = `${view.id}-how`;
  const usual = options.some(([how]) => how === "recorded") ? "recorded" : worker ? "answer" : outside && !task.earlier ? "answer" : options[0][0];
  const radios = options.map(([how, word, tip]) => h("label", { title: tip }, h("input", { type: "radio", name, value: how, checked: how === usual }), ` ${word}`));
  const area = jsonArea("the task's result", callback ? '{\n  "approved": true\n}' : "{}", () => check());
  const error = h("input", { type: "text", "aria-label": "error", value: callback ? "Rejected" : "States.TaskFailed", list: `${view.id}-errors`, size: "24" });
  const cause = h("input", { type: "text", "aria-label": "cause", placeholder: "cause", size: "30" });
  const known = h("datalist", { id: `${view.id}-errors` }, ...ERRORS.map((one) => h("option", { value: one })));
  const failing = h("div", { class: "sfnd-form" }, error, " ", cause, known);
  const go = h("button", { type: "submit", class: "sfnd-button sfnd-main-button sfnd-do-task", "data-keep": "task-go" });
  const how = () => inputOf(form, name);
  const check = () => {
    area.element.hidden = how() !== "answer";
    failing.hidden = how() !== "fail";
    go.disabled = (how() === "answer" && area.field.getAttribute("aria-invalid") === "true") || (how() === "fail" && !error.value.trim());
    go.textContent = { handler: task.bound ? "run" : "go on", answer: callback ? "✔ approve" : activity ? "✔ complete" : "answer", fail: callback ? "✖ reject" : "fail", reuse: "go on", recorded: "go on" }[how()];
  };
  form.onchange = check;
  form.oninput = check;
  form.onsubmit = (event) => {
    event.preventDefault();
    const chosen = how();
    if (chosen === "recorded") view.send("step");
    else if (chosen === "answer") view.send("answer", { task: number, text: area.field.value });
    else if (chosen === "fail") view.send("fail", { task: number, error: error.value, cause: cause.value });
    else view.send(chosen, { task: number });
  };
  queueMicrotask(check);
  const title = callback ? "‖ waits for a callback" : activity ? "‖ waits for the worker of an activity" : outside ? (task.earlier ? "‖ asks before its handler is called again" : "‖ no handler answers this task") : "▶ the task is next";
  const parts = [h("div", { class: "sfnd-task-title" }, h("b", { text: title }), task.resource ? h("small", { text: visible(` ${task.resource}`) }) : null)];
  if (worker) {
    parts.push(h("div", { class: "sfnd-form" }, h("small", { class: "sfnd-token" }, "token ", h("bdi", { class: "sfnd-code", text: visible(task.token) })), " ",
      h("button", { type: "button", class: "sfnd-small", title: "copy the task token", text: "copy token", onclick: () => view.copy(task.token, "token") }), " ",
      h("button", { type: "button", class: "sfnd-button sfnd-do-heartbeat", "data-keep": "heartbeat", title: "the worker reports that it is alive: HeartbeatSeconds start anew", text: "♥ heartbeat", onclick: () => view.send("heartbeat", { task: number }) })));
  }
  if (task.earlier) parts.push(h("div", { class: "sfnd-note" }, "before the change: ", h("bdi", { class: "sfnd-code", text: visible(task.earlier.kind === "failed" ? `${task.earlier.error}: ${task.earlier.cause}` : task.earlier.text).slice(0, 200) })));
  parts.push(h("div", { class: "sfnd-form", role: "radiogroup", "aria-label": "how to answer" }, ...radios), area.element, failing, go);
  return parts;
}

function inputOf(form, name) {
  const chosen = form.querySelector(`input[name="${name}"]:checked`);
  return chosen ? chosen.value : "";
}

// ---- the tabs

/** The search box above the values; it keeps its text and the focus while the values below are filled anew. */
function searchBox(view, refill) {
  const count = h("span", { class: "sfnd-note", role: "status" });
  const field = h("input", { type: "search", "data-keep": "search", placeholder: "search keys and values", "aria-label": "search keys and values", size: "24" });
  field.value = view.needle;
  let wait = null;
  field.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => { view.needle = field.value.trim(); refill(); }, 150);
  });
  return { element: h("div", { class: "sfnd-search" }, field, " ", count), count };
}

/** One value as a tree with its bar: path of the chosen node, copy. */
function valueTree(view, name, root, value, label, changes, removed) {
  const jsonata = view.view.detail.language === "JSONata";
  const written = (path) => reference(path, root, jsonata);
  const opened = view.opened.get(name) || new Map();
  view.opened.set(name, opened);
  const matches = view.needle ? searchJson(value, view.needle, FOUND + 1) : [];
  const more = matches.length > FOUND;
  if (more) matches.pop();
  const path = h("bdi", { class: "sfnd-code", text: visible(written("$")) });
  let item = value;
  let at = "$";
  const bar = h("div", { class: "sfnd-bar" }, path, " ",
    h("button", { type: "button", class: "sfnd-small", title: `copy the ${jsonata ? "JSONata" : "JSONPath"} of the chosen node (p)`, text: "copy path", onclick: () => view.copy(written(at), "path") }),
    h("button", { type: "button", class: "sfnd-small", title: "copy the chosen node as JSON (j)", text: "copy JSON", onclick: () => view.copy(jsonText(item), "JSON") }));
  const tree = jsonTree(value, {
    label, changes, removed, opened, matches: matches.length ? new Set(matches) : null, copy: (text, what) => view.copy(text, what), copyPath: (chosen) => view.copy(written(chosen), "path"),
    chosen: (chosenPath, chosenItem) => { at = chosenPath; item = chosenItem; path.textContent = visible(written(chosenPath)); },
  });
  return { element: h("div", {}, tree, bar), matches: matches.length, more };
}

const ROOTS = { // what a definition calls the data; what it cannot call is written from $ on
  JSONata: { input: "$states.input", result: "$states.result", context: "$states.context", variables: "variables" },
  JSONPath: { context: "$$", variables: "variables" },
};

function rootOf(name, language) { return (ROOTS[language] || ROOTS.JSONPath)[name] || "$"; }

const FOUND = 500; // places in one value that a search marks
const SHOWN = 6; // changes that are told of a stage that is folded
const EXPLAINED = {
  input: "what the state was given", afterInputPath: "InputPath chose from it", afterParameters: "Parameters made the task's input", afterArguments: "Arguments made the task's input",
  afterItemsPath: "ItemsPath chose the items", afterItemSelector: "ItemSelector made each item", afterItemBatcher: "ItemBatcher put items together", result: "what the task, items or branches gave",
  afterResultSelector: "ResultSelector chose from the result", afterResultPath: "ResultPath put it into the input", output: "what the next state gets", variables: "after Assign", error: "what went wrong",
};

function fillFlow(view, stop, seen) {
  const search = searchBox(view, () => render());
  const list = h("div", { class: "sfnd-stages" });
  const stages = seen.stages.length ? seen.stages : [{ name: "data", against: "", same: false, value: seen.data, changes: [], changed: 0, error: null }];
  const render = async () => {
    let found = 0;
    let more = false;
    const parts = [];
    for (const stage of stages) {
      const part = stagePart(view, seen, stage, stages);
      parts.push(part.element);
      if (!view.needle) continue;
      const tree = await part.find();
      found += tree.matches;
      more = more || tree.more;
    }
    list.replaceChildren(...parts);
    search.count.textContent = view.needle ? `${found}${more ? "+" : ""} found` : "";
  };
  view.panel.replaceChildren(search.element, list);
  if (view.needle) render();
  else {
    list.replaceChildren(...stages.map((stage) => stagePart(view, seen, stage, stages).element));
  }
}

function stagePart(view, seen, stage, stages) {
  const key = `${seen.state} ${stage.name}`;
  const known = view.stages.get(key);
  const open = known === undefined ? stages.length === 1 : known;
  const counts = ["added", "removed", "changed"].map((kind) => [kind, stage.changes.filter((one) => one.kind === kind).length]);
  const signs = { added: "+", removed: "−", changed: "~" };
  const chips = counts.filter(([, count]) => count).map(([kind, count]) => h("span", { class: `sfnd-chip-${kind}`, title: `${count} ${kind}`, text: `${signs[kind]}${count}${stage.changed > stage.changes.length ? "…" : ""}` }));
  const value = stage.value;
  const body = h("div", { class: "sfnd-stage-body" });
  const details = h("details", { open, "data-stage": stage.name },
    h("summary", { title: EXPLAINED[stage.name] || "" }, h("b", { text: stage.name }), " ", ...chips, stage.same ? h("span", { class: "sfnd-note", text: ` same as ${stage.against}` }) : "",
      value.size > 2048 ? h("span", { class: "sfnd-note", text: ` ${sizeText(value.size)}` }) : "", stage.same ? "" : h("bdi", { class: "sfnd-preview", text: visible(value.text === "null" && stage.error ? stage.error : value.preview || "") })), body);
  details.querySelector("summary").setAttribute("data-keep", `stage ${stage.name}`);
  const fill = async () => {
    body.filled = true;
    const source = stage.same ? sourceOf(stage, stages) : value;
    const wait = source.text === null && view.textOf(source);
    if (wait) { body.textContent = "…"; await wait; }
    const changes = new Map(stage.changes.filter((one) => one.kind !== "removed").map((one) => [one.path, one]));
    const tree = valueTree(view, key, rootOf(stage.name, seen.language), parseJson(source.text), `${stage.name} of ${seen.state}`, changes, stage.changes.filter((one) => one.kind === "removed"));
    body.replaceChildren(...(stage.error ? [h("pre", { class: "sfnd-bad-text", text: visible(stage.error) })] : []), tree.element,
      ...(stage.changed > stage.changes.length ? [h("div", { class: "sfnd-note", text: `the first ${stage.changes.length} of ${stage.changed} changes are marked` })] : []));
    return tree;
  };
  details.addEventListener("toggle", () => {
    if (details.open && !body.filled) fill();
    if (details.isConnected && details.open !== open) view.stages.set(key, details.open);
  });
  if (open && value.text !== null && !view.needle) fill();
  else if (open && !view.needle) queueMicrotask(fill);
  const find = async () => { if (stage.same) return { matches: 0, more: false }; const found = await fill(); if (found.matches) { details.open = true; told.hidden = true; } return found; };
  const told = h("div", { class: "sfnd-changes", hidden: open }, ...stage.changes.slice(0, SHOWN).map((change) => h("div", { class: `sfnd-row sfnd-${change.kind}` },
    h("span", { class: "sfnd-sign", text: signs[change.kind] }), h("bdi", { class: "sfnd-key", text: visible(change.path.replace(/^\$\.?(?=.)/, "")) }), " ",
    ...(change.kind === "added" ? [h("bdi", { text: visible(change.b) })] : [h("bdi", { class: "sfnd-was", text: visible(change.a) })]), ...(change.kind === "changed" ? [" → ", h("bdi", { text: visible(change.b) })] : []))),
  stage.changed > SHOWN ? h("div", { class: "sfnd-note", text: `… ${stage.changed - SHOWN} more changes` }) : "");
  details.addEventListener("toggle", () => { told.hidden = details.open; });
  return { element: h("div", { class: `sfnd-stage${stage.same ? " sfnd-same" : ""}${stage.error ? " sfnd-failed" : ""}` }, details, told), find };
}

/** A stage that changed nothing shows the value of the one that it is compared with. */
function sourceOf(stage, stages) {
  let at = stage;
  for (let turn = 0; turn < 12 && at && at.same; turn += 1) at = stages.find((one) => one.name === at.against);
  return at ? at.value : { text: "null", preview: "null", size: 4 };
}

async function fillValue(view, value, label, empty) {
  const holder = h("div", {});
  const search = searchBox(view, () => render());
  const render = async () => {
    const text = await view.textOf(value);
    if (text === "{}") { holder.replaceChildren(h("p", { class: "sfnd-note", text: empty })); return; }
    const tree = valueTree(view, label, rootOf(label, view.view.detail.language), parseJson(text), label);
    holder.replaceChildren(tree.element);
    search.count.textContent = view.needle ? `${tree.matches}${tree.more ? "+" : ""} found` : "";
  };
  view.panel.replaceChildren(search.element, holder);
  await render();
}

function fillVariables(view, _stop, seen) { fillValue(view, seen.variables, "variables", "no variables can be read here"); }

function fillContext(view, _stop, seen) { fillValue(view, seen.context || { text: "{}" }, "context", "there is a context object inside a state only"); }

function fillDefinition(view, _stop, seen) {
  if (!seen.state) { view.panel.replaceChildren(h("p", { class: "sfnd-note", text: "no state here" })); return; }
  const lines = seen.source.split("\n");
  const first = seen.line || 1;
  view.panel.replaceChildren(
    h("div", { class: "sfnd-note" }, seen.line ? `lines ${first}–${first + lines.length - 1} · ${seen.language} ` : `${seen.language} `, h("bdi", { class: "sfnd-code", text: visible(seen.pointer) })),
    h("pre", { class: "sfnd-source" }, ...lines.map((line, at) => h("div", {}, h("span", { class: "sfnd-lineno", "aria-hidden": "true", text: String(first + at).padStart(4) }), h("bdi", { text: `${visible(line)}\n` })))));
}

function fillEvents(view, stop) {
  const rows = view.rows || stop.events;
  const cell = (properties, ...children) => h("td", { role: "cell", ...properties }, ...children); // roles, as a narrow cell lays rows out otherwise
  const body = h("tbody", { role: "rowgroup" }, ...rows.map(([id, type, state, place, told]) => h("tr", { role: "row", class: id === stop.position ? "sfnd-now" : "", "aria-current": id === stop.position ? "true" : null },
    cell({}, h("button", { type: "button", class: "sfnd-small", "data-keep": `event ${id}`, title: "travel to this event", text: String(id), onclick: () => view.send("seek", { to: id }) })),
    cell({ class: /Failed|TimedOut|Aborted/.test(type) ? "sfnd-bad-text" : "", text: `${/Failed|TimedOut|Aborted/.test(type) ? "✖ " : ""}${type}` }), cell({}, h("bdi", { text: visible([place, state].filter(Boolean).join(" › ")) })), cell({ class: "sfnd-told" }, h("bdi", { class: "sfnd-code", text: visible(told) })))));
  const first = rows.length ? rows[0][0] : 1;
  const earlier = first > 1 ? h("button", { type: "button", class: "sfnd-button", "data-keep": "earlier", text: `earlier events (${first - 1})`, onclick: async () => {
    const answer = await view.ask({ do: "events", last: first - 1 });
    if (answer.problem) { view.hint(answer.problem); return; }
    view.rows = [...answer.rows, ...rows];
    fillEvents(view, stop);
  } }) : "";
  view.panel.replaceChildren(earlier, h("table", { class: "sfnd-events", role: "table" }, h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...["event", "type", "state", "what it tells"].map((word) => h("th", { scope: "col", role: "columnheader", text: word })))), body));
}
