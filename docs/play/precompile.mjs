// Compiles archives of Python modules with the very Python that will import them:
//
//     node precompile.mjs PYODIDE JOBS       JOBS: [{source, target, folder, layout}, ...] as JSON
//
// PYODIDE is the folder of the npm package `pyodide`; see precompile.py for the rest.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, jobs] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(pyodide, "pyodide.mjs")));
const python = await loadPyodide();
python.runPython(fs.readFileSync(new URL("precompile.py", import.meta.url), "utf8"));
const precompile = python.globals.get("precompile");
for (const { source, target, folder, layout } of JSON.parse(jobs)) {
  python.FS.writeFile("/before.zip", new Uint8Array(fs.readFileSync(source)));
  precompile.callKwargs("/before.zip", "/after.zip", { folder, layout });
  fs.writeFileSync(target, python.FS.readFile("/after.zip"));
}
