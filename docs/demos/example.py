"""@example: a case from the field, tried first and for ever."""
from zlib import crc32
from hypothesis import example, given, strategies as st

keys = st.text("abcdefghijklmnopqrstuvwxyz")


def slot(key):
    return crc32(key.encode())
    # fix: return key


@example("plumless", "buckeroo")  # a user's two keys; by chance: 1 in 4,294,967,296
@given(keys, keys)
def test_the_cache_keeps_two_values_apart(mine, yours):
    cache = {}
    cache[slot(mine)] = "my value"
    cache[slot(yours)] = "your value"
    assert mine == yours or cache[slot(mine)] == "my value"
