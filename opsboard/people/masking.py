"""Tokens never stand in a log: whatever is logged, they are cut to their prefix.

Somebody may put one into an address, a title or an error; a log is read by more people than may
use the token. The logging of the settings names this module, so it imports nothing of Django.
"""

import logging
import re

# What a token looks like: secret scanners find one by it.
PATTERN = r"obs_ci_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}"
_TOKEN = re.compile(r"(obs_ci_[0-9A-Za-z]{8})[0-9A-Za-z]{22}(_[0-9A-Za-z]{1,6})?")
# Where a job reports in: who has the address may report in its name.
_BEAT = re.compile(r"(/beat/[0-9A-Za-z]{4})[0-9A-Za-z]{28}")


def masked(text: str) -> str:
    return _BEAT.sub(r"\1…", _TOKEN.sub(r"\1…", text))


class Masking(logging.Formatter):
    """The whole text of an entry is masked, its traceback too."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
