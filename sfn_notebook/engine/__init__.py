"""Runs a compiled state machine: pure, deterministic, on a virtual clock; commands out, outcomes in."""
