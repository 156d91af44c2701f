import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.live.recorder import log
from simulations.live.recorder.log import LOG, RESERVE, SAMPLE, Damage, Log, LogError, Record
from simulations.live.recorder.records import Sample
from simulations.live.recorder.sampler import CHANGES_BYTES_PER_HOUR
from simulations.live.recorder.watch import LINE_CHARACTERS_MAX, LINE_EACH_MS

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
records = st.builds(Record, st.integers(), st.text(), values)


def write(folder, written):
    writer = Log(folder, create=True)
    for each in written:
        writer.append(each)
    writer.close(0)


def read(folder):
    found, damage = log.read(folder)
    return list(found), damage


def read_bytes(content):
    with TemporaryDirectory() as folder:
        (Path(folder) / LOG).write_bytes(content)
        return read(Path(folder))


def some_records(count):
    return [Record(each, "note", "x" * each) for each in range(count)]


@given(records)
def test_what_is_encoded_is_one_line_and_is_decoded(record):
    line = log.encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert log.decode(line[:-1]) == record


@given(st.binary(max_size=60))
def test_noise_is_never_a_record(noise):
    line = b"%08x " % zlib.crc32(b"another text") + noise
    assert log.decode(line) is None


def test_a_checksum_does_not_make_a_record():
    for text in (b"17", b"[]", b'["now", "start", 1]', b"[1, 2, 3]", b"{", b"\xff"):
        assert log.decode(b"%08x %s" % (zlib.crc32(text), text)) is None


@given(st.data())
def test_a_log_cut_anywhere_gives_every_record_before_the_cut(data):
    written = some_records(6)
    whole = b"".join(map(log.encode, written))
    cut = data.draw(st.integers(whole.index(b"\n") + 1, len(whole)))
    found, damage = read_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n")
    rest = len(whole[:cut].rpartition(b"\n")[2])
    assert found[:kept] == written[:kept]
    complete_but_for_its_line_feed = cut < len(whole) and whole[cut : cut + 1] == b"\n"
    assert damage == Damage(0, 0 if complete_but_for_its_line_feed else rest)


@given(st.data())
def test_a_flipped_byte_costs_the_lines_it_stands_in_and_no_other(data):
    written = some_records(6)
    whole = bytearray(b"".join(map(log.encode, written)))
    place = data.draw(st.integers(0, len(whole) - 1))
    line = bytes(whole[:place]).count(b"\n")
    was_line_feed = whole[place : place + 1] == b"\n"
    whole[place] ^= data.draw(st.integers(1, 255))
    found, _ = read_bytes(bytes(whole))
    touched = {line, line + 1} if was_line_feed else {line}
    untouched = [each for index, each in enumerate(written) if index not in touched]
    assert [each for each in found if each in untouched] == untouched
    assert all(each in written for each in found)


def test_a_second_writer_begins_a_line_of_its_own_after_a_torn_one(tmp_path):
    run = tmp_path / "0001"
    write(run, some_records(2))
    with (run / LOG).open("ab") as file:
        file.write(b'01234567 [3,"s",[1,2')
    witness = Log(run, create=False)
    witness.append(Record(9, "end", None))
    witness.close(9)
    found, damage = read(run)
    assert found == [*some_records(2), Record(9, "end", None)]
    assert damage == Damage(lines=1, torn_bytes=0)


def test_two_writers_never_mix_their_lines(tmp_path):
    run = tmp_path / "0001"
    first = Log(run, create=True)
    second = Log(run, create=False)
    for number in range(50):
        first.append(Record(number, "first", number))
        second.append(Record(number, "second", number))
    first.close(0)
    second.close(0)
    found, damage = read(run)
    assert damage == Damage(0, 0)
    assert [each.data for each in found if each.kind == "first"] == list(range(50))
    assert [each.data for each in found if each.kind == "second"] == list(range(50))


FILL = """
import resource, signal, sys
from pathlib import Path
from simulations.live.recorder.log import LOG, RESERVE_BYTES, SAMPLE, Log, Record
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = Log(Path(sys.argv[1]), create=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (RESERVE_BYTES, resource.RLIM_INFINITY))
for at in range(5000):
    log.append(Record(at, SAMPLE, [at] * 4))
log.append(Record(5000, "signal", {"signal": 15}))
if sys.argv[2] == "recovers":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append(Record(5001, "end", {"status": 3}))
log.close(5001)
"""


@pytest.mark.parametrize("disk", ["stays full", "recovers"])
def test_a_full_disk_costs_samples_and_never_the_end(tmp_path, disk):
    """A limit on the size of files refuses writes as a full disk does; the reserve lies below it."""
    run = tmp_path / "0001"
    subprocess.run([sys.executable, "-c", FILL, run, disk], check=True)
    found, damage = read(run)
    samples = [each.time for each in found if each.kind == SAMPLE]
    lost = sum(each.data for each in found if each.kind == "lost")
    assert len(samples) == len(set(samples))
    assert len(samples) + lost == 5000
    assert samples[-1] == 4999
    assert lost > 0
    assert [each.kind for each in found if each.kind in ("signal", "end")] == ["signal", "end"]
    assert damage.lines + bool(damage.torn_bytes) <= 1, "at most the line on which the disk was full"
    if disk == "recovers":
        assert len(samples) > 900, "what waited in memory was written when the disk took it"


def test_what_is_killed_while_it_writes_leaves_every_line_but_the_last(tmp_path):
    script = (
        "import sys; from pathlib import Path; from simulations.live.recorder.log import Log, Record\n"
        "log = Log(Path(sys.argv[1]), create=True); n = 0\n"
        "print(flush=True)\n"
        "while True: log.append(Record(n, 'note', 'y' * 200)); n += 1"
    )
    run = tmp_path / "0001"
    writer = subprocess.Popen([sys.executable, "-c", script, run], stdout=subprocess.PIPE)
    with writer:
        writer.stdout.readline()
        while (run / LOG).stat().st_size < 100_000:
            os.sched_yield()
        writer.send_signal(signal.SIGKILL)
    found, damage = read(run)
    assert damage.lines == 0
    assert [each.time for each in found] == list(range(len(found)))
    assert len(found) > 300


def test_without_samples_the_newest_is_kept(tmp_path):
    kinds = ["start", SAMPLE, "signal", SAMPLE, SAMPLE, "end"]
    write(tmp_path / "0001", [Record(at, kind, [SAMPLE]) for at, kind in enumerate(kinds)])
    found, _ = log.read(tmp_path / "0001", samples=False)
    assert [(each.time, each.kind) for each in found] == [
        (0, "start"),
        (2, "signal"),
        (4, SAMPLE),
        (5, "end"),
    ]


def test_errors_name_the_folder_and_the_way_out(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / LOG).touch()
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / LOG).write_bytes(os.urandom(3000))
    for folder, words in (("missing", "name the folder"), ("empty", "no readable"), ("noise", "no readable")):
        with pytest.raises(LogError, match=words) as caught:
            log.read(tmp_path / folder)
        assert folder in str(caught.value)
    (tmp_path / "file").touch()
    with pytest.raises(LogError, match="another folder"):
        Log(tmp_path / "file" / "0001", create=True)


def test_the_reserve_holds_real_blocks(tmp_path):
    write(tmp_path / "0001", some_records(1))
    assert (tmp_path / "0001" / RESERVE).stat().st_blocks * 512 >= log.RESERVE_BYTES


def test_the_log_can_be_read_by_eye_and_by_others(tmp_path):
    write(tmp_path / "0001", [Record(5, "end", {"status": 0})])
    line = (tmp_path / "0001" / LOG).read_text().splitlines()[0]
    assert json.loads(line[9:]) == [5, "end", {"status": 0}]


def test_72_hours_at_a_sample_a_second_take_less_than_50_megabytes():
    """Even for a job of 32 processors whose every counter has all its digits."""
    large = Sample(
        processes=999, started=999_999, rss_kb=10**8 - 1, vsize_kb=10**9 - 1, cpu_ms=72 * 3600 * 32_000,
        threads=9999, files=99_999, read_kb=10**9 - 1, write_kb=10**9 - 1, switches=10**9 - 1,
        preempted=10**9 - 1, load=9999, available_kb=10**9 - 1, disk_free_kb=10**10 - 1, cgroup_kb=10**9 - 1,
        lines=10**9 - 1,
    )  # fmt: skip
    seconds = 72 * 3600
    end_ms = seconds * 1000
    samples = seconds * len(log.encode(Record(end_ms, SAMPLE, list(large))))
    lines = end_ms // LINE_EACH_MS * len(log.encode(Record(end_ms, "line", "x" * LINE_CHARACTERS_MAX)))
    assert samples + lines + 72 * CHANGES_BYTES_PER_HOUR < 50_000_000
