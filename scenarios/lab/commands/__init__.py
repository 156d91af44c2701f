"""The command `heisenlab`: one file for each of its commands."""
