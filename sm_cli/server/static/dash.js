// What every page of the dashboard does: follow what happens, write times, check, copy and search JSON.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- live: one connection, open only while the page can be seen; a browser has six for each server ----------------
  const button = document.querySelector("[data-live-switch]");
  const address = document.body.dataset.live;
  let source = null;
  // The server says at most once a second that something was written. What costs it more to answer asks for less: its
  // event comes once in a while, and never goes missing.
  const PAUSE = 3000;
  let slow = null;
  document.body.addEventListener("commit", () => {
    slow ??= setTimeout(() => {
      slow = null;
      htmx.trigger(document.body, "slow-commit");
    }, PAUSE);
  });
  const isWanted = () => address && !document.hidden && button.getAttribute("aria-pressed") === "true";
  function follow() {
    if (!isWanted()) {
      source?.close();
      source = null;
    } else if (!source) {
      source = new EventSource(address);
      source.addEventListener("commit", () => htmx.trigger(document.body, "commit"));
      source.onopen = () => button.classList.remove("lost");
      source.onerror = () => {
        button.classList.add("lost");
        if (source && source.readyState === EventSource.CLOSED) {
          source = null;
          setTimeout(follow, 3000);
        }
      };
    }
  }
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    button.querySelector("[data-live-text]").textContent = on ? "Live" : "Paused";
    follow();
    if (on) htmx.trigger(document.body, "commit");
  });
  document.addEventListener("visibilitychange", () => {
    follow();
    if (isWanted()) htmx.trigger(document.body, "commit");
  });
  window.addEventListener("pagehide", () => source?.close());
  follow();
  // What no commit tells of: workers that come and go, and time that passes.
  setInterval(() => isWanted() && htmx.trigger(document.body, "commit"), 10000);

  // Where the menu does not fit, the section that is open can be seen.
  const menu = document.querySelector(".side nav");
  const here = menu?.querySelector("[aria-current]");
  const showHere = () => here && (menu.scrollLeft = here.offsetLeft - menu.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2);
  window.addEventListener("resize", showHere);
  showHere();

  // -- times, in the time zone of who reads --------------------------------------------------------------------------
  const two = (number) => String(number).padStart(2, "0");
  function writeTimes(root) {
    const today = new Date().toDateString();
    for (const time of all("time[datetime]", root)) {
      const at = new Date(time.getAttribute("datetime"));
      if (Number.isNaN(at.getTime())) continue;
      const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
      const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
      const text = at.toDateString() === today && !time.dataset.whole ? clock : `${day} ${clock}`;
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // -- JSON: colours, search, copies ----------------------------------------------------------------------------------
  const MOST = 120000;
  const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
  function colour(code) {
    const text = code.textContent;
    if (text.length > MOST) return;
    const parts = document.createDocumentFragment();
    let end = 0;
    for (const match of text.matchAll(TOKEN)) {
      parts.append(text.slice(end, match.index));
      const span = document.createElement("span");
      span.className = match[1] ? (match[2] ? "j-key" : "j-text") : match[3] ? "j-number" : "j-word";
      span.textContent = match[1] ?? match[0];
      parts.append(span, match[2] ?? "");
      end = match.index + match[0].length;
    }
    parts.append(text.slice(end));
    code.replaceChildren(parts);
  }
  function search(figure, wanted) {
    const code = figure.querySelector("code");
    const hits = figure.querySelector("[data-json-hits]");
    const text = code.textContent;
    code.textContent = text;
    if (!wanted) {
      hits.textContent = "";
      colour(code);
      return;
    }
    const parts = document.createDocumentFragment();
    const lower = text.toLowerCase();
    let from = 0;
    let count = 0;
    for (let at = lower.indexOf(wanted); at >= 0 && count < 2000; at = lower.indexOf(wanted, from)) {
      const mark = document.createElement("mark");
      mark.textContent = text.slice(at, at + wanted.length);
      parts.append(text.slice(from, at), mark);
      from = at + wanted.length;
      count += 1;
    }
    parts.append(text.slice(from));
    code.replaceChildren(parts);
    hits.textContent = count === 1 ? "1 place" : `${count} places`;
    code.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }
  async function copy(text, from) {
    try {
      await navigator.clipboard.writeText(text);
      from.classList.add("done");
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const label = from.getAttribute("title");
    from.setAttribute("title", "Copied");
    const heard = document.getElementById("heard"); // who does not see the title change is told
    heard.textContent = "";
    setTimeout(() => { heard.textContent = "Copied"; }, 50);
    setTimeout(() => from.setAttribute("title", label ?? ""), 1500);
  }
  function checkJson(area) {
    const problem = area.closest("form").querySelector("[data-problem]");
    let message = "";
    try {
      if (area.value.trim()) JSON.parse(area.value);
    } catch (error) {
      message = `This is not JSON: ${error.message}`;
    }
    if (problem) problem.textContent = message;
    area.setAttribute("aria-invalid", String(Boolean(message)));
    area.setCustomValidity(message);
  }

  document.addEventListener("click", async (event) => {
    const target = event.target.closest("[data-copy], [data-json-copy], [data-dismiss]");
    if (!target) return;
    if (target.matches("[data-copy]")) copy(target.dataset.copy, target);
    else if (target.matches("[data-dismiss]")) target.closest("[data-notice]").remove();
    else {
      const text = target.dataset.address
        ? await (await fetch(target.dataset.address)).text()
        : target.closest("[data-json]").querySelector("code").textContent;
      copy(text, target);
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-json-search]")) {
      search(event.target.closest("[data-json]"), event.target.value.toLowerCase());
    } else if (event.target.matches("[data-check-json]")) checkJson(event.target);
  });

  const prepare = (root) => {
    writeTimes(root);
    all("[data-json] code", root).forEach((code) => {
      const wanted = code.closest("[data-json]").querySelector("[data-json-search]")?.value.toLowerCase();
      if (!code.firstElementChild) wanted ? search(code.closest("[data-json]"), wanted) : colour(code);
    });
  };
  document.addEventListener("DOMContentLoaded", () => prepare(document));
  document.body.addEventListener("htmx:afterSettle", (event) => prepare(event.target));
  document.body.addEventListener("htmx:afterSwap", (event) => prepare(event.target));
  // A good notice goes by itself; one that says what is wrong stays.
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "notices") return;
    const last = event.target.lastElementChild;
    if (last?.classList.contains("good")) setTimeout(() => last.remove(), 12000);
    event.detail.requestConfig?.elt?.closest?.("details.act")?.removeAttribute("open");
  });
  // Morphing keeps what a person did: what is chosen, open or typed.
  document.addEventListener("DOMContentLoaded", () => {
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
      !(name === "checked" || name === "value" || (name === "open" && node.tagName === "DETAILS"));
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const busy = document.activeElement?.closest?.("details.act[open]");
    if (busy && event.detail.target.contains(busy) && !event.detail.requestConfig.elt.closest("form")) {
      event.detail.shouldSwap = false;
    }
  });
})();
