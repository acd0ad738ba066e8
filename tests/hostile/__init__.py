"""A hostile peer plays every row of federation.md C1, C2 and C3 against a live node."""
