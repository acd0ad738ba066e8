"""What can be done here, callable from any door: synchronous functions over a Context."""
