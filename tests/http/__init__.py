"""Tests of the doors, by HTTP over a real database."""
