// A key that ticks does not un-tick: pressed twice, Label Studio's editor would take the answer back without a word. To
// un-tick there is the mouse, and the space bar on the box itself.
"use strict";
(() => {
  const writes = (element) => element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");
  // The box that a key of the interface ticks: Label Studio writes the key behind each choice, as [q].
  const boxOf = (key) => {
    for (const mark of document.querySelectorAll("sup")) {
      if (mark.textContent.trim().toLowerCase() !== `[${key}]`) continue;
      const box = mark.closest("label, [class*=choice__item]")?.querySelector("input[type=checkbox], input[type=radio]");
      if (box) return box;
    }
    return null;
  };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    if (!boxOf(event.key.toLowerCase())?.checked) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
})();
