// What the door's page tells the page around it, for Label Studio's own page without the door: that an answer was sent, and
// which keys were pressed.
"use strict";
(() => {
  if (window.parent === window) return;
  const tell = (message) => window.parent.postMessage(message, "*");
  const ask = window.fetch;
  window.fetch = async (...args) => {
    const answer = await ask(...args);
    const [target, options] = args;
    const isAnswer = /\/api\/(tasks\/\d+\/annotations|annotations\/\d+)\/?(\?|$)/.test(target.url || String(target));
    if (answer.ok && isAnswer && /^(POST|PATCH|PUT)$/i.test(options?.method || target.method || "")) tell({ ecomsite: "answered" });
    return answer;
  };
  window.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");
    if (!writes && !event.ctrlKey && !event.metaKey && !event.altKey) tell({ ecomsite: "key", key: event.key });
  });
})();
