"""Fedify as a live peer."""
