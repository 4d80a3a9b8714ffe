"use strict";
/* The page of one task: loads Label Studio's editor, shows the task, sends the answer, and tells the console.

   With the console that frames it, it speaks by postMessage, to that one address alone:
     to it     {ecomsite: "ready" | "answered" | "failed", task, skipped?, words?}, {ecomsite: "key", key}
     from it   {ecomsite: "shown"}    the person sees the task from now on: the clock of handling starts
               {ecomsite: "submit"}   as if Submit had been pressed */

(() => {
  // The pieces that the editor of Label Studio 1.23.2 is made of; a test compares them with what is installed.
  const CHUNKS = [594, 288, 358];
  const MODULE = 41607;

  const shown = JSON.parse(document.getElementById("door-shown").textContent);
  const note = document.getElementById("door-note");
  const main = document.getElementById("task");
  let startedAt = Date.now();
  let attempt = crypto.randomUUID();
  let isBusy = false;
  let editor = null;

  // What Label Studio's own pages set up before the editor is loaded.
  window.exports = () => {};
  window.APP_SETTINGS = {
    user: { id: shown.account },
    debug: false,
    hostname: location.origin,
    version: {},
    sentry_dsn: null,
    editor_keymap: {},
    feature_flags: shown.flags,
    feature_flags_default_value: true,
    collect_analytics: false,
    lookupHotkey: () => null,
  };

  function tell(message) {
    if (window.parent !== window) window.parent.postMessage({ task: shown.task, ...message }, shown.console);
  }

  function say(words, isAlarm = false) {
    note.textContent = words;
    note.hidden = !words;
    note.setAttribute("role", isAlarm ? "alert" : "status");
  }

  function script(src) {
    return new Promise((done, failed) => {
      const element = document.createElement("script");
      Object.assign(element, { src, onload: done, onerror: failed });
      document.head.append(element);
    });
  }

  async function load() {
    const chunks = self.webpackChunklabelstudio;
    const push = chunks.push;
    // What the editor shares with the rest of Label Studio is in main.js: its pieces are taken, and the rest is not started.
    chunks.push = ([ids, pieces]) => push([ids, pieces]);
    await script("/react-app/main.js");
    chunks.push = push;
    const require = await new Promise((found) => push([["ecomsite-door"], {}, found]));
    await Promise.all(CHUNKS.map((chunk) => require.e(chunk)));
    require(MODULE);
    if (typeof window.LabelStudio !== "function") throw new Error("no editor");
  }

  function start() {
    const given = shown.earlier ? [{ result: shown.earlier, userGenerate: true }] : [];
    const suggested = given.length ? [] : shown.predictions;
    editor = new window.LabelStudio(document.getElementById("label-studio"), {
      config: shown.config,
      // Without "topbar" there is no bar at the bottom either, where Submit is; the top one is hidden by editor.css.
      interfaces: ["basic", "topbar", "controls", "submit", "update", "annotations:deny-empty", ...(shown.may_skip ? ["skip"] : [])],
      user: { id: shown.account },
      task: {
        id: shown.task,
        data: shown.data,
        annotations: given,
        predictions: suggested.map((prediction, n) => ({ pk: String(n + 1), ...prediction })),
      },
      onLabelStudioLoad: (store) => {
        if (!given.length) {
          const annotations = store.annotationStore;
          const begun = suggested.length
            ? annotations.addAnnotationFromPrediction(annotations.predictions[0])
            : annotations.createAnnotation();
          annotations.selectAnnotation(begun.id);
        }
        main.removeAttribute("aria-busy");
        say("");
        tell({ ecomsite: "ready" });
      },
      onSubmitAnnotation: (store, annotation) => send(annotation, false),
      onUpdateAnnotation: (store, annotation) => send(annotation, false),
      onSkipTask: (store) => send(store.annotationStore.selected, true),
    });
  }

  async function send(annotation, skipped) {
    if (isBusy) return;
    isBusy = true;
    say("Sending …");
    const answer = {
      result: annotation.serializeAnnotation(),
      was_cancelled: skipped,
      lead_time: (Date.now() - startedAt) / 1000,
      attempt,
    };
    let reply = null;
    let told = {};
    try {
      reply = await fetch(`/door/tasks/${shown.task}/answer`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(answer),
      });
      told = await reply.json();
    } catch {
      // No answer, or none of the door's: said below.
    }
    isBusy = false;
    if (reply && reply.ok) {
      attempt = crypto.randomUUID();
      say(skipped ? "Skipped." : "Sent.");
      document.body.classList.add("door-done");
      tell({ ecomsite: "answered", skipped });
      // Not by itself: until the desk has pulled the answer, its Next is still this one.
      if (window.parent === window) offerNext();
      return;
    }
    const words = told.words || "It was not sent. Your answer is still here: try again in a moment.";
    say(words, true);
    tell({ ecomsite: "failed", words });
  }

  function offerNext() {
    const link = document.createElement("a");
    Object.assign(link, { href: shown.next, textContent: "Next" });
    note.append(" ", link);
    link.focus();
  }

  window.addEventListener("message", (event) => {
    if (event.origin !== shown.console || event.source !== window.parent || typeof event.data !== "object") return;
    if (event.data.ecomsite === "shown") startedAt = Date.now();
    if (event.data.ecomsite === "submit") editor?.store?.submitAnnotation();
  });

  // Keys of the console's work here as well, where nobody is writing.
  window.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");
    if (!writes && !event.ctrlKey && !event.metaKey && !event.altKey) tell({ ecomsite: "key", key: event.key });
  });

  window.addEventListener("load", () => {
    load()
      .then(start)
      .catch((error) => {
        console.error(error);
        const words = "The editor of Label Studio could not be loaded. Is it version 1.23.2?";
        say(words, true);
        tell({ ecomsite: "failed", words });
      });
  });
})();
