"""Object kinds alone: documents in, column values out."""
