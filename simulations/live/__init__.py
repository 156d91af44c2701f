"""The instruments: the questions of the worlds, asked of real code."""
