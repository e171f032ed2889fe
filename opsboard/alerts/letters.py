"""What a message says, in no form yet: a subject, a sentence, the way back, facts and links.

Pure. A letter is put together from named fields; nothing a person or a far side wrote is ever a
template. `alerts.renderings` write it for people and programs; it is stored as plain values.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rollback note."""

    do: str
    run: str = ""
    see: str = ""
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way back as a letter tells it: in whole, or its title alone."""

    # "The way back", or "The way back of fares-db, below".
    label: str
    title: str
    facts: tuple[Fact, ...] = ()
    steps: tuple[Step, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is told of one incident, or of one notice."""

    # "failing", "resolved" ...: the state a rendering marks it with.
    event: str
    heading: str
    lead: str
    way: Way | None = None
    facts: tuple[Fact, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    event: str
    subject: str
    # One sentence. "": the one part says it.
    lead: str
    parts: tuple[Part, ...] = ()
    # What a summary counts: "Pricing", "12 failing, tier 1".
    counts: tuple[Fact, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def sentence(self) -> str:
        """What it says in one sentence."""
        return self.lead or (self.parts[0].lead if self.parts else self.subject)


def stored(letter: Letter) -> dict[str, Any]:
    """The letter as plain values."""
    return asdict(letter)


def read(values: Mapping[str, Any]) -> Letter:
    """The letter that was `stored`."""
    return Letter(
        event=values["event"],
        subject=values["subject"],
        lead=values["lead"],
        parts=tuple(_part(part) for part in values["parts"]),
        counts=tuple(Fact(**fact) for fact in values["counts"]),
        links=tuple(Link(**link) for link in values["links"]),
    )


def of_content(content: Mapping[str, Any]) -> Letter:
    """The letter of a stored message; one from before letters has its text alone."""
    if "letter" in content:
        return read(content["letter"])
    text = content.get("text", "")
    part = Part(event="", heading=content.get("subject", ""), lead=text)
    return Letter(event="", subject=content.get("subject", ""), lead="", parts=(part,))


def retitled(letter: Letter, subject: str) -> Letter:
    """The letter under another subject; an empty one changes nothing."""
    return replace(letter, subject=subject) if subject else letter


def _part(values: Mapping[str, Any]) -> Part:
    way = values["way"]
    return Part(
        event=values["event"],
        heading=values["heading"],
        lead=values["lead"],
        way=_way(way) if way else None,
        facts=tuple(Fact(**fact) for fact in values["facts"]),
        links=tuple(Link(**link) for link in values["links"]),
    )


def _way(values: Mapping[str, Any]) -> Way:
    return Way(
        label=values["label"],
        title=values["title"],
        facts=tuple(Fact(**fact) for fact in values["facts"]),
        steps=tuple(Step(**step) for step in values["steps"]),
        url=values["url"],
    )
