"""The tests of esnfed."""
