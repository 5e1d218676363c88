// The scrubber: all events as a band of state names with ticks for errors and retries; a hand or the keys travel on it.

class Scrubber {
  constructor(travel) {
    this.travel = travel;
    this.bar = h("div", { class: "sfnd-pieces", "aria-hidden": "true" });
    this.marks = h("div", { class: "sfnd-ticks", "aria-hidden": "true" });
    this.thumb = h("div", { class: "sfnd-thumb", "aria-hidden": "true" });
    this.bubble = h("div", { class: "sfnd-bubble", "aria-hidden": "true", hidden: true });
    this.slider = h("div", { class: "sfnd-slider", role: "slider", tabindex: "0", "aria-label": "event", "aria-orientation": "horizontal", "aria-valuemin": "1" }, this.bar, this.marks, this.thumb, this.bubble);
    this.element = h("div", { class: "sfnd-scrub" }, this.slider);
    this.length = 1;
    this.at = 1;
    this.listen();
  }

  /** Events 1..n lie at the middles of n equal pieces. */
  place(event) { return `${((event - 0.5) / this.length) * 100}%`; }

  draw(track) {
    if (!track || !track.segments) return;
    this.track = track;
    this.length = Math.max(1, track.length);
    let shade = 0;
    const pieces = track.segments.map(([first, name], at) => {
      const end = at + 1 < track.segments.length ? track.segments[at + 1][0] : this.length + 1;
      const share = (end - first) / this.length;
      if (name) shade = 1 - shade;
      return h("div", { class: `sfnd-piece${name ? ` sfnd-shade-${shade}` : ""}`, style: `left:${((first - 1) / this.length) * 100}%;width:${share * 100}%`, title: visible(name) }, share > 0.05 ? h("bdi", { text: visible(name) }) : "");
    });
    this.bar.replaceChildren(...pieces);
    this.marks.replaceChildren(...track.ticks.map(([event, kind, name]) => h("span", { class: `sfnd-tick sfnd-tick-${kind}`, style: `left:${this.place(event)}`, title: visible(name), text: kind === "error" ? "✖" : "↻" })));
    this.slider.setAttribute("aria-valuemax", String(this.length));
    this.show(this.at);
  }

  nameAt(event) {
    let name = "";
    for (const [first, one] of (this.track && this.track.segments) || []) { if (first > event) break; name = one; }
    return name;
  }

  show(event, view) {
    this.at = event;
    this.thumb.style.left = this.place(event);
    this.slider.setAttribute("aria-valuenow", String(event));
    this.slider.setAttribute("aria-valuetext", visible(`event ${event} of ${this.length}${view && view.event ? `, ${view.event}` : ""}${this.nameAt(event) ? `, ${this.nameAt(event)}` : ""}`));
  }

  eventAt(clientX) {
    const box = this.slider.getBoundingClientRect();
    return Math.max(1, Math.min(this.length, Math.ceil(((clientX - box.left) / box.width) * this.length)));
  }

  listen() {
    const drag = (event) => {
      const to = this.eventAt(event.clientX);
      this.bubble.hidden = false;
      this.bubble.textContent = visible(`${to} ${this.nameAt(to)}`);
      this.bubble.style.left = this.place(to);
      return to;
    };
    this.slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.slider.setPointerCapture(event.pointerId);
      this.held = true;
      const to = drag(event);
      if (to !== this.at) this.travel(to);
    });
    this.slider.addEventListener("pointermove", (event) => {
      const to = drag(event);
      if (this.held && to !== this.at) this.travel(to);
    });
    const end = () => { this.held = false; this.bubble.hidden = true; };
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) this.slider.addEventListener(name, (event) => { if (name !== "pointerleave" || !this.held) end(event); });
    this.slider.addEventListener("keydown", (event) => {
      const page = Math.max(1, Math.round(this.length / 10));
      const to = { ArrowRight: this.at + 1, ArrowUp: this.at + 1, ArrowLeft: this.at - 1, ArrowDown: this.at - 1, PageUp: this.at + page, PageDown: this.at - page, Home: 1, End: this.length }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.travel(Math.max(1, Math.min(this.length, to)));
    });
  }
}
