"""`make bench`: what the hot paths cost, against bare limits of the same run; nothing is asserted."""
