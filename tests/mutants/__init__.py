"""Mutation testing: change one thing at a time, and see whether a test fails.

`python -m tests.mutants` makes the mutants, runs the tests that concern each, and lists the survivors.
"""
