"""Programs with published numbers of classes, as Python.

They are those of Abdulla, Aronis, Jonsson and Sagonas ("Optimal dynamic partial order reduction", POPL 2014;
"Source sets: a foundation for optimal dynamic partial order reduction", J. ACM 64(4), 2017); file system and
indexer are older (Flanagan and Godefroid, POPL 2005). The counts are those of the optimal algorithm: one
schedule of each class. Where a size is not in the tables, it follows from those that are: n readers have 2^n
classes, last zero with n writers (n + 3) * 2^(n - 2), the file system with n threads 2^(n - 13) from 14 on.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Published:
    """A program, and how many classes of schedules it has."""

    name: str
    setup: Callable[[], Any]
    workers: list[Callable[[Any], object]]
    optimal: int


class LastZero:
    """Each writer sets its place of an array from the one before; a reader looks for the last zero."""

    def __init__(self, places):
        self.places = places
        self.array = [0] * (places + 1)

    def look(self):
        place = self.places
        while self.array[place] != 0:
            place -= 1

    @staticmethod
    def writer(place):
        def write(self):
            self.array[place] = self.array[place - 1] + 1

        return write

    @classmethod
    def workers(cls, places):
        return [cls.look, *map(cls.writer, range(1, places + 1))]


class Readers:
    """One writer and readers of one variable."""

    def __init__(self):
        self.variable = 0

    def write(self):
        self.variable = 1

    def read(self):
        return self.variable


class Indexer:
    """Threads put words into a table of hashes; from 12 threads on some want the same place."""

    def __init__(self):
        self.table = [0] * 128
        self.locks = [threading.Lock() for _ in range(128)]

    @staticmethod
    def thread(number):
        def insert(self):
            for message in range(1, 5):
                word = message * 11 + number
                place = word * 7 % 128
                while not self.swap(place, word):
                    place = (place + 1) % 128

        return insert

    def swap(self, place, word):
        with self.locks[place]:
            if self.table[place] != 0:
                return False
            self.table[place] = word
            return True


class FileSystem:
    """Threads give blocks to inodes; from 14 threads on some want the same block."""

    def __init__(self):
        self.inodes = [0] * 32
        self.busy = [False] * 26
        self.inode_locks = [threading.Lock() for _ in range(32)]
        self.block_locks = [threading.Lock() for _ in range(26)]

    @staticmethod
    def thread(number):
        def allocate(self):
            inode = number % 32
            with self.inode_locks[inode]:
                if self.inodes[inode] == 0:
                    block = inode * 2 % 26
                    while not self.take(inode, block):
                        block = (block + 1) % 26

        return allocate

    def take(self, inode, block):
        with self.block_locks[block]:
            if self.busy[block]:
                return False
            self.busy[block] = True
            self.inodes[inode] = block + 1
            return True


def last_zero(writers):
    workers = [LastZero.look, *map(LastZero.writer, range(1, writers + 1))]
    return Published(
        f"last zero {writers}", lambda: LastZero(writers), workers, (writers + 3) * 2 ** (writers - 2)
    )


def readers(count):
    return Published(f"readers {count}", Readers, [Readers.write, *[Readers.read] * count], 2**count)


def indexer(threads, optimal):
    workers = [Indexer.thread(number) for number in range(threads)]
    return Published(f"indexer {threads}", Indexer, workers, optimal)


def file_system(threads):
    workers = [FileSystem.thread(number) for number in range(threads)]
    # From 14 threads on, each one more wants the block of another.
    return Published(f"file system {threads}", FileSystem, workers, 2 ** max(threads - 13, 0))


PUBLISHED = [
    last_zero(3),
    last_zero(5),
    readers(3),
    readers(6),
    indexer(4, 1),
    indexer(12, 8),
    file_system(4),
    file_system(14),
    file_system(16),
    file_system(18),
    readers(8),
    last_zero(7),
]
QUICK = 8
"""How many of them take less than a second."""
