"""Benchmarks: `./dev bench`."""
