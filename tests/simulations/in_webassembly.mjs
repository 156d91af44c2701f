// Runs a Python script under CPython in WebAssembly: node in_webassembly.mjs PYODIDE ROOT SIMPY SCRIPT [ARGUMENT ...]
//
// PYODIDE is the folder of the npm package `pyodide`, ROOT a checkout, SIMPY the package. The script sees `simulations`
// and `tests` as they are in the checkout, that package, and nothing else of this machine.

import path from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, root, simpy, script, ...options] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(pyodide, "pyodide.mjs")));
const python = await loadPyodide({ stdout: (line) => console.log(line) });
const places = { simulations: path.join(root, "simulations"), tests: path.join(root, "tests"), simpy };
for (const [folder, place] of Object.entries(places)) {
  python.FS.mkdirTree(`/checkout/${folder}`);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: place }, `/checkout/${folder}`);
}
python.globals.set("arguments", python.toPy([script, ...options]));
python.runPython(`
import runpy, sys
sys.dont_write_bytecode = True
sys.path.insert(0, "/checkout")
sys.argv = ["/checkout/" + arguments[0], *arguments[1:]]
runpy.run_path(sys.argv[0], run_name="__main__")
`);
