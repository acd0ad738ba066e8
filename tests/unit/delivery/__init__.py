"""Tests of delivery and of the health of peers."""
