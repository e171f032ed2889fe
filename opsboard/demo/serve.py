"""One process of sample services: `python -m opsboard.demo.serve fastapi --port 9001 ...`.

Started by opsboard.demo.running with a pipe as its standard input. When the pipe ends, the board
has ended, whatever way it did, and so does this.
"""

import argparse
import os
import sys
import threading
from importlib import import_module
from pathlib import Path


def _end_with_the_board() -> None:
    sys.stdin.buffer.read()
    # Nothing here is worth a tidy end, and a request may hang for a long time.
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="opsboard.demo.serve")
    parser.add_argument("kind", choices=("fastapi", "django", "flask"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--site", action="append", default=[], metavar="NAME=ADDRESS")
    options = parser.parse_args()
    threading.Thread(target=_end_with_the_board, daemon=True).start()
    sites = dict(site.split("=", 1) for site in options.site)
    module = import_module(f"opsboard.demo.{options.kind}_services")
    module.serve(options.directory, options.port, sites)


if __name__ == "__main__":
    main()
