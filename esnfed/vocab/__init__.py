"""ActivityStreams words: parsing, addressing, inline contexts. Pure: no I/O, no database."""
