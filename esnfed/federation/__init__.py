"""The generic federation kernel: signatures, transport, resolving, receiving and delivering."""
