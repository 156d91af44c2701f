"""What program a command starts, whether it may be filled, and which function an address of it lies in."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.live.memory.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC: Final = b"\x7fELF"
_CLASS_64: Final = 2
_MACHINE_X86_64: Final = 62
_SYMTAB: Final = 2
_DYNSYM: Final = 11
_FUNCTION: Final = 2
_INDIRECT: Final = 10
_LOAD: Final = 1
_SCRIPTS_NESTED_MAX: Final = 5
_SYMBOLS_BYTES_MAX: Final = 64 << 20


def find_program(name: str, environment: Mapping[str, str]) -> str:
    """Return the file that a command's first word names, as `execvp` finds it.

    Raises:
        FileNotFoundError: There is none.
        PermissionError: There is one that may not be run.
    """
    if "/" not in name:
        found = shutil.which(name, path=environment.get("PATH", os.defpath))
        if found is None:
            raise FileNotFoundError(f"{name}: command not found")
        return found
    if not Path(name).exists():
        raise FileNotFoundError(f"{name}: no such file")
    if Path(name).is_dir() or not os.access(name, os.X_OK):
        raise PermissionError(f"{name}: not an executable file")
    return name


def check_program(path: str) -> None:
    """Check that the program, or the interpreter of the script, can be stopped at its exec and filled.

    Raises:
        RefusedError: It is set-user-id, set-group-id, 32-bit, for another machine, or no program.
    """
    script = path
    for _ in range(_SCRIPTS_NESTED_MAX):
        try:
            with Path(path).open("rb") as file:
                start = file.read(256)
        except PermissionError:
            raise RefusedError(
                f"{path} may be run but not read, so its layout is hidden: make it readable to yourself"
            ) from None
        except OSError as error:
            raise RefusedError(
                f"cannot read {path}, which {script} names as its interpreter: {error.strerror}"
            ) from None
        if not start.startswith(b"#!"):
            break
        words = start[2:].split(b"\n", 1)[0].split()
        if not words:
            raise RefusedError(
                f"{path} begins with #! but names no interpreter: name it yourself, as in `sh {path}`"
            )
        path = os.fsdecode(words[0])
    if is_privileged(path):
        raise RefusedError(
            f"{path} is set-user-id, set-group-id or has capabilities, and would lose them when traced: "
            "run the program that it starts instead, as the user that it needs"
        )
    if not start.startswith(_MAGIC):
        raise RefusedError(
            f"{path} is no ELF program and names no interpreter: name it yourself, as in `sh {path}`"
        )
    if not is_x86_64(path):
        raise RefusedError(
            f"{path} is not a 64-bit x86-64 program: build it as one; a 32-bit pointer cannot be cut"
        )


def is_privileged(path: str) -> bool:
    """Return whether a program is set-user-id, set-group-id or has capabilities; False where unknown."""
    try:
        if Path(path).stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
            return True
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False


def is_x86_64(path: str) -> bool:
    """Return whether a file is a 64-bit ELF program for x86-64; True where unknown."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(20)
    except OSError:
        return True
    return start[:5] == _MAGIC + bytes([_CLASS_64]) and start[18:20] == _MACHINE_X86_64.to_bytes(2, "little")


def function_at(path: str, file_offset: int) -> str | None:
    """Return the function of a byte of an ELF file, and the offset in it: `strlen+0x18`.

    Returns:
        None where no symbol covers it, or the file cannot be read.
    """
    try:
        address = _virtual_address(path, file_offset)
        covering = [
            (start, name) for start, size, name in _functions(path) if start <= address < start + size
        ]
    except (OSError, ValueError, LookupError, struct.error):
        return None
    if not covering:
        return None
    start, name = max(covering)
    return f"{name}+{address - start:#x}"


def _virtual_address(path: str, file_offset: int) -> int:
    """Return where the program headers put a byte of the file."""
    for kind, _flags, start, address, _, length, *_ in _table(path, "<IIQQQQQQ", 32, 54):
        if kind == _LOAD and start <= file_offset < start + length:
            return int(file_offset - start + address)
    raise LookupError(f"{path} does not load offset {file_offset:#x}")


@functools.lru_cache(maxsize=8)
def _functions(path: str) -> tuple[tuple[int, int, str], ...]:
    """Return every function that the file names: address, size, name."""
    functions = []
    sections = _table(path, "<IIQQQQIIQQ", 40, 58)
    with Path(path).open("rb") as file:
        for _, kind, _, _, offset, length, link, *_ in sections:
            if kind not in (_SYMTAB, _DYNSYM) or length > _SYMBOLS_BYTES_MAX:
                continue
            file.seek(offset)
            table = file.read(length)
            file.seek(sections[link][4])
            strings = file.read(sections[link][5])
            for name, info, _, _, value, size in struct.iter_unpack("<IBBHQQ", table):
                if info & 0xF in (_FUNCTION, _INDIRECT):
                    functions.append(
                        (value, size, strings[name : strings.find(b"\0", name)].decode(errors="replace"))
                    )
    return tuple(functions)


def _table(path: str, entry: str, offset_at: int, count_at: int) -> list[tuple[int, ...]]:
    """Return a table of the file: its header holds the offset, and the size and number of the entries."""
    with Path(path).open("rb") as file:
        header = file.read(64)
        if header[:4] != _MAGIC or header[4] != _CLASS_64:
            raise ValueError(f"{path} is no 64-bit ELF file")
        size, count = struct.unpack_from("<HH", header, count_at)
        file.seek(struct.unpack_from("<Q", header, offset_at)[0])
        table = file.read(size * count)
    return [struct.unpack_from(entry, table, size * index) for index in range(count)]
