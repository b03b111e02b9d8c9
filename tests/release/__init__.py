"""Tests of what a release ships, and the command that checks one: `python -m tests.release`."""
