"""What happened, as plain values: all a letter tells, read at the moment the message is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAILING = "failing"
RESOLVED = "resolved"
REMINDER = "reminder"
ESCALATED = "escalated"
LINKED = "linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingPath:
    name: str
    route: str
    reason: str
    # Pairs of a clause and what it got, the failed ones.
    clauses: tuple[tuple[str, str], ...]
    user_notices: str
    owner: str
    url: str
    # False: it was paused or removed, so nobody knows whether it passes.
    is_watched: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """The incident of a service this one depends on, that was open before this one began."""

    incident: str
    url: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One incident in one message, with all that happened to it since the last one."""

    # What happened, in order: ("failing",), ("failing", "resolved") ...; the last one stands.
    events: tuple[str, ...]
    incident: str
    incident_url: str
    # "": it is over, or it cannot be acknowledged by a link.
    acknowledge_url: str = ""
    # What hurts, when no path says so: an incident opened by hand.
    title: str
    service: str
    environment: str
    team: str
    tier: int
    # In words, with the date.
    opened: str
    # How long it hurt, or has hurt, in words.
    lasted: str
    # Which beginning this is: 2 when it failed again soon after it was resolved.
    opening: int = 1
    # Which of how many reminders; 0: nobody knows how many there will be.
    reminder: int = 1
    reminders: int = 0
    paths: tuple[FailingPath, ...] = ()
    # A note's snapshot with its "url"; None: nobody has written the way back.
    note: Mapping[str, Any] | None = None
    below: Below | None = None
    # Likely cause in one sentence, and what moved with it.
    cause: str = ""
    moved: tuple[str, ...] = ()
    # Who took it, and who is on duty; "" for nobody.
    acknowledged_by: str = ""
    on_duty: str = ""

    @property
    def event(self) -> str:
        return self.events[-1]

    @property
    def is_over(self) -> bool:
        return self.event == RESOLVED

    @property
    def what(self) -> str:
        """What hurts, short."""
        if not self.paths:
            return self.title or self.service
        others = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0].name}{others}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A notice or a test: of no incident."""

    event: str
    subject: str
    text: str
    service: str = ""
    environment: str = ""
    team: str = ""
    tier: int = 0
    url: str = ""


type Item = News | Remark
