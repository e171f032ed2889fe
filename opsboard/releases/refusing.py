"""What a room says when it does not do what was asked: one sentence, shown as it is."""


class Refused(Exception):
    """Nothing was changed. The message says why, and what to do."""
