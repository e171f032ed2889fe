"""Runs a few lines of Python in a process of its own: python -m tests.faults.saying 'lines'."""

import sys

exec(sys.argv[1])  # noqa: S102 - lines of these tests, for what needs another board's settings
