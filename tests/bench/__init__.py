"""Benchmarks: each prints one JSON line comparing a value with a limit measured in the same run."""
