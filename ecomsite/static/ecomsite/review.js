// The review page: asks our server whose turn it is, shows that task in a frame and loads the next one behind it.
// What is in the frame is Label Studio's, on another origin: it is told nothing and asked nothing, and may only say that
// something was answered or that one of the page's keys was pressed in it. Our server alone says what comes next.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const desk = document.querySelector("[data-review]");
  if (!desk) return;
  const find = (name) => desk.querySelector(`[data-${name}]`);
  const [IDLE, AWAY, HURRY, NOTHING] = [600, 3000, 200, 4000]; // milliseconds from one question to the next
  const HURRY_FOR = 15000;
  const ASK_FOR = 60000; // then its fate is told on the list of the last ten
  const COUNTS_EVERY = 15000;
  const token = find("token").querySelector("input").value;
  const places = find("frames");
  const frames = new Map(); // item → its frame
  const asked = new Map(); // item → when we began to ask what became of the answer to it
  let showing = desk.dataset.showing;
  let seconds = null; // until the lease ends, as of `heard`
  let heard = 0;
  let hurryUntil = 0;
  let countedAt = 0;
  let failures = 0;
  let timer = 0;
  let asking = false;
  let isOver = false; // the person pauses or leaves: nothing more is asked for
  let answered = false; // the frame says so; our server has not said so yet

  const post = (address, fields) => {
    const body = new URLSearchParams(fields);
    return fetch(address, { method: "POST", body, headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" }, redirect: "manual" });
  };

  // --- Frames ------------------------------------------------------------------------------------------------------

  const ensure = (task) => {
    if (frames.get(task.item)?.dataset.load === task.load) return frames.get(task.item);
    drop(task.item); // given back since: that one has sent its answer
    const frame = document.createElement("iframe");
    frame.title = "The task, in Label Studio's editor";
    frame.src = task.address;
    frame.dataset.item = task.item;
    frame.dataset.load = task.load;
    frame.className = "is-ahead";
    frame.inert = true;
    frame.addEventListener("load", () => { if (task.item === showing) focusOn(frame); });
    frames.set(task.item, frame);
    places.append(frame);
    return frame;
  };

  const focusOn = (frame) => {
    if (!desk.querySelector("dialog[open]")) frame.focus();
  };

  const show = (task) => {
    const frame = ensure(task);
    for (const [item, other] of frames) {
      other.classList.toggle("is-ahead", item !== task.item);
      other.inert = item !== task.item;
    }
    frame.contentWindow?.postMessage({ ecomsite: "shown" }, "*"); // for whoever measures time in there
    put(task.item);
    focusOn(frame);
  };

  const put = (item) => {
    showing = item;
    desk.dataset.showing = item;
  };

  const drop = (item) => {
    frames.get(item)?.remove();
    frames.delete(item);
  };

  // --- What our server says ------------------------------------------------------------------------------------------

  const turn = async () => {
    clearTimeout(timer);
    if (asking || isOver) return;
    asking = true;
    try {
      const fields = new URLSearchParams({ showing });
      if (answered) fields.append("answered", "");
      for (const [item, since] of asked) {
        if (Date.now() - since > ASK_FOR) asked.delete(item);
        else fields.append("asked", item);
      }
      if (Date.now() - countedAt > COUNTS_EVERY) fields.append("counts", "");
      const answer = await post(desk.dataset.review, fields);
      if (answer.type === "opaqueredirect" || answer.status === 403) return stop();
      if (!answer.ok) throw new Error(answer.status);
      apply(await answer.json());
      failures = 0;
    } catch {
      failures += 1;
    } finally {
      asking = false;
    }
    find("lost").hidden = failures < 2;
    if (!isOver) timer = setTimeout(turn, pace());
  };

  const pace = () => {
    if (failures) return Math.min(1000 * 2 ** failures, 30000);
    if (Date.now() < hurryUntil) return HURRY;
    if (!showing) return asked.size ? IDLE : NOTHING;
    return document.hasFocus() && !document.hidden ? IDLE : AWAY;
  };

  const stop = () => {
    find("signed-out").hidden = false;
  };

  const hurry = () => {
    hurryUntil = Date.now() + HURRY_FOR;
    turn();
  };

  const apply = (state) => {
    const before = showing;
    answered = answered && state.current?.item === before;
    if (before && state.current?.item !== before) {
      if (state.was_answered) asked.set(before, Date.now());
      else if (frames.has(before)) toast("That one is not yours any more: its time ran out, or nobody needs it answered.", "warn");
      hurryUntil = Date.now() + HURRY_FOR / 3; // what became of it follows in a moment
    }
    if (frames.has(before) && state.current?.item === before && frames.get(before).dataset.load !== state.current.load) {
      toast(`Once more, please: ${state.current.again}`, "warn");
    }
    if (state.current) {
      if (state.current.item !== before || frames.get(before)?.dataset.load !== state.current.load) show(state.current);
      if (state.following) ensure(state.following);
    } else {
      put("");
    }
    const wanted = [state.current?.item, state.following?.item];
    for (const item of [...frames.keys()]) if (!wanted.includes(item)) drop(item);
    seconds = state.current?.seconds_left ?? null;
    heard = Date.now();
    desk.querySelector("[data-open=skip]").disabled = !state.current;
    find("again").hidden = !state.current?.again;
    find("again").textContent = state.current?.again ? `This one is still yours. ${state.current.again}` : "";
    if (state.counts) count(state.counts);
    nothingHere(!state.current);
    for (const [item, fate] of Object.entries(state.fates)) tell(item, fate);
    tick();
  };

  const count = (counts) => {
    countedAt = Date.now();
    find("counts").textContent = `${counts.done_today} done today · ${counts.waiting} wait`;
  };

  const tell = (item, { fate, words, may_correct: mayCorrect }) => {
    if (!asked.has(item) || fate === "arriving") return;
    asked.delete(item);
    const tone = { done: "ok", again: "warn" }[fate] || "busy";
    toast(mayCorrect ? `${words} · change it within ten minutes (b)` : words, tone);
  };

  const nothingHere = async (is) => {
    const place = find("nothing-here");
    if (!place) return;
    place.hidden = !is;
    places.hidden = is;
    if (!is) return;
    const answer = await fetch(desk.dataset.nothing, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
    const html = answer.ok ? await answer.text() : "";
    if (html && html !== place.dataset.last) {
      place.innerHTML = html; // our own server's template, escaped there
      place.dataset.last = html;
    }
  };

  const toast = (words, tone) => {
    const line = document.createElement("p");
    line.className = `es-strip es-strip--${tone}`;
    line.textContent = words;
    find("toasts").append(line);
    setTimeout(() => line.remove(), 8000);
  };

  // --- The clock -----------------------------------------------------------------------------------------------------

  let warned = "";
  const tick = () => {
    const clock = find("clock");
    const left = seconds === null ? null : Math.max(0, Math.round(seconds - (Date.now() - heard) / 1000));
    clock.hidden = left === null;
    find("more-time-button").hidden = left === null || left > 120;
    if (left === null) return;
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
    clock.classList.toggle("is-short", left <= 120);
    if (left <= 120 && warned !== showing) {
      warned = showing;
      toast("Two minutes left for this one. “More time” is in the header.", "warn");
    }
  };

  // --- What the person does --------------------------------------------------------------------------------------------

  const dialog = (name) => desk.querySelector(`[data-dialog=${name}]`);

  const open = async (name) => {
    if (desk.querySelector("dialog[open]") || (name === "skip" && !showing)) return;
    dialog(name).showModal();
    if (name === "last-ten") {
      const answer = await fetch(desk.dataset.lastTen, { redirect: "error" });
      find("last-ten-list").innerHTML = await answer.text(); // our own server's template, escaped there
    }
  };

  const act = async (address, fields) => {
    const answer = await post(address, fields);
    if (!answer.ok) toast((await answer.json().catch(() => ({}))).error || "That did not work.", "down");
    return answer.ok;
  };

  const skip = async (reason) => {
    const item = showing;
    dialog("skip").close();
    if (await act(desk.dataset.skip, { item, reason })) {
      drop(item);
      put("");
      toast("Passed on to somebody else.", "busy");
    }
    hurry();
  };

  const KEYS = {
    s: () => open("skip"),
    b: () => open("last-ten"),
    p: () => find("pause-form")?.requestSubmit(),
    "?": () => open("help"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (dialog("skip").open) {
      const button = dialog("skip").querySelectorAll("[data-reason]")[Number(event.key) - 1];
      if (button) button.click();
    } else if (KEYS[event.key] && !desk.querySelector("dialog[open]")) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
  window.addEventListener("message", ({ source, data }) => {
    if (!showing || source !== frames.get(showing)?.contentWindow) return;
    if (data?.ecomsite === "answered") {
      answered = true;
      hurry();
    }
    if (data?.ecomsite === "key" && KEYS[data.key]) KEYS[data.key]();
  });
  for (const button of desk.querySelectorAll("[data-open]")) button.addEventListener("click", () => open(button.dataset.open));
  for (const button of desk.querySelectorAll("[data-reason]")) button.addEventListener("click", () => skip(button.dataset.reason));
  for (const box of desk.querySelectorAll("dialog")) {
    box.addEventListener("close", () => { if (showing) frames.get(showing)?.focus(); });
  }
  find("more-time-button").addEventListener("click", async () => {
    await act(desk.dataset.moreTime, { item: showing });
    hurry();
  });
  if ("paused" in desk.dataset) {
    // A question that was on its way when the person paused may have taken something after it.
    setTimeout(() => post(desk.dataset.pause, {}), 1000);
    return;
  }
  find("pause-form").addEventListener("submit", () => { isOver = true; });
  // The task loaded ahead goes back at once; without this, as soon as nobody has asked for it for two minutes.
  window.addEventListener("pagehide", () => {
    isOver = true;
    navigator.sendBeacon(desk.dataset.leave, new URLSearchParams({ csrfmiddlewaretoken: token }));
  });
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
  window.addEventListener("focus", () => turn());
  setInterval(tick, 1000);
  turn();
});
