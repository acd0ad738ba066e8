"""Tests of what the doors share, without a server where none is needed."""
