// What all pages share: the state in the address, moves by keyboard, and Python behind the first picture.
//
// A page begins with a picture that was made when it was built. Every move is a link to another state, so Back
// takes it back and a link leads to it; the fields of the form are parts of the state, too. For each state the
// function `show` of the page's own module is called in the worker, and what it returns is shown. While the reader
// looks, it is called for the states that the links lead to, so that most moves are answered already.

const name = document.body.dataset.page;
const stage = document.getElementById("stage");
const status = document.getElementById("status");
const form = document.getElementById("form");
const spoken = document.getElementById("heard"); // what a screen reader reads out
const SLOW_MS = 1000; // from then on a run can be stopped
const SILENT_MS = 60_000; // without an answer and without progress a run is taken for an endless loop
const STEP_MS = 700; // between two steps of what plays by itself
const REST_MS = 150; // without a move, then those that could follow are tried ahead
const ANSWERS_MAX = 200; // are kept

const answers = new Map(); // what the pages of states hold, by address
let worker, ready, asked, ahead, gone, shown, slow, silent, playing, rest;
let sent = 0;

const state = (hash = location.hash) => Object.fromEntries(new URLSearchParams(hash.slice(1)));
const written = (next) =>
  "#" + new URLSearchParams(Object.entries(next).filter(([, value]) => value !== "")).toString().replaceAll("+", "%20");

function go(hash, { now = false } = {}) {
  gone = hash;
  if (!now && hash !== location.hash) {
    location.hash = hash; // which is heard below
    return;
  }
  history.replaceState(null, "", hash);
  ask();
}

function say(text, stoppable = false) {
  status.textContent = text;
  if (stoppable) {
    const button = document.createElement("button");
    button.textContent = "Stop";
    button.addEventListener("click", () => stop("Stopped."));
    status.append(" ", button);
  }
}

function start() {
  ready = false;
  asked = null;
  ahead = false;
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => ("ready" in data ? started(data) : heard(data));
  worker.onerror = (error) => say(`Python did not start: ${error.message}`);
}

function started(data) {
  if (!data.ready) {
    say(`Python did not start: ${data.error}`);
    return;
  }
  ready = true;
  ask();
  const button = stage.querySelector("[data-plays]");
  if (button && !location.hash && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    play(button, { now: true }); // untouched, it begins by itself
  }
}

function stop(why) {
  clearTimeout(rest);
  worker.onmessage = null;
  worker.terminate();
  worker = null;
  clearTimeout(slow);
  clearTimeout(silent);
  say(`${why} Python starts again with your next move.`);
}

function ask() {
  fill();
  clearTimeout(rest);
  if (ready && (asked === null || ahead) && answers.has(location.hash)) {
    answered(location.hash, answers.get(location.hash));
    return;
  }
  if (!worker) {
    start();
    say("Python starts again ...");
  }
  if (!ready || (asked !== null && !ahead)) return; // it is asked as soon as the answer before it has come
  clearTimeout(slow);
  slow = setTimeout(() => say("Running ...", true), SLOW_MS);
  lives();
  if (asked === null) call(location.hash);
}

function call(hash, { guess = false } = {}) {
  asked = hash;
  ahead = guess;
  worker.postMessage({ id: ++sent, call: `play.${name}:show`, args: [state(hash)] });
}

function look() {
  const links = [...stage.querySelectorAll("a.move:not([data-long])")];
  const next = links.find(({ hash }) => !answers.has(hash));
  if (next && ready && asked === null && !document.hidden) call(next.hash, { guess: true });
}

function lives() {
  clearTimeout(silent);
  const endless = `Stopped: no answer for ${SILENT_MS / 1000} seconds, as from a loop that never ends.`;
  silent = setTimeout(() => stop(endless), SILENT_MS);
}

function heard({ id, progress, value, error }) {
  if (id !== sent) return;
  if (progress !== undefined) {
    clearTimeout(slow);
    lives();
    say(`${progress} `, true);
    return;
  }
  const was = asked;
  const guessed = ahead;
  asked = null;
  ahead = false;
  if (answers.size >= ANSWERS_MAX) answers.clear();
  if (value !== undefined) answers.set(was, value);
  if (was === location.hash) {
    answered(was, value, error);
  } else if (guessed && document.body.dataset.shown === (location.hash || "#")) {
    if (value !== undefined) rest = setTimeout(look);
  } else {
    if (value !== undefined && !guessed) show(value);
    ask();
  }
}

function answered(hash, value, error) {
  clearTimeout(slow);
  clearTimeout(silent);
  say(error ?? "");
  if (value !== undefined) show(value);
  document.body.dataset.shown = hash || "#";
  step();
  rest = setTimeout(look, REST_MS);
}

function play(button, { now = false } = {}) {
  playing = true;
  go(button.getAttribute("href"), { now });
}

function step() {
  const button = stage.querySelector("[data-plays]");
  if (!playing || !button) return;
  const next = stage.querySelector(`[data-key="${button.dataset.plays}"]`);
  if (!next) {
    pause();
    return;
  }
  button.lastChild.textContent = "pause";
  clearTimeout(playing);
  playing = setTimeout(() => go(next.getAttribute("href"), { now: true }), STEP_MS);
}

function pause() {
  clearTimeout(playing);
  playing = null;
  const button = stage.querySelector("[data-plays]");
  if (button) button.lastChild.textContent = button.dataset.label;
}

const said = () => [...stage.querySelectorAll(".says")].map((each) => each.textContent).join(" ");

function show(html) {
  if (html === shown) return;
  const here = document.activeElement;
  const inside = stage.contains(here);
  const kind = inside && !here.matches(".move") ? here.tagName : "none";
  const rank = [...stage.querySelectorAll(kind)].indexOf(here);
  const unfolded = [...stage.querySelectorAll("details")].map((each) => each.open);
  const before = said();
  stage.innerHTML = shown = html;
  stage.querySelectorAll("details").forEach((each, at) => (each.open = unfolded[at] ?? false));
  if (said() !== before) spoken.textContent = said();
  if (!inside) return;
  const again = (here.id && document.getElementById(here.id)) || stage.querySelectorAll(kind)[rank];
  (again ?? stage.querySelector(".says ~ .moves a"))?.focus({ preventScroll: true });
}

function tell(field) {
  const value = field.labels?.[0]?.querySelector(".value");
  if (!value) return;
  value.textContent = `${field.value * field.dataset.scale} ${field.dataset.unit}`.trim();
  field.setAttribute("aria-valuetext", value.textContent);
}

function fill() {
  if (!form) return;
  const now = state();
  for (const field of form.elements) {
    if (field.name && field !== document.activeElement) {
      const first = field.options?.[0]?.value ?? field.defaultValue;
      field.value = now[field.name] ?? first;
    }
    tell(field);
  }
}

const filled = () => ({ ...state(), ...Object.fromEntries(new FormData(form)) });

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  go(written({ ...filled(), ...(event.submitter?.name ? { [event.submitter.name]: event.submitter.value } : {}) }));
});
form?.addEventListener("change", ({ target }) => "change" in target.dataset && go(written(filled())));
form?.addEventListener("input", ({ target }) => "live" in target.dataset && go(written(filled()), { now: true }));
form?.addEventListener("input", pause);
form?.addEventListener("input", ({ target }) => tell(target));

stage.addEventListener("click", (event) => {
  const button = event.target.closest("[data-plays]");
  const begins = button && !playing;
  pause(); // whatever else is done
  if (button) event.preventDefault();
  if (begins) play(button);
});

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key === "Enter" && (event.ctrlKey || event.metaKey) && target.form) {
    target.form.requestSubmit();
    return;
  }
  const writes = target.matches("input, textarea, select");
  const follows = (key === "Enter" || key === " ") && target.matches("a, button, summary"); // what has the focus
  if (writes || follows || event.altKey || event.ctrlKey || event.metaKey) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (pressed) {
    event.preventDefault();
    pressed.click();
  }
});

window.addEventListener("hashchange", () => {
  if (location.hash !== gone) pause(); // by Back, or by a link
  ask();
});
say("Python starts behind the picture ...");
fill();
start();
