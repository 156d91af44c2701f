"""A differential test of the thread explorer: random programs, and a brute-force interpreter as the oracle."""
