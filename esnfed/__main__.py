"""`python -m esnfed` is the `esnfed` command."""

from esnfed.cli import main

if __name__ == "__main__":
    main()
