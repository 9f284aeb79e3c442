"""Fuzzing: bytes that nobody meant to send must give clean errors and nothing else.

`targets.py` says what is asked and which errors are clean, `seeds/TARGET/` holds inputs to begin
with and every one that once failed. `test_targets.py` mutates the seeds for a moment in each
`make test`; `make fuzz` does it with atheris (coverage-guided) for as long as FUZZ_SECONDS says.
"""
