"""Benchmarks: ``python -m benchmarks`` measures the engine beside its peers; ``front_end.py`` measures the language."""
