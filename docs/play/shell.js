// What all pages share: the state in the address, moves by keyboard, and Python behind the first picture.
//
// A page begins with a picture that was made when it was built. Every move is a link to another state, so Back
// takes it back and a link leads to it; the fields of the form are parts of the state, too. For each state the
// function `show` of the page's own module is called in the worker, and what it returns is shown.

const name = document.body.dataset.page;
const stage = document.getElementById("stage");
const status = document.getElementById("status");
const form = document.getElementById("form");
const SLOW_MS = 1000; // from then on a run can be stopped
const SILENT_MS = 60_000; // without an answer and without progress a run is taken for an endless loop
const STEP_MS = 700; // between two steps of what plays by itself

let worker, ready, asked, gone, shown, slow, silent, playing;
let sent = 0;

const state = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
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
  worker.onmessage = null;
  worker.terminate();
  worker = null;
  clearTimeout(slow);
  clearTimeout(silent);
  say(`${why} Python starts again with your next move.`);
}

function ask() {
  fill();
  if (!worker) {
    start();
    say("Python starts again ...");
  }
  if (!ready || asked !== null) return; // it is asked as soon as the answer before it has come
  asked = location.hash;
  worker.postMessage({ id: ++sent, call: `play.${name}:show`, args: [state()] });
  clearTimeout(slow);
  slow = setTimeout(() => say("Running ...", true), SLOW_MS);
  lives();
}

function lives() {
  clearTimeout(silent);
  const endless = `Stopped: no answer for ${SILENT_MS / 1000} seconds, as from a loop that never ends.`;
  silent = setTimeout(() => stop(endless), SILENT_MS);
}

function heard({ id, progress, value, error }) {
  if (id !== sent) return;
  clearTimeout(slow);
  if (progress !== undefined) {
    lives();
    say(`${progress} `, true);
    return;
  }
  clearTimeout(silent);
  const was = asked;
  asked = null;
  if (was !== location.hash) {
    if (value !== undefined) show(value);
    ask();
    return;
  }
  say(error ?? "");
  if (value !== undefined) show(value);
  document.body.dataset.shown = was || "#";
  step();
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

function show(html) {
  if (html === shown) return;
  const here = document.activeElement;
  const inside = stage.contains(here);
  const first = inside && here.classList.contains("move");
  stage.innerHTML = shown = html;
  if (!inside) return;
  const again = here.id && document.getElementById(here.id);
  (again || (first && stage.querySelector(".says + .moves a")) || document.body).focus({ preventScroll: true });
}

function fill() {
  if (!form) return;
  const now = state();
  for (const field of form.elements) {
    if (field.name && field !== document.activeElement) {
      const first = field.options?.[0]?.value ?? field.defaultValue;
      field.value = now[field.name] ?? first;
    }
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
