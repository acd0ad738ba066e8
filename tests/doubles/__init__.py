"""Stand-ins for what a test cannot use for real: the clock, a server of its own."""
