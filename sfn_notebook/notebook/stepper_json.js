// JSON as a tree that is read, searched and copied. All text goes in by textContent; nothing that a payload holds is ever markup.

const PAGE = 100; // children that are shown before somebody asks for more
const LONG = 240; // characters of a string that are shown likewise

/** Make an element: properties that begin with "on" are listeners, `class` and the rest attributes; children are nodes or text. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "text") element.textContent = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A number as it was written, where JavaScript would write it otherwise: 1.0, 1e3, 12345678901234567890. */
class Written {
  constructor(source) { this.source = source; }
}

function parseJson(text) {
  return JSON.parse(text, (_key, value, context) =>
    typeof value === "number" && context && context.source !== undefined && context.source !== String(value) ? new Written(context.source) : value);
}

function jsonText(value, indent = 2, pad = "") {
  if (value instanceof Written) return value.source;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const list = Array.isArray(value);
  const inner = pad + " ".repeat(indent);
  const parts = list ? value.map((item) => inner + jsonText(item, indent, inner)) :
    Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${jsonText(item, indent, inner)}`);
  if (!parts.length) return list ? "[]" : "{}";
  return `${list ? "[" : "{"}\n${parts.join(",\n")}\n${pad}${list ? "]" : "}"}`;
}

/** Write what would steer the line (control characters, marks of direction, invisible ones) as an escape. */
function visible(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Give the JSONPath of a member, as Python's side writes it in a list of changes. */
function stepPath(path, key) {
  if (typeof key === "number") return `${path}[${key}]`;
  return /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function isBranch(value) { return value !== null && typeof value === "object" && !(value instanceof Written); }

function membersOf(value) { return Array.isArray(value) ? value.map((item, at) => [at, item]) : Object.entries(value); }

function brief(value) {
  const count = Array.isArray(value) ? value.length : Object.keys(value).length;
  const what = Array.isArray(value) ? "item" : "field";
  return `${Array.isArray(value) ? "[…]" : "{…}"} ${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

function sizeText(characters) {
  return characters < 1024 ? `${characters} characters` : `${Math.round(characters / 1024).toLocaleString("en")} KiB`;
}

/** Find what holds the text, in keys and values: paths, at most `most`. */
function searchJson(value, needle, most = 500) {
  const found = [];
  const wanted = needle.toLowerCase();
  const stack = [["$", null, value]];
  while (stack.length && found.length < most) {
    const [path, key, item] = stack.pop();
    const own = isBranch(item) ? "" : item instanceof Written ? item.source : String(item);
    if ((typeof key === "string" && key.toLowerCase().includes(wanted)) || own.toLowerCase().includes(wanted)) found.push(path);
    if (isBranch(item)) for (const [name, child] of membersOf(item).reverse()) stack.push([stepPath(path, name), name, child]);
  }
  return found;
}

/**
 * A tree of one value. Arrow keys move, Enter or a click chooses a node, p copies its path and j its JSON.
 * options: label, changes (path -> change), matches (Set of paths), opened (Map path -> boolean, kept by the caller), chosen(path, value), copy(text, what), copyPath(path)
 */
function jsonTree(value, options) {
  const root = h("div", { class: "sfnd-tree", role: "tree", "aria-label": options.label });
  const changes = options.changes || new Map();
  const near = [...changes.keys(), ...(options.matches || [])];
  const wanted = new Set(near.flatMap((path) => ancestors(path)));

  function openAtFirst(path, item, depth) {
    const known = options.opened.get(path);
    if (known !== undefined) return known;
    if (wanted.has(path)) return true;
    const count = Array.isArray(item) ? item.length : Object.keys(item).length;
    return depth === 0 ? true : depth < 3 && count <= 8 && near.length === 0;
  }

  function row(key, item, path, depth) {
    const change = changes.get(path);
    const branch = isBranch(item);
    const line = h("div", {
      class: `sfnd-row${change ? ` sfnd-${change.kind}` : ""}${options.matches && options.matches.has(path) ? " sfnd-match" : ""}`,
      role: "treeitem", tabindex: "-1", "aria-level": depth + 1, "data-path": path, style: `--depth:${depth}`,
    });
    line.item = item;
    const sign = change ? { added: "+", changed: "~", removed: "−" }[change.kind] : "";
    line.append(h("span", { class: "sfnd-sign", "aria-hidden": "true", text: sign }), h("span", { class: "sfnd-twist", "aria-hidden": "true" }));
    if (key !== null) line.append(h("bdi", { class: "sfnd-key", text: typeof key === "number" ? `${key}` : visible(JSON.stringify(key)) }), ": ");
    if (branch) line.append(h("span", { class: "sfnd-brief", text: brief(item) }));
    else line.append(...leaf(item));
    if (change && change.kind === "changed") line.append(h("span", { class: "sfnd-was" }, h("span", { text: " was " }), h("bdi", { text: visible(change.a) })));
    if (change) line.setAttribute("aria-description", change.kind);
    if (branch) {
      const open = openAtFirst(path, item, depth);
      line.setAttribute("aria-expanded", String(open));
      line.setAttribute("data-branch", "");
    }
    return line;
  }

  function leaf(item) {
    if (item instanceof Written) return [h("span", { class: "sfnd-number", text: item.source })];
    if (typeof item !== "string") return [h("span", { class: item === null ? "sfnd-null" : typeof item === "number" ? "sfnd-number" : "sfnd-bool", text: String(item) })];
    const whole = visible(JSON.stringify(item));
    const text = h("bdi", { class: "sfnd-string", text: whole.length > LONG ? `${whole.slice(0, LONG)}…` : whole });
    if (whole.length <= LONG) return [text];
    const more = h("button", { class: "sfnd-more", type: "button", tabindex: "-1", text: `show all ${sizeText(item.length)}` });
    more.addEventListener("click", (event) => {
      event.stopPropagation();
      text.textContent = whole;
      text.classList.add("sfnd-whole");
      more.remove();
    });
    return [text, " ", more];
  }

  function fill(holder, item, path, depth, from = 0, everything = false) {
    const members = membersOf(item);
    const found = everything || from > 0 || !options.matches ? [] : members.filter(([key]) => wanted.has(stepPath(path, key)));
    if (found.length && found.length < members.length) { // while searching, only what leads to something found
      for (const [key, child] of found.slice(0, PAGE)) add(holder, key, child, stepPath(path, key), depth);
      const others = h("button", { class: "sfnd-more", type: "button", style: `--depth:${depth}`, text: `… ${(members.length - Math.min(found.length, PAGE)).toLocaleString("en")} others` });
      others.addEventListener("click", () => { holder.replaceChildren(); fill(holder, item, path, depth, 0, true); });
      holder.append(others);
      return;
    }
    for (const [key, child] of members.slice(from, from + PAGE)) add(holder, key, child, stepPath(path, key), depth);
    const left = members.length - from - PAGE;
    if (left > 0) {
      const more = h("button", { class: "sfnd-more", type: "button", style: `--depth:${depth}`, text: `… ${left.toLocaleString("en")} more` });
      more.addEventListener("click", () => { more.remove(); fill(holder, item, path, depth, from + PAGE); });
      holder.append(more);
    }
    if (from === 0) {
      for (const change of options.removed || []) {
        if (parentPath(change.path) !== path) continue;
        holder.append(h("div", { class: "sfnd-row sfnd-removed", role: "treeitem", tabindex: "-1", "aria-level": depth + 1, "data-path": change.path, style: `--depth:${depth}`, "aria-description": "removed" },
          h("span", { class: "sfnd-sign", "aria-hidden": "true", text: "−" }), h("span", { class: "sfnd-twist" }),
          h("bdi", { class: "sfnd-key", text: visible(change.path.slice(path.length)) }), ": ", h("bdi", { text: visible(change.a) })));
      }
    }
  }

  function add(holder, key, item, path, depth) {
    const line = row(key, item, path, depth);
    holder.append(line);
    if (!isBranch(item)) return;
    const group = h("div", { role: "group" });
    holder.append(group);
    line.group = group;
    if (line.getAttribute("aria-expanded") === "true") { fill(group, item, path, depth + 1); group.filled = true; }
    else group.hidden = true;
  }

  function toggle(line, open = line.getAttribute("aria-expanded") !== "true") {
    if (!line.group) return;
    options.opened.set(line.dataset.path, open);
    line.setAttribute("aria-expanded", String(open));
    line.group.hidden = !open;
    if (open && !line.group.filled) { fill(line.group, line.item, line.dataset.path, Number(line.getAttribute("aria-level"))); line.group.filled = true; }
  }

  function choose(line) {
    for (const other of root.querySelectorAll('[aria-selected="true"]')) other.removeAttribute("aria-selected");
    line.setAttribute("aria-selected", "true");
    focusRow(line);
    if (options.chosen) options.chosen(line.dataset.path, line.item);
  }

  function focusRow(line) {
    for (const other of root.querySelectorAll('.sfnd-row[tabindex="0"]')) other.tabIndex = -1;
    line.tabIndex = 0;
    line.focus({ preventScroll: false });
  }

  root.addEventListener("click", (event) => {
    const line = event.target.closest(".sfnd-row");
    if (!line || event.target.closest("button")) return;
    if (line.group && (event.target.closest(".sfnd-twist") || line.getAttribute("aria-selected") === "true")) toggle(line);
    choose(line);
  });
  root.addEventListener("keydown", (event) => {
    const line = event.target.closest(".sfnd-row");
    if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...root.querySelectorAll(".sfnd-row")].filter((one) => one.offsetParent !== null);
    const at = rows.indexOf(line);
    const keys = {
      ArrowDown: () => rows[at + 1] && focusRow(rows[at + 1]),
      ArrowUp: () => rows[at - 1] && focusRow(rows[at - 1]),
      Home: () => focusRow(rows[0]),
      End: () => focusRow(rows[rows.length - 1]),
      ArrowRight: () => (line.getAttribute("aria-expanded") === "false" ? toggle(line, true) : line.group && rows[at + 1] && focusRow(rows[at + 1])),
      ArrowLeft: () => {
        if (line.getAttribute("aria-expanded") === "true") toggle(line, false);
        else {
          const outer = rows.find((one) => one.dataset.path === parentPath(line.dataset.path));
          if (outer) focusRow(outer);
        }
      },
      Enter: () => choose(line),
      " ": () => choose(line),
      p: () => options.copyPath(line.dataset.path),
      j: () => options.copy(jsonText(line.item), "JSON"),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  add(root, null, value, "$", 0);
  root.firstChild.tabIndex = 0;
  return root;
}

/** Take a path apart; names in brackets may hold anything. */
function stepsOf(path) {
  return path.slice(1).match(/\.[^.[]+|\[\d+\]|\["(?:[^"\\]|\\.)*"\]/g) || [];
}

const JSONATA_WORDS = new Set(["and", "or", "in", "true", "false", "null", "function"]);

/** Write a path as a definition would: below `root`, in JSONata or JSONPath; a variable's name follows the dollar at once. */
function reference(path, root, jsonata) {
  const steps = stepsOf(path).map((step) => {
    if (/^\[\d/.test(step)) return step;
    const name = step[0] === "." ? step.slice(1) : JSON.parse(step.slice(1, -1));
    if (!jsonata) return step[0] === "." || name.includes("'") || name.includes("\\") ? step : `['${name}']`;
    return /^[A-Za-z_]\w*$/.test(name) && !JSONATA_WORDS.has(name) ? `.${name}` : `.\`${name}\``;
  });
  if (root === "variables") return steps.length ? `$${steps.join("").replace(/^\./, "")}` : "$";
  return root + steps.join("");
}

/** Split a path at its last step. */
function parentPath(path) {
  const steps = stepsOf(path);
  return steps.length ? path.slice(0, path.length - steps[steps.length - 1].length) : null;
}

function ancestors(path) {
  const found = [];
  for (let at = path; at !== null; at = parentPath(at)) found.push(at);
  return found;
}
