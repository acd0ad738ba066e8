"""The demonstration network: three nodes in one process, who lives on them, and what a watcher sees."""
