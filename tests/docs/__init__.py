"""The documentation is compared with the program: what is written is there, and what is there is written."""
