// The lab in a worker: Python starts once, then each message calls one of its functions.
//
// A page does this; the folder that `python -m docs.play.build OUT` writes holds everything that it needs:
//
//     const worker = new Worker("./worker.js", { type: "module" });
//     worker.postMessage({ id: 1, call: "play.example:answer", args: ["stale-cache", { seed: 3 }] });
//     worker.onmessage = ({ data }) => data.id === 1 && show(data.value ?? data.error);
//
// `call` names a function as `module:function`: one of the lab, or of a module of docs/play/python/, which is
// imported as `play.NAME`. Arguments and result cross the border as JSON, so what the page shows is what Python
// printed. The answer is {id, value} or {id, error, kind, traceback}: one line to show, the name of the exception's
// class, and all of it. Messages are answered one after another, in the order in which they came.
//
// Before any answer comes {ready: true, threads}, when Python and the lab are there; `threads` says whether this
// browser can run threads (WebAssembly stack switching), without which those of the cache and `explore` do not run.
// Should the start fail, {ready: false, error} comes instead. A function may send {id, progress} on the way, with
// `play.progress(value)`. A run that takes too long is stopped with `worker.terminate()`.

import { loadPyodide } from "./python/pyodide.mjs";

const at = (name) => new URL(name, import.meta.url).href;
const bytes = async (name) => new Uint8Array(await (await fetch(at(name))).arrayBuffer());

const DISPATCH = `
import importlib, json, sys, traceback
from importlib.machinery import PathFinder
sys.setrecursionlimit(10_000)
sys.path.append("/lab.zip")

class Later:
    "Finds what is fetched and unpacked only when it is first imported."
    names = {"hypothesis", "sortedcontainers"}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in cls.names:
            return None
        sys.meta_path.remove(cls)
        import play_worker
        play_worker.unpack("./python/hypothesis.zip")
        importlib.invalidate_caches()
        return PathFinder.find_spec(name, path, target)

sys.meta_path.append(Later)

def call(where, arguments):
    try:
        module, _, name = where.partition(":")
        value = getattr(importlib.import_module(module), name)(*json.loads(arguments))
        return json.dumps({"value": value})
    except BaseException as error:
        ours = type(error).__module__.startswith(("simulations.", "scenarios."))
        line = str(error) if ours else traceback.format_exception_only(error)[-1].strip()
        return json.dumps({"error": line, "kind": type(error).__name__,
                           "traceback": "".join(traceback.format_exception(error))})
call
`;

const threads = "Suspending" in WebAssembly;
let current = null;

async function start() {
  const lab = bytes("./python/lab.zip"); // on its way while Python starts
  const python = await loadPyodide({
    indexURL: at("./python/"),
    stdLibURL: at("./python/python_stdlib.zip"),
    env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1" },
  });
  python.FS.writeFile("/lab.zip", await lab);
  python.registerJsModule("play_worker", {
    send: (text) => postMessage({ id: current, progress: JSON.parse(text) }),
    unpack: (name) => {
      const request = new XMLHttpRequest(); // an import cannot wait for anything else
      request.open("GET", at(name), false);
      request.responseType = "arraybuffer";
      request.send();
      python.unpackArchive(request.response, "zip"); // into the working folder, from which Python imports
    },
  });
  return python.runPython(DISPATCH);
}

const started = start();
started.then(
  () => postMessage({ ready: true, threads }),
  (error) => postMessage({ ready: false, error: String(error) }),
);

let last = started;
onmessage = ({ data: { id, call, args = [] } }) => {
  last = last.then(async (python) => {
    current = id;
    const given = [call, JSON.stringify(args)];
    const answer = JSON.parse(await (threads ? python.callPromising(...given) : python(...given)));
    postMessage({ id, ...answer });
    return python;
  });
};
