"""A change as the board says it: read strictly, and printed."""

import argparse
import re
from dataclasses import dataclass

from opsboard.cli.answers import Object, inner, maybe_text, number, objects, text, texts, word
from opsboard.cli.arguments import Parser
from opsboard.cli.asking import Board, Patience
from opsboard.cli.leaving import NoAnswer, NotThere
from opsboard.cli.printing import paint, plain, say, table

IMPROVED, REGRESSED, NO_CHANGE = "improved", "regressed", "no_change"
COLLECTING, INCONCLUSIVE, CONFOUNDED, INVALID = (
    "collecting",
    "inconclusive",
    "confounded",
    "invalid",
)
VERDICTS = (IMPROVED, REGRESSED, NO_CHANGE, COLLECTING, INCONCLUSIVE, CONFOUNDED, INVALID)

DECLARED, BEFORE, SEALED, AFTER = "declared", "baseline", "sealed", "collecting"
JUDGING, JUDGED, GIVEN_UP, WITHDRAWN = "judging", "judged", "given_up", "withdrawn"
_STAGES = {
    DECLARED: "declared, without a baseline",
    BEFORE: "collecting before",
    SEALED: "sealed, and not applied yet",
    AFTER: "collecting after",
    JUDGING: "judging",
    JUDGED: "judged",
    GIVEN_UP: "given up",
    WITHDRAWN: "withdrawn",
}

_ENDED = {
    GIVEN_UP: "repeat it to measure again.",
    WITHDRAWN: "declare another change to measure again.",
}


@dataclass(frozen=True, slots=True)
class Burst:
    wanted: int
    asked: int
    is_over: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class Seen:
    """`count` and `of` of the window that collects; None: none does."""

    name: str
    title: str
    stage: str
    verdict: str
    attempt: int | None
    count: int | None
    of: int | None
    burst: Burst | None
    sentences: list[str]
    reasons: list[str]
    settle: str
    said: Object

    @property
    def collects(self) -> str:
        """As "collecting before, 137 of 200"."""
        word = _STAGES[self.stage]
        return word if self.count is None else f"{word}, {self.count} of {self.of}"

    @property
    def is_ended(self) -> bool:
        """It has no verdict, and gets none by waiting."""
        return self.verdict == COLLECTING and self.stage in (GIVEN_UP, WITHDRAWN)


def add_change(parser: Parser) -> None:
    parser.add_argument("change", metavar="CHANGE", type=_number, help="as CHG-0198, or 198")


def _number(written: str) -> int:
    digits = re.fullmatch(r"(?:CHG-|#)?([0-9]{1,9})", written.strip(), re.IGNORECASE)
    if digits is None:
        raise argparse.ArgumentTypeError("write the number of the change, as CHG-0198 or 198")
    return int(digits[1])


def ask(board: Board, change: int, patience: Patience | None = None) -> Seen:
    """Raises NoAnswer."""
    try:
        return read(board.get("changes", str(change), patience=patience), change)
    except NotThere as none:
        raise NotThere(
            f"{none.sentence} Either there is no such change, or this board does not know changes."
        ) from None


def read(said: Object, change: int | None = None) -> Seen:
    """Raises NoAnswer for what is unknown, missing, of another change, or at odds with itself."""
    if change is not None and number(said, "number") != change:
        raise NoAnswer(f"The board answered with another change than {change}.")
    verdict, stage = word(said, "verdict", VERDICTS), word(said, "stage", tuple(_STAGES))
    attempt = None if said.get("attempt") is None else number(said, "attempt")
    if verdict != COLLECTING and (attempt is None or said.get("result") is None):
        raise NoAnswer(f'The board says "{plain(verdict)}" without any figures.')
    progress = None if said.get("progress") is None else inner(said, "progress")
    return Seen(
        text(said, "name"),
        text(said, "title"),
        stage,
        verdict,
        attempt,
        number(progress, "count") if progress else None,
        number(progress, "of") if progress else None,
        _burst(progress) if progress and progress.get("burst") is not None else None,
        texts(said, "sentences"),
        texts(said, "reasons"),
        maybe_text(said, "settle"),
        said,
    )


def _burst(progress: Object) -> Burst:
    one = inner(progress, "burst")
    return Burst(
        number(one, "wanted"),
        number(one, "asked"),
        bool(maybe_text(one, "finished_at") or maybe_text(one, "stopped_at")),
        maybe_text(one, "trouble"),
    )


def words_of(verdict: str) -> str:
    return verdict.replace("_", " ")


def print_verdict(seen: Seen) -> None:
    """The two sentences, the reasons, and what would settle it; or how far it is."""
    if seen.is_ended:
        what_now = _ENDED[seen.stage]
        say(f"{plain(seen.name)} was {plain(seen.collects)} and has no verdict: {what_now}")
        return
    if seen.verdict == COLLECTING:
        say(f"{plain(seen.name)}: {plain(seen.collects)}")
        return
    say(f"{plain(seen.name)}: {paint(words_of(seen.verdict))}")
    # The sentences stand among the reasons, too.
    for one in dict.fromkeys((*seen.sentences, *seen.reasons)):
        say(f"  {plain(one)}")
    if maybe_text(seen.said, "withdrawn_at"):
        say("  It was withdrawn since.")
    if seen.settle:
        say(f"  To settle it: {plain(seen.settle)}")


def print_change(seen: Seen) -> None:
    print_verdict(seen)
    said = seen.said
    say(f"  {plain(seen.title)}")
    place = f"{text(said, 'service')} {text(said, 'path')} in {text(said, 'environment')}"
    say(f"  {plain(place)}, changed: {plain(', '.join(texts(said, 'variables')))}")
    rows = [
        [f"  attempt {number(one, 'number')}", _came_to(one), _days(one)]
        for one in objects(said, "attempts")
    ]
    if rows:
        table(rows)
    if url := maybe_text(said, "url"):
        say(f"  {plain(url)}")


def _came_to(attempt: Object) -> str:
    verdict = word(attempt, "verdict", VERDICTS)
    is_given_up = verdict == COLLECTING and maybe_text(attempt, "given_up_at")
    return "given up" if is_given_up else words_of(verdict)


def _days(attempt: Object) -> str:
    facts = [
        f"{what} {at[:16].replace('T', ' ')}"
        for what, name in (
            ("began", "began_at"),
            ("applied", "applied_at"),
            ("judged", "judged_at"),
            ("given up", "given_up_at"),
        )
        if (at := maybe_text(attempt, name))
    ]
    return ", ".join(facts)
