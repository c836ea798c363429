// The page of one execution: marks on the graph, the chosen state, the timeline's folds.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("graph");
  const timeline = document.getElementById("timeline");
  let picture = null, chosen = null, visit = null, isFirst = true, asking = false, again = false;

  // -- the graph -------------------------------------------------------------------------------------------------------
  const rounds = document.querySelector("[data-round]");
  const round = () => Number(rounds?.value ?? 0);
  if (place) {
    picture = smGraph.draw(place, JSON.parse(document.getElementById("graph-data").textContent));
    smGraph.zoomable(place, picture, document.querySelectorAll("[data-zoom]"));
    smGraph.onChoose(place, (key) => show(key, null));
    rounds.addEventListener("change", () => { refresh(); if (chosen) show(chosen, null); });
    document.body.addEventListener("commit", refresh);
    refresh();
  }
  async function refresh() {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(`${place.dataset.marks}?round=${round()}`);
      if (answer.ok) mark(await answer.json());
    } finally {
      asking = false;
      if (again) { again = false; setTimeout(refresh, 250); }
    }
  }
  function mark(marks) {
    smGraph.mark(picture, marks);
    place.dataset.status = marks.status;
    rounds.closest("label").hidden = marks.rounds < 2;
    if (rounds.dataset.count !== String(marks.rounds)) { // the newest 500 are offered: their number says nothing
      rounds.dataset.count = marks.rounds;
      const value = rounds.value;
      const texts = Array.from({ length: Math.min(marks.rounds, 500) }, (_, i) => marks.rounds - i);
      rounds.replaceChildren(new Option("All rounds", "0"), ...texts.map((n) => new Option(`Round ${n} of ${marks.rounds}`, String(n))));
      rounds.value = value;
      if (rounds.selectedIndex < 0) rounds.value = "0"; // it has left the newest
    }
    if (isFirst) {
      isFirst = false;
      const order = ["RUNNING", "FAILED", "TIMED_OUT"];
      const states = Object.entries(marks.states).filter(([key]) => picture.nodes.has(key));
      states.sort(([a, x], [b, y]) => (order.indexOf(y.status) >= 0) - (order.indexOf(x.status) >= 0) || b.split("/").length - a.split("/").length);
      const first = states.length && order.includes(states[0][1].status) ? states[0][0] : marks.last;
      if (first && !chosen && !visit) show(first, null); // unless somebody was quicker
    } else if ((chosen || visit) && (marks.status === "RUNNING" || document.querySelector("[data-under-way]"))) {
      show(chosen, visit, "morph:innerHTML"); // also what was closed: it may have been redriven
    }
  }

  // -- the chosen state ----------------------------------------------------------------------------------------------------
  const inspector = document.getElementById("inspector");
  const base = `${location.pathname}/state`;
  function show(key, number, swap = "innerHTML") {
    chosen = key;
    visit = number;
    if (picture) smGraph.choose(picture, key);
    const query = new URLSearchParams({ pointer: key ?? "", visit: number ?? 0, round: round() });
    htmx.ajax("GET", `${base}?${query}`, { target: inspector, swap });
  }
  inspector.addEventListener("change", (event) => {
    if (event.target.matches("[data-visit-picker]")) show(chosen, event.target.value);
  });

  // -- the timeline: which rows are open is kept here, and each answer is made for that ------------------------------------------
  let opened = null;
  const more = new Map();
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== timeline || opened === null) return;
    const parameters = event.detail.parameters;
    parameters.folds = "1";
    parameters.open = [...opened];
    parameters.more = [...more].map(([key, count]) => `${key}:${count}`);
  });
  timeline.addEventListener("click", (event) => {
    const fold = event.target.closest("[data-fold]");
    const portion = event.target.closest("[data-more]");
    const state = event.target.closest("[data-visit]");
    if (state) { show(null, state.dataset.visit); return; }
    if (!fold && !portion) return;
    opened ??= new Set([...timeline.querySelectorAll("[data-fold][aria-expanded=true]")].map((each) => each.dataset.fold));
    if (portion) {
      const [, key, count] = portion.dataset.more.match(/^(.*):(\d+)$/);
      more.set(key, count);
    } else if (!opened.delete(fold.dataset.fold)) opened.add(fold.dataset.fold);
    htmx.trigger(timeline, "refold");
  });
});
