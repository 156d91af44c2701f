"""A differential test of the thread explorer: random programs, and brute force as the oracle."""
