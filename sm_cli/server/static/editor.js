// The editor: CodeMirror in a shadow root, which takes its styles as sheets and not as elements that the page's policy
// forbids; after a pause the server says what is wrong with the text and how it is drawn.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const { EditorState, EditorView, HighlightStyle, tags } = CodeMirror;
  const area = document.querySelector("textarea[name=text]");
  const place = document.getElementById("editor");
  const graph = document.getElementById("graph");
  const list = document.getElementById("problems");
  const verdict = document.getElementById("verdict");
  const root = place.attachShadow({ mode: "open" });
  const colours = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
    { tag: tags.string, color: "var(--code-text)" },
    { tag: tags.number, color: "var(--code-number)" },
    { tag: [tags.bool, tags.null, tags.keyword], color: "var(--code-word)" },
    { tag: tags.comment, color: "var(--muted)" },
  ]);
  const look = EditorView.theme({
    "&": { height: "62vh", fontSize: "13px", color: "var(--text)", backgroundColor: "var(--surface)" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
    ".cm-content": { caretColor: "var(--text)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)", borderRight: "1px solid var(--border)" },
    ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent-soft) 45%, transparent)" },
    ".cm-activeLineGutter": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
    "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
    ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--border)", borderRadius: "8px", maxWidth: "520px" },
    ".cm-diagnostic": { padding: "6px 10px", fontFamily: "var(--sans)", fontSize: "13px" },
    ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", color: "var(--muted)", border: "1px solid var(--border)" },
    ".cm-matchingBracket": { backgroundColor: "var(--accent-soft) !important" },
  });
  const language = () => (/^\s*[{[]/.test(area.value) ? CodeMirror.json() : CodeMirror.yaml());
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        CodeMirror.lineNumbers(), CodeMirror.foldGutter(), CodeMirror.history(), CodeMirror.drawSelection(),
        CodeMirror.highlightSpecialChars(), CodeMirror.highlightActiveLine(), CodeMirror.highlightActiveLineGutter(),
        CodeMirror.bracketMatching(), CodeMirror.indentOnInput(), CodeMirror.search({ top: true }), CodeMirror.highlightSelectionMatches(),
        CodeMirror.syntaxHighlighting(colours), CodeMirror.lintGutter(), look, language(),
        EditorView.contentAttributes.of({ "aria-label": "Definition, JSON or YAML" }),
        CodeMirror.linter(check, { delay: 350 }),
        CodeMirror.keymap.of([...CodeMirror.defaultKeymap, ...CodeMirror.historyKeymap, ...CodeMirror.foldKeymap, ...CodeMirror.searchKeymap, ...CodeMirror.lintKeymap]),
        EditorView.updateListener.of((update) => { if (update.docChanged) area.value = update.state.doc.toString(); }),
      ],
    }),
  });
  area.hidden = true;
  view.scrollDOM.tabIndex = 0;

  async function check(view) {
    const doc = view.state.doc;
    const answer = await fetch("/check-definition", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ text: doc.toString() }),
    });
    if (!answer.ok) {
      verdict.textContent = `The server does not answer (${answer.status}).`;
      return [];
    }
    const { problems, drawing } = await answer.json();
    tell(problems);
    if (drawing) draw(drawing);
    return problems.map((problem) => {
      const at = (line, column) => {
        const there = doc.line(Math.min(Math.max(1, line ?? 1), doc.lines));
        return Math.min(there.to, there.from + Math.max(0, (column ?? 1) - 1));
      };
      const from = at(problem.line, problem.column);
      const hint = problem.hint ? ` — ${problem.hint}` : "";
      return { from, to: Math.max(from, at(problem.end_line, problem.end_column)), severity: problem.severity, source: problem.code, message: problem.message + hint };
    });
  }
  function tell(problems) {
    const errors = problems.filter((each) => each.severity === "error").length;
    const others = problems.length - errors;
    const words = [errors && (errors === 1 ? "1 error" : `${errors} errors`), others && (others === 1 ? "1 warning" : `${others} warnings`)].filter(Boolean);
    verdict.textContent = words.length ? words.join(", ") : "valid";
    verdict.className = errors ? "problem" : "quiet";
    list.replaceChildren(...problems.slice(0, 50).map((problem) => {
      const item = document.createElement("li");
      item.className = problem.severity;
      const link = document.createElement("button");
      link.type = "button";
      link.className = "link";
      link.textContent = problem.line ? `${problem.code}, line ${problem.line}` : problem.code;
      link.addEventListener("click", () => {
        const line = view.state.doc.line(Math.min(problem.line ?? 1, view.state.doc.lines));
        view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
        view.focus();
      });
      item.append(link, ` ${problem.message}${problem.hint ? ` (${problem.hint})` : ""}`);
      return item;
    }));
  }
  let drawn = "", picture = null;
  function draw(drawing) {
    const text = JSON.stringify(drawing);
    if (text === drawn || !drawing.nodes.length) return;
    drawn = text;
    picture = smGraph.draw(graph, drawing);
    smGraph.zoomable(graph, picture, document.querySelectorAll("[data-zoom]"));
  }
  smGraph.onChoose(graph, (key) => {
    smGraph.choose(picture, key);
    const name = picture.nodes.get(key).node.name;
    const text = view.state.doc.toString();
    const at = [JSON.stringify(name), `${name}:`, name].map((each) => text.indexOf(each)).find((place) => place >= 0);
    if (at !== undefined) view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  });
});
