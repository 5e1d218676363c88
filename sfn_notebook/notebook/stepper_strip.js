// The strip of a Map: a square for each item or child execution; the squares stay, only their marks change.

const LETTERS = { S: ["succeeded", "✔"], F: ["failed", "✖"], A: ["aborted", "■"], T: ["timed out", "✖"], R: ["running", "▶"], ".": ["not started", "◌"] };

class Strip {
  /** `choose({visit, name, children, index})` is called for a click on a square, `leave()` to go back from a child execution. */
  constructor(choose, leave) {
    this.choose = choose;
    this.leave = h("button", { type: "button", class: "sfnd-button", "data-keep": "leave-child", title: "go back to the run that this child execution belongs to", text: "↩ the whole run", onclick: leave });
    this.element = h("div", { class: "sfnd-strip" });
    this.key = null;
  }

  update(map, inChild) {
    this.map = map;
    this.leave.hidden = !inChild;
    if (!map) { this.element.replaceChildren(); this.key = null; return; }
    const key = `${map.name} ${map.visit} ${map.items.length}`;
    if (this.key !== key) this.build(map);
    this.key = key;
    this.write(map);
    this.point(map.current);
  }

  build(map) {
    this.cells = [...map.items].map((_letter, at) => h("button", { type: "button", role: "gridcell", class: "sfnd-cell", tabindex: at ? "-1" : "0", "data-index": at }));
    this.letters = [];
    this.now = -1;
    const grid = h("div", { class: "sfnd-cells", role: "grid", "aria-label": visible(`${map.children ? "child executions" : "iterations"} of ${map.name}`) }, h("div", { role: "row" }, ...this.cells));
    grid.addEventListener("click", (event) => {
      const cell = event.target.closest(".sfnd-cell");
      if (!cell) return;
      const { visit, name, children } = this.map;
      this.choose({ visit, name, children, index: Number(cell.dataset.index) });
    });
    grid.addEventListener("keydown", (event) => this.walk(event));
    this.counts = h("div", { class: "sfnd-counts" });
    this.element.replaceChildren(h("div", { class: "sfnd-form" }, this.counts, this.leave), grid);
  }

  walk(event) {
    const at = this.cells.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + this.perRow(), ArrowUp: at - this.perRow(), Home: 0, End: this.cells.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.cells[Math.max(0, Math.min(this.cells.length - 1, to))];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  perRow() {
    const top = this.cells[0].offsetTop;
    const at = this.cells.findIndex((cell) => cell.offsetTop > top);
    return at < 1 ? this.cells.length : at;
  }

  write(map) {
    const noun = map.children ? "child" : "item";
    const counts = {};
    for (let at = 0; at < map.items.length; at += 1) {
      const letter = map.items[at];
      counts[letter] = (counts[letter] || 0) + 1;
      if (this.letters[at] === letter) continue;
      this.letters[at] = letter;
      const [word, mark] = LETTERS[letter] || LETTERS.R;
      this.cells[at].className = `sfnd-cell sfnd-s-${word.replace(" ", "-")}`;
      this.cells[at].textContent = mark;
      this.cells[at].setAttribute("aria-label", `${noun} ${at}, ${word}`);
      this.cells[at].title = `${noun} ${at}: ${word}; click to ${map.children ? "look into its history" : "follow it"}`;
    }
    const words = Object.entries(counts).map(([letter, count]) => `${(LETTERS[letter] || LETTERS.R)[1]} ${count} ${(LETTERS[letter] || LETTERS.R)[0]}`);
    this.counts.textContent = visible(`${map.name}: ${map.total} ${map.total === 1 ? noun : map.children ? "children" : "items"} · ${words.join(" · ")}${map.items.length < map.total ? " (the first are shown)" : ""}`);
  }

  /** Mark the square of the item that is looked at, and scroll to it. */
  point(current) {
    if (this.now === current) return;
    if (this.cells[this.now]) this.cells[this.now].removeAttribute("aria-current");
    this.now = current;
    const cell = this.cells[current];
    if (!cell) return;
    cell.setAttribute("aria-current", "true");
    requestAnimationFrame(() => bringIntoView(cell));
  }
}

/** Scroll a square into its strip, and nothing else: the page stays where it is. */
function bringIntoView(cell) {
  const strip = cell.closest(".sfnd-cells");
  if (!strip) return;
  const [box, at] = [strip.getBoundingClientRect(), cell.getBoundingClientRect()];
  if (at.top < box.top || at.bottom > box.bottom) strip.scrollTop += at.top - box.top - (box.height - at.height) / 2;
}
