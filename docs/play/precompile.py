"""Compiles the modules of a ZIP archive for the interpreter that runs this: most of a start is compiling.

Byte code is marked as never to be compared with its source, and carries no dates, so the same archive comes
out of the same one.
"""

import importlib._bootstrap_external as bootstrap
import importlib.util
import zipfile


def precompile(source: str, target: str, *, folder: str, layout: str) -> None:
    """Write a ZIP archive with the byte code of its modules.

    Args:
        source: The archive.
        target: The new archive.
        folder: Where it will lie when it is used, which is what tracebacks name.
        layout: `compiled` leaves the sources out; `beside` keeps them, for an archive that is imported as it
            is; `cached` keeps them, for one that is unpacked.
    """
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after:
        for name in sorted(before.namelist()):
            content = before.read(name)
            if not name.endswith(".py") or layout != "compiled":
                after.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            if name.endswith(".py"):
                code = compile(content, f"{folder}/{name}", "exec", dont_inherit=True)
                compiled = importlib.util.cache_from_source(name) if layout == "cached" else f"{name}c"
                data = bytes(bootstrap._code_to_hash_pyc(code, bytes(8), False))  # noqa: SLF001  (nothing public does it)
                after.writestr(zipfile.ZipInfo(compiled), data, zipfile.ZIP_DEFLATED)
