// The picture of the machine: drawn once, then only classes and marks change, so that the layout never moves.

const STATUS = { // word, mark
  SUCCEEDED: ["succeeded", "✔"], FAILED: ["failed", "✖"], TIMED_OUT: ["timed out", "✖"], CAUGHT: ["caught", "⚠"],
  RUNNING: ["running", "▶"], WAITING: ["waiting", "‖"], ABORTED: ["aborted", "■"],
};
const SVG = "http://www.w3.org/2000/svg";

function svgElement(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

class Graph {
  /** `actions`: inspect(pointer), gutter(pointer). */
  constructor(text, machine, actions) {
    this.actions = actions;
    this.states = new Map(machine.states.map((state) => [state.pointer, state]));
    this.drawn = new Map(machine.states.map((state) => [state.drawn, state]));
    this.nodes = new Map();
    this.edges = new Map();
    this.zoom = 1;
    this.chosen = null;
    this.scroller = h("div", { class: "sfnd-scroller", tabindex: "-1" });
    const button = (label, title, act) => h("button", { type: "button", class: "sfnd-button", title, "aria-label": title, text: label, onclick: act });
    this.element = h("section", { class: "sfnd-graph", "aria-label": "state machine" }, this.scroller,
      h("div", { class: "sfnd-zoom", role: "group", "aria-label": "zoom" },
        button("−", "zoom out", () => this.setZoom(this.zoom / 1.25)), button("⤢", "fit the machine into view", () => this.fit()),
        button("+", "zoom in", () => this.setZoom(this.zoom * 1.25)), button("◎", "go to the current state", () => this.reveal(this.here, true))));
    if (text) this.draw(text);
    else this.list();
    this.listen();
  }

  draw(text) {
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (parsed.localName !== "svg") { this.list(); return; }
    this.svg = document.importNode(parsed, true);
    this.size = [Number(this.svg.getAttribute("width")), Number(this.svg.getAttribute("height"))];
    this.svg.setAttribute("role", "group");
    this.svg.removeAttribute("style");
    for (const node of this.svg.querySelectorAll("g.sfn-state[data-pointer]")) this.prepare(node);
    for (const edge of this.svg.querySelectorAll("g.edge")) this.edges.set(edge.id, edge);
    for (const element of this.svg.querySelectorAll("[id]")) element.removeAttribute("id"); // a page may show the machine twice
    this.scroller.append(this.svg);
    requestAnimationFrame(() => this.placeMarks());
  }

  prepare(node) {
    const state = this.drawn.get(node.getAttribute("data-pointer")); // the picture writes control characters as escapes
    if (!state) return;
    const { pointer } = state;
    node.setAttribute("data-pointer", pointer);
    this.nodes.set(pointer, node);
    if (node.classList.contains("node")) node.parentNode.append(node); // above the edges, whose heads would cut into its mark
    node.setAttribute("role", "button");
    node.setAttribute("tabindex", this.nodes.size === 1 ? "0" : "-1");
  }

  /** Marks need the size of what is drawn, which is known once it is in the page. */
  placeMarks() {
    if (this.placed || !this.svg || !this.svg.isConnected || !this.svg.getBoundingClientRect().width) return;
    this.placed = true;
    for (const node of this.nodes.values()) {
      const box = node.getBBox();
      node.append(
        svgElement("rect", { class: "sfnd-ring", x: box.x - 4, y: box.y - 4, width: box.width + 8, height: box.height + 8, rx: 7 }),
        svgElement("rect", { class: "sfnd-mark-ground", y: box.y - 12, height: 16, rx: 8 }), svgElement("text", { class: "sfnd-mark", y: box.y + 0.5, "text-anchor": "middle" }, ""));
      node.corner = box.x + box.width;
      const gutter = svgElement("g", { class: "sfnd-gutter" });
      gutter.append(svgElement("title", {}, "click to set a breakpoint"),
        svgElement("rect", { x: box.x - 20, y: box.y, width: 18, height: Math.max(box.height, 14), class: "sfnd-hit" }),
        svgElement("circle", { cx: box.x - 11, cy: box.y + box.height / 2, r: 5 }),
        svgElement("path", { class: "sfnd-if", d: `M${box.x - 13.5},${box.y + box.height / 2 - 1.4}h5m-5,2.8h5` }));
      node.append(gutter);
    }
    this.fitAtFirst();
    if (this.last) this.update(this.last);
  }

  /** Where no picture can be drawn: the states as a list. */
  list() {
    this.scroller.append(h("p", { class: "sfnd-note", text: "the graph cannot be drawn; these are the states" }));
    for (const state of this.states.values()) {
      const line = h("div", { class: "sfnd-listed", role: "button", tabindex: "-1", "data-pointer": state.pointer, style: `--depth:${state.depth}` },
        h("span", { class: "sfnd-gutter" }, "●"), h("span", { class: "sfnd-mark" }), h("bdi", { text: visible(state.name) }), h("small", { text: ` ${state.type}` }));
      this.nodes.set(state.pointer, line);
      this.scroller.append(line);
    }
    const first = this.nodes.values().next().value;
    if (first) first.tabIndex = 0;
  }

  listen() {
    let from = null;
    this.scroller.addEventListener("click", (event) => {
      const node = event.target.closest("[data-pointer]");
      if (!node || this.dragged) return;
      const pointer = node.getAttribute("data-pointer");
      this.focusNode(node);
      if (event.target.closest(".sfnd-gutter")) this.actions.gutter(pointer);
      else this.actions.inspect(pointer);
    });
    this.scroller.addEventListener("keydown", (event) => this.key(event));
    this.scroller.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.setZoom(this.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15), event);
    }, { passive: false });
    this.scroller.addEventListener("pointerdown", (event) => {
      this.dragged = false;
      if (event.button === 0 && this.svg) from = [event.clientX, event.clientY, this.scroller.scrollLeft, this.scroller.scrollTop];
    });
    this.scroller.addEventListener("pointermove", (event) => {
      if (!from || !(event.buttons & 1)) { from = null; return; }
      const [x, y, left, top] = from;
      if (Math.abs(event.clientX - x) + Math.abs(event.clientY - y) > 5) this.dragged = true;
      if (this.dragged) this.scroller.scrollTo(left - event.clientX + x, top - event.clientY + y);
    });
  }

  key(event) {
    const node = event.target.closest("[data-pointer]");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...this.nodes.values()];
    const at = all.indexOf(node);
    const keys = {
      ArrowDown: () => all[at + 1] && this.focusNode(all[at + 1]), ArrowRight: () => all[at + 1] && this.focusNode(all[at + 1]),
      ArrowUp: () => all[at - 1] && this.focusNode(all[at - 1]), ArrowLeft: () => all[at - 1] && this.focusNode(all[at - 1]),
      Home: () => this.focusNode(all[0]), End: () => this.focusNode(all[all.length - 1]),
      Enter: () => this.actions.inspect(node.getAttribute("data-pointer")), " ": () => this.actions.inspect(node.getAttribute("data-pointer")),
      p: () => this.actions.gutter(node.getAttribute("data-pointer")),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  focusNode(node) {
    for (const other of this.nodes.values()) other.setAttribute("tabindex", other === node ? "0" : "-1");
    node.focus({ preventScroll: true });
    this.revealElement(node);
  }

  // ---- what changes at a stop

  update(view) {
    this.last = view;
    const points = new Map(); // state -> [whether each stop there has a condition, what it says]
    for (const one of view.breakpoints) {
      if (!one.state) continue;
      const [conditional, text] = points.get(one.state) || [true, ""];
      points.set(one.state, [conditional && !one.plain, text ? `${text}; ${one.text}` : one.text]);
    }
    const active = new Set(view.active);
    const looked = view.looking === null ? null : view.detail.pointer;
    for (const [pointer, node] of this.nodes) {
      const [status, visits, retries, counts] = view.nodes[pointer] || [null, 0, 0];
      const state = this.states.get(pointer);
      const [word, mark] = STATUS[status] || ["not reached", ""];
      const here = pointer === view.here;
      const [conditional, stops] = points.get(state.name) || [false, ""];
      const key = `${status} ${visits} ${retries} ${counts ? counts[status] : ""} ${here} ${active.has(pointer)} ${stops} ${looked === pointer}`;
      if (node.shownKey === key) continue;
      if (this.placed || !this.svg) node.shownKey = key;
      for (const name of [...node.classList]) if (name.startsWith("sfnd-s-")) node.classList.remove(name);
      node.classList.add(`sfnd-s-${status ? word.replace(" ", "-") : "not-reached"}`);
      node.classList.toggle("sfnd-here", here);
      node.classList.toggle("sfnd-active", active.has(pointer));
      node.classList.toggle("sfnd-looked", looked === pointer);
      node.classList.toggle("sfnd-broken", stops !== "");
      node.classList.toggle("sfnd-conditional", conditional);
      const many = counts ? ` ${counts[status]}/${visits}` : visits > 1 ? `×${visits}` : "";
      this.mark(node, `${here && !["FAILED", "WAITING"].includes(status) ? "▶" : mark}${many}${retries ? ` ↻${retries}` : ""}`);
      const went = counts ? Object.entries(counts).map(([one, count]) => `${count} ${STATUS[one][0]}`).join(", ") : word;
      const told = visible(`${state.name}, ${state.type}, ${went}${visits > 1 ? `, ${visits} visits` : ""}${retries ? `, ${retries} retries` : ""}${here ? ", current state" : ""}${stops ? `, ${conditional ? "conditional " : ""}breakpoint` : ""}`);
      node.setAttribute("aria-label", told);
      const [tip, gutterTip] = node.querySelectorAll("title");
      if (tip && gutterTip) {
        tip.textContent = told;
        gutterTip.textContent = stops ? visible(`breakpoint: ${stops}; click to take it away`) : "click to set a breakpoint";
      }
      if (here) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
    }
    this.updateEdges(view.edges);
    const moved = this.here !== view.here;
    this.here = view.here;
    if (moved) this.reveal(view.here, false);
  }

  /** Write the mark of a state into the badge at its corner. */
  mark(node, text) {
    const label = node.querySelector(".sfnd-mark");
    if (!label || label.textContent === text) return;
    label.textContent = text;
    const ground = node.querySelector(".sfnd-mark-ground");
    if (!ground) return;
    const width = text ? 10 + 7 * text.length : 0;
    const left = Math.min(node.corner - 8, node.corner + 22 - width); // outwards, as far as there is room
    ground.setAttribute("width", width);
    ground.setAttribute("x", left);
    label.setAttribute("x", left + width / 2);
  }

  updateEdges(taken) {
    const wanted = new Set(taken);
    for (const [id, edge] of this.edges) edge.classList.toggle("sfnd-taken", wanted.has(id));
  }

  // ---- zoom and scroll

  setZoom(zoom, around) {
    if (!this.svg) return;
    const before = this.zoom;
    this.zoom = Math.min(4, Math.max(0.08, zoom));
    const box = this.scroller.getBoundingClientRect();
    const [x, y] = around ? [around.clientX - box.left, around.clientY - box.top] : [box.width / 2, box.height / 2];
    const [left, top] = [this.scroller.scrollLeft + x, this.scroller.scrollTop + y];
    this.svg.setAttribute("width", this.size[0] * this.zoom);
    this.svg.setAttribute("height", this.size[1] * this.zoom);
    const ratio = this.zoom / before;
    this.scroller.scrollTo(left * ratio - x, top * ratio - y);
  }

  scaleToFit() {
    const room = [this.scroller.clientWidth - 8, this.scroller.clientHeight - 8];
    return Math.min(room[0] / this.size[0], room[1] / this.size[1]);
  }

  fit() {
    if (this.svg) this.setZoom(Math.min(1, this.scaleToFit()));
  }

  /** Show all of a machine that stays readable so; of a larger one the part where the run is. */
  fitAtFirst() {
    const wide = (this.scroller.clientWidth - 8) / this.size[0];
    this.setZoom(Math.min(1, Math.max(this.scaleToFit(), Math.min(wide, 0.72), 0.5)));
    this.reveal(this.here || this.nodes.keys().next().value, false);
  }

  reveal(pointer, always) {
    const node = this.nodes.get(pointer);
    if (node) this.revealElement(node, always);
  }

  revealElement(node, always = false) {
    const box = this.scroller.getBoundingClientRect();
    const at = node.getBoundingClientRect();
    if (!box.width || !at.width) return;
    const inside = at.left >= box.left && at.right <= box.right && at.top >= box.top && at.bottom <= box.bottom;
    if (inside && !always) return;
    this.scroller.scrollTo(this.scroller.scrollLeft + at.left + at.width / 2 - box.left - box.width / 2,
      this.scroller.scrollTop + at.top + at.height / 2 - box.top - box.height / 2);
  }
}
