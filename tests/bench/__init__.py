"""`make bench`: what the hot paths cost, against bare limits measured in the same run; nothing is asserted."""
