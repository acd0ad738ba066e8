"""Bounded fuzzing of everything that reads what other servers write."""
