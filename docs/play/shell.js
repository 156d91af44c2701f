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

let worker, ready, asked, shown, slow;
let sent = 0;

const state = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function go(next, { now = false } = {}) {
  const parts = new URLSearchParams(Object.entries(next).filter(([, value]) => value !== ""));
  const hash = "#" + parts.toString().replaceAll("+", "%20");
  if (!now) {
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
    button.addEventListener("click", stop);
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
  document.body.dataset.threads = data.threads;
  ask();
}

function stop() {
  worker.terminate();
  clearTimeout(slow);
  start();
  say("Stopped. Python starts again.");
}

function ask() {
  fill();
  if (!ready || asked !== null) return; // it is asked as soon as the answer before it has come
  asked = location.hash;
  worker.postMessage({ id: ++sent, call: `play.${name}:show`, args: [state()] });
  clearTimeout(slow);
  slow = setTimeout(() => say("Running ...", true), SLOW_MS);
}

function heard({ id, progress, value, error }) {
  if (id !== sent) return;
  if (progress !== undefined) {
    clearTimeout(slow);
    say(`${progress} `, true);
    return;
  }
  clearTimeout(slow);
  const was = asked;
  asked = null;
  if (was !== location.hash) {
    if (value !== undefined) show(value);
    ask();
    return;
  }
  const threads = document.body.dataset.threads === "true" ? "" : " This browser cannot run threads (it takes JSPI).";
  say(error === undefined ? "" : error + threads);
  if (value !== undefined) show(value);
  document.body.dataset.shown = was || "#";
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
  go({ ...filled(), ...(event.submitter?.name ? { [event.submitter.name]: event.submitter.value } : {}) });
});
form?.addEventListener("change", ({ target }) => "change" in target.dataset && go(filled()));
form?.addEventListener("input", ({ target }) => "live" in target.dataset && go(filled(), { now: true }));

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key === "Enter" && (event.ctrlKey || event.metaKey) && target.form) {
    target.form.requestSubmit();
    return;
  }
  const writes = target.matches("input, textarea, select");
  if (writes || event.altKey || event.ctrlKey || event.metaKey) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (pressed) {
    event.preventDefault();
    pressed.click();
  }
});

window.addEventListener("hashchange", ask);
say("Python starts behind the picture ...");
fill();
start();
