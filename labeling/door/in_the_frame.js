// Runs in Label Studio's labelling page, which the door puts it into, when that stands in a frame of the review page. It
// tells the page around it that an answer was sent and which of its keys were pressed, and keeps a key that ticks from
// un-ticking. It decides nothing: what was answered our server hears from Label Studio.
"use strict";
(() => {
  if (window.parent === window) return;
  const tell = (message) => window.parent.postMessage(message, "*"); // no secrets: that something happened, not what

  // --- An answer was sent --------------------------------------------------------------------------------------------
  const ANSWER = /\/(api\/tasks\/\d+\/annotations|api\/annotations\/\d+|door\/tasks\/\d+\/answer)\/?(\?|$)/;
  const ask = window.fetch;
  window.fetch = async (...args) => {
    const answer = await ask(...args);
    const [target, options] = args;
    const method = (options?.method || target.method || "GET").toUpperCase();
    if (answer.ok && /^(POST|PATCH|PUT)$/.test(method) && ANSWER.test(target.url || String(target))) tell({ ecomsite: "answered" });
    return answer;
  };

  // --- Keys ----------------------------------------------------------------------------------------------------------
  const OURS = ["s", "b", "p", "?"];
  const isTyping = (element) => element?.isContentEditable || /^(input|textarea|select)$/i.test(element?.tagName || "") && !/^(checkbox|radio)$/.test(element.type);
  // The box that a key of the interface ticks: Label Studio writes the key behind each choice, as [q].
  const boxOf = (key) => {
    for (const mark of document.querySelectorAll("[class*=choice] sup")) {
      if (mark.textContent.trim().toLowerCase() !== `[${key}]`) continue;
      const box = mark.closest("[class*=choice]").querySelector("input[type=checkbox], input[type=radio]");
      if (box) return box;
    }
    return null;
  };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    if (boxOf(key)?.checked) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (OURS.includes(event.key)) {
      event.preventDefault();
      tell({ ecomsite: "key", key: event.key });
    }
  }, true);
})();
