"""What the room of changes says when it does not do what was asked."""


class Refused(Exception):
    """Nothing was changed. The message says why in one sentence, and what to do."""
