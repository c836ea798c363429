// Draws a workflow: dagre places the states of one machine at a time. No way leads out of a machine, so the machines
// inside a Parallel or Map are laid out first and stand in the outer one as a box of their size.
"use strict";
const smGraph = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const GAP = 18, HEAD = 40, TITLE = 20, PAD = 16;
  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent?.append(element);
    return element;
  };
  const canvas = document.createElement("canvas").getContext("2d");
  function measure(text, font) {
    canvas.font = `${font} system-ui, sans-serif`;
    return canvas.measureText(text).width * 1.04;
  }
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  // -- layout: sizes from the inside out -----------------------------------------------------------------------------
  function layout(machine, isRoot) {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "TB", nodesep: 30, edgesep: 18, ranksep: 34, marginx: 4, marginy: 4 });
    graph.setDefaultEdgeLabel(() => ({}));
    const boxes = new Map();
    for (const node of machine.nodes) {
      const box = sizeOf(node);
      boxes.set(node.name, box);
      graph.setNode(`s:${node.name}`, { width: box.width, height: box.height });
    }
    const edges = [];
    for (const [source, target, kind, label] of machine.edges) {
      const last = edges.find((e) => e.source === source && e.target === target && e.kind === kind);
      if (last && kind !== "next") last.labels.push(label);
      else edges.push({ source, target, kind, labels: label ? [label] : [] });
    }
    edges.forEach((edge, i) => {
      edge.text = cut(edge.labels.join(" or "), 38);
      const width = edge.text ? measure(edge.text, "11px") + 8 : 0;
      graph.setEdge(`s:${edge.source}`, `s:${edge.target}`, { width, height: edge.text ? 16 : 0, labelpos: "c", weight: edge.kind === "next" ? 3 : 1 }, String(i));
    });
    if (isRoot && machine.start !== null) {
      graph.setNode("start", { width: 54, height: 26 });
      if (graph.hasNode(`s:${machine.start}`)) graph.setEdge("start", `s:${machine.start}`, { weight: 3 }, "start");
      const ends = machine.nodes.filter((node) => node.ends);
      if (ends.length) graph.setNode("end", { width: 54, height: 26 });
      ends.forEach((node, i) => graph.setEdge(`s:${node.name}`, "end", { weight: 1 }, `end${i}`));
    }
    dagre.layout(graph);
    const size = graph.graph();
    return { machine, graph, boxes, edges, width: Math.max(size.width || 0, 60), height: Math.max(size.height || 0, 30) };
  }
  function sizeOf(node) {
    const name = cut(node.name, 40), detail = cut(node.detail, 44);
    const width = Math.max(112, measure(name, "600 13px") + 30, measure(detail, "11.5px") + 30, measure(node.type.toUpperCase(), "600 10.5px") + 56);
    if (!node.groups.length) return { name, detail, width, height: detail ? 60 : 44, groups: [] };
    const groups = node.groups.map((group) => layout(group, false));
    const titles = groups.map((group) => measure(cut(group.machine.title, 44), "600 11px") + 24);
    const widths = groups.map((group, i) => Math.max(group.width + 2 * PAD, titles[i]));
    const inner = widths.reduce((sum, each) => sum + each, 0) + GAP * (groups.length - 1);
    const height = Math.max(...groups.map((group) => group.height)) + TITLE + 2 * PAD;
    return { name, detail, width: Math.max(width, inner + 2 * PAD), height: HEAD + height + PAD, groups, widths, inner, inside: height };
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------
  function draw(place, drawing) {
    const plan = layout(drawing, true);
    const svg = make("svg", { width: plan.width + 8, height: plan.height + 8, viewBox: `-4 -4 ${plan.width + 8} ${plan.height + 8}`, role: "group" });
    const defs = make("defs", {}, svg);
    for (const kind of ["", " taken"]) {
      const marker = make("marker", { id: `arrow${kind.trim()}`, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: kind ? 6 : 8, markerHeight: kind ? 6 : 8, orient: "auto-start-reverse" }, defs);
      make("path", { d: "M0 0.8 9.5 5 0 9.2z", class: `g-arrow${kind}` }, marker);
    }
    const picture = { svg, nodes: new Map(), edges: [], width: plan.width + 8, height: plan.height + 8 };
    drawMachine(svg, plan, 0, 0, picture);
    place.replaceChildren(svg);
    return picture;
  }
  function drawMachine(parent, plan, left, top, picture) {
    const { graph, machine } = plan;
    const layer = make("g", { transform: `translate(${left} ${top})` }, parent);
    for (const { v, w, name } of graph.edges()) {
      const edge = plan.edges[Number(name)];
      const at = graph.edge({ v, w, name });
      const g = make("g", { class: `g-edge ${edge?.kind ?? "next"}` }, layer);
      make("path", { d: curve(at.points), "marker-end": "url(#arrow)" }, g);
      if (edge?.text) {
        make("rect", { x: at.x - at.width / 2, y: at.y - 8, width: at.width, height: 16, rx: 4, class: "g-label-back" }, g);
        const label = make("text", { x: at.x, y: at.y + 4, "text-anchor": "middle", class: "g-label" }, g, edge.text);
        make("title", {}, label, edge.labels.join(" or "));
      }
      const source = v.startsWith("s:") ? machine.nodes.find((node) => `s:${node.name}` === v) : null;
      const isEnd = w === "end", isStart = v === "start";
      picture.edges.push({ g, from: source?.key ?? null, to: isEnd || isStart ? null : w.slice(2), isEnd, isStart });
    }
    for (const name of ["start", "end"]) {
      if (!graph.hasNode(name)) continue;
      const at = graph.node(name);
      make("rect", { x: at.x - 27, y: at.y - 13, width: 54, height: 26, rx: 13, class: "g-end" }, layer);
      make("text", { x: at.x, y: at.y + 4, "text-anchor": "middle", class: "g-end-text" }, layer, name === "start" ? "Start" : "End");
    }
    for (const node of machine.nodes) drawNode(layer, node, plan.boxes.get(node.name), graph.node(`s:${node.name}`), picture);
  }
  function drawNode(layer, node, box, at, picture) {
    const isGroup = box.groups.length > 0;
    const g = make("g", { class: `g-node${isGroup ? " group" : ""}${node.missing ? " missing" : ""}`, transform: `translate(${at.x - box.width / 2} ${at.y - box.height / 2})`, tabindex: "0", role: "button", "data-key": node.key, "aria-label": `${node.name}, ${node.type || "no state of this name"}` }, layer);
    make("rect", { width: box.width, height: box.height, rx: isGroup ? 12 : 9 }, g);
    make("text", { x: 14, y: 16, class: "g-type" }, g, node.type || "missing");
    const name = make("text", { x: 14, y: 33, class: "g-name" }, g, box.name);
    make("title", {}, name, node.name);
    if (box.detail && !isGroup) make("text", { x: 14, y: 50, class: "g-detail" }, g, box.detail);
    picture.nodes.set(node.key, { g, box, node });
    if (!isGroup) return;
    let x = (box.width - box.inner) / 2;
    box.groups.forEach((group, i) => {
      const width = box.widths[i];
      make("rect", { x, y: HEAD + 2, width, height: box.inside, rx: 9, class: "g-lane" }, g);
      make("text", { x: x + 11, y: HEAD + 18, class: "g-title" }, g, cut(group.machine.title, 44));
      // What is inside is no part of the button: it stands beside it in the layer.
      const inner = make("g", { transform: `translate(${at.x - box.width / 2} ${at.y - box.height / 2})` }, layer);
      drawMachine(inner, group, x + (width - group.width) / 2, HEAD + TITLE + PAD / 2, picture);
      x += width + GAP;
    });
  }
  function curve(points) {
    if (points.length < 3) return `M${points.map((p) => `${p.x} ${p.y}`).join("L")}`;
    let d = `M${points[0].x} ${points[0].y}`;
    for (let i = 1; i < points.length - 1; i += 1) {
      const here = points[i], next = points[i + 1];
      const end = i === points.length - 2 ? next : { x: (here.x + next.x) / 2, y: (here.y + next.y) / 2 };
      d += `Q${here.x} ${here.y} ${end.x} ${end.y}`;
    }
    return d;
  }

  // -- marks -------------------------------------------------------------------------------------------------------------
  function mark(picture, marks) {
    const statuses = /\bs-[a-z_]+\b/g;
    for (const [key, { g, box, node }] of picture.nodes) {
      const at = marks.states[key];
      g.setAttribute("class", g.getAttribute("class").replace(statuses, "").replace(/\bmarked\b/, "").trim() + (at ? ` marked s-${at.status.toLowerCase()}` : ""));
      g.setAttribute("aria-label", `${node.name}, ${node.type}${at ? `, ${at.status}${at.count > 1 ? `, ${at.count} visits` : ""}` : ""}`);
      g.querySelector(":scope > .g-badge")?.remove();
      if (at && (at.count > 1 || at.retries)) {
        const parts = [];
        if (at.count > 1) parts.push(`×${at.count.toLocaleString("en")}`);
        if (at.failed && at.count > 1) parts.push(`${at.failed} ✕`);
        if (at.retries) parts.push(`↻${at.retries}`);
        const text = parts.join("  ");
        const width = measure(text, "700 10.5px") + 13;
        const badge = make("g", { class: "g-badge", transform: `translate(${box.width - width + 6} -8)` }, g);
        make("rect", { width, height: 17, rx: 8.5 }, badge);
        make("text", { x: width / 2, y: 12.5, "text-anchor": "middle" }, badge, text);
      }
    }
    const ways = new Set(marks.ways.map(([from, to]) => `${from}\n${to}`));
    for (const edge of picture.edges) {
      const taken = edge.isStart ? Object.keys(marks.states).length > 0
        : edge.isEnd ? marks.status === "SUCCEEDED" && marks.last === edge.from
        : ways.has(`${edge.from}\n${edge.to}`);
      edge.g.classList.toggle("taken", taken);
      edge.g.querySelector("path").setAttribute("marker-end", taken ? "url(#arrowtaken)" : "url(#arrow)");
    }
  }

  // -- size: `fit` shows all of it, as long as it can be read -----------------------------------------------------------------
  function zoomable(place, picture, buttons) {
    let scale = 1;
    const apply = (wanted) => {
      scale = Math.min(2.5, Math.max(0.2, wanted));
      picture.svg.setAttribute("width", picture.width * scale);
      picture.svg.setAttribute("height", picture.height * scale);
    };
    const fit = () => {
      const room = place.clientWidth - 30;
      apply(Math.max(0.66, Math.min(1, room / picture.width, Math.max(420, window.innerHeight * 0.68) / picture.height)));
    };
    for (const button of buttons) {
      button.addEventListener("click", () => {
        const kind = button.dataset.zoom;
        if (kind === "fit") fit();
        else apply(scale * (kind === "in" ? 1.2 : 1 / 1.2));
      });
    }
    fit();
  }
  function choose(picture, key) {
    for (const [each, { g }] of picture.nodes) g.classList.toggle("chosen", each === key);
  }
  function onChoose(place, act) {
    const pick = (event) => {
      const node = event.target.closest(".g-node");
      if (node) act(node.dataset.key);
      return node;
    };
    place.addEventListener("click", pick);
    place.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && pick(event)) event.preventDefault();
    });
  }
  return { draw, mark, zoomable, choose, onChoose };
})();
