// Throughput and durations over time. Colours are those of the page; a screen reader has the table below.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const series = JSON.parse(document.getElementById("series").textContent);
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const span = (seconds) => {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 60) return `${seconds.toFixed(1)} s`;
    return seconds < 3600 ? `${(seconds / 60).toFixed(1)} m` : `${(seconds / 3600).toFixed(1)} h`;
  };
  const two = (number) => String(number).padStart(2, "0");
  // A time of day; where the day changes, and at the first, the day.
  const times = (_, ticks) => ticks.map((tick, i) => {
    const at = new Date(tick * 1000), before = i ? new Date(ticks[i - 1] * 1000) : null;
    const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`, clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
    if (before && before.getDate() === at.getDate()) return clock;
    return at.getHours() || at.getMinutes() ? `${clock}\n${day}` : day;
  });
  const axis = (more) => ({ stroke: colour("--muted"), grid: { stroke: colour("--border"), width: 1 }, ticks: { stroke: colour("--border"), width: 1 }, font: "11px system-ui", ...more });
  function chart(id, columns, lines, values) {
    const place = document.getElementById(id);
    place.replaceChildren();
    if (!series.hours.length) {
      const nothing = document.createElement("p");
      nothing.className = "empty";
      nothing.textContent = "No execution in this time.";
      place.append(nothing);
      return;
    }
    const size = () => ({ width: Math.max(240, place.clientWidth - 16), height: 250 });
    const plot = new uPlot({
      ...size(),
      cursor: { drag: { x: true, y: false } },
      legend: { live: true },
      scales: { x: { time: true, range: () => [series.hours[0] - 1800, series.hours.at(-1) + 5400] }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [axis({ values: times }), axis({ size: 62, values: (_, ticks) => ticks.map(values) })],
      series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...lines],
    }, [series.hours, ...columns.map((name) => series[name])], place);
    charts.push({ plot, size });
  }
  function draw() {
    charts.splice(0).forEach(({ plot }) => plot.destroy());
    const bars = uPlot.paths.bars({ size: [0.8, 60], align: 1 });
    const points = { show: series.hours.length < 60, size: 6 };
    chart("throughput", ["started", "failed"], [
      { label: "started", stroke: colour("--accent"), fill: colour("--accent-soft"), width: 1.5, paths: bars, points: { show: false } },
      { label: "failed", stroke: colour("--bad"), fill: colour("--bad-soft"), width: 1.5, paths: bars, points: { show: false } },
    ], (value) => value.toLocaleString("en"));
    chart("durations", ["p50", "p95", "p99"], [["p50", "--good"], ["p95", "--warn"], ["p99", "--bad"]].map(([label, name]) => (
      { label, stroke: colour(name), width: 2, points: { ...points, fill: colour(name) }, value: (_, value) => span(value), spanGaps: true }
    )), span);
  }
  draw();
  window.addEventListener("resize", () => charts.forEach(({ plot, size }) => plot.setSize(size())));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
});
