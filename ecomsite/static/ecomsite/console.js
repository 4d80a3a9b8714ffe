// Keeps an element that names its address in data-refresh up to date: fetched, swapped in, every data-every seconds.
// Stops while the tab is hidden, and when the answer says that nothing will change any more (data-done inside it).
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll("[data-refresh]")) {
    const every = 1000 * (Number(place.dataset.every) || 5);
    const lost = place.parentElement.querySelector("[data-lost]");
    let failures = 0;
    const turn = async () => {
      if (document.hidden || place.contains(document.activeElement) && document.activeElement.matches("input, textarea")) {
        setTimeout(turn, every);
        return;
      }
      try {
        const answer = await fetch(place.dataset.refresh, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
        if (!answer.ok) throw new Error(answer.status);
        const html = await answer.text();
        if (html !== place.dataset.last) {
          place.innerHTML = html; // our own server's template, escaped there
          place.dataset.last = html;
          document.dispatchEvent(new Event("es:drawn"));
        }
        failures = 0;
      } catch {
        failures += 1;
      }
      if (lost) lost.hidden = failures < 2;
      if (!place.querySelector("[data-done]")) setTimeout(turn, every * Math.min(1 + failures, 6));
    };
    setTimeout(turn, every);
  }

  // What scrolls can be reached by keyboard; what fits is no stop on the way.
  const reach = () => {
    for (const box of document.querySelectorAll(".es-scroll, .es-text, .es-timeline")) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  reach();
  window.addEventListener("resize", reach);
  document.addEventListener("es:drawn", reach);
});
