"""Run by itself with the folder of html5lib: pages as JSON in, their parse errors as JSON out."""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    """Read {name: html} from standard input; write {name: [error with its line]} of the wrong ones."""
    sys.path.insert(0, sys.argv[1])
    html5lib = importlib.import_module("html5lib")
    found = {}
    for name, html in json.load(sys.stdin).items():
        parser = html5lib.HTMLParser()
        parser.parse(html)
        if parser.errors:
            lines = html.splitlines()
            found[name] = [
                f"{code} {details}: {lines[place[0] - 1].strip()[:160]}"
                for place, code, details in parser.errors
            ]
    json.dump(found, sys.stdout)


main()
