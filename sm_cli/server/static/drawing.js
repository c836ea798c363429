// A workflow's drawing, without an execution: choosing a state finds it in the text.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("graph");
  if (!place) return; // a text that cannot be read has no drawing
  const picture = smGraph.draw(place, JSON.parse(document.getElementById("graph-data").textContent));
  smGraph.zoomable(place, picture, document.querySelectorAll("[data-zoom]"));
  smGraph.onChoose(place, (key) => {
    smGraph.choose(picture, key);
    const search = document.querySelector("[data-json-search]");
    search.value = picture.nodes.get(key).node.name;
    search.dispatchEvent(new Event("input", { bubbles: true }));
  });
});
