"""How the command ends: its exit codes, and the sentences that go with them."""

DONE = 0
USAGE = 2
NO_ANSWER = 7
REFUSED = 9

FOR_ALL = """exit codes of every command:
  0  done, or yes (each command's --help says what it means there)
  2  usage: an argument, or OPSBOARD_URL or OPSBOARD_TOKEN, is missing or wrong
  7  no answer from the board, or one that cannot be trusted; never 0
  9  the board refused what was to be written, with its reason"""


class Leave(Exception):
    """Raised anywhere: the sentence is printed, and the command ends with `code`."""

    code = NO_ANSWER

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Usage(Leave):
    code = USAGE


class NoAnswer(Leave):
    """The board did not answer, or not in a way that can be trusted: never taken for a yes."""


class Away(NoAnswer):
    """No answer now; asking later may help."""


class NotThere(NoAnswer):
    """It answered that there is no such thing."""


class Refused(Leave):
    """The board said no, and why. `codes` are the machine-readable words of its reasons."""

    code = REFUSED

    def __init__(self, sentence: str, codes: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.codes = codes
