"""Benchmarks. May import rescind, never the reverse; timings are measured here and never in tests."""
