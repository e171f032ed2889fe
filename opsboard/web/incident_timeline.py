"""What happened in an incident, entry by entry, in the words of its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE

from opsboard.incidents.cause import short
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes.rules import State
from opsboard.web import words

ENTRIES_SHOWN = 200
Act = TimelineEntry.Act

ICONS = {
    Act.ALERTED: "mail",
    Act.REMINDED: "mail",
    Act.ESCALATED: "mail",
    Act.ACKNOWLEDGED: "check",
    Act.LINKED: "arrow-right",
    Act.UNLINKED: "arrow-right",
    Act.ROLLBACK_STARTED: "undo-2",
    Act.STEP_DONE: "check",
    Act.STEP_UNDONE: "x",
}
STATES = {
    Act.OPENED: State.FAILING,
    Act.JOINED: State.FAILING,
    Act.REOPENED: State.FAILING,
    Act.LEFT: State.PASSING,
    Act.RESOLVED: State.PASSING,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what happened."""

    at: datetime
    text: str
    # The state it led to, or "": then the icon.
    state: str = ""
    icon: str = ""
    # What a person wrote, as Markdown; `text` then says who, or what they did.
    prose: str = ""
    # Another incident that it is about, and the key of a message that was sent; or None and "".
    incident: int | None = None
    message: str = ""
    # Where more is read about it; "": nowhere.
    url: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    # Newest first.
    entries: list[Entry]
    # How many older ones are not shown.
    more: int


def timeline(incident: Incident, *, deploy: Mapping[str, Any] | None) -> Timeline:
    """Two queries at most. `deploy` is what Incident.cause found before it, in its place."""
    newest = incident.timeline.select_related("path", "by").order_by("-at", "-pk")
    entries = list(newest.fetch_mode(FETCH_RAISE)[: ENTRIES_SHOWN + 1])
    is_all = len(entries) <= ENTRIES_SHOWN
    more = 0 if is_all else incident.timeline.count() - ENTRIES_SHOWN
    found = [entry_words(entry) for entry in entries[:ENTRIES_SHOWN]]
    if deploy and deploy.get("at") and not more:
        found.append(_reached(deploy))
        found.sort(key=lambda entry: entry.at, reverse=True)
    return Timeline(found, more)


def _reached(deploy: Mapping[str, Any]) -> Entry:
    """ "Release 2026.11.3 of fares-api began to run." """
    return Entry(
        at=datetime.fromisoformat(deploy["at"]),
        text=f"{deploy['kind']} {short(deploy['name'])} of {deploy['service']} began to run.",
        icon="arrow-right",
        url=str(deploy.get("url") or ""),
    )


def entry_words(entry: TimelineEntry) -> Entry:
    """One entry as its line on the page."""
    act = Act(entry.act)
    is_persons = entry.by is not None or bool(entry.by_name)
    prose = entry.text if is_persons and act in WRITTEN_BY_PEOPLE else ""
    state = STATES.get(act, "")
    icon = "" if state else ICONS.get(act, "message-square")
    return Entry(
        at=entry.at,
        text=_text(entry, act).strip(),
        state=state,
        icon=icon,
        prose=prose,
        incident=entry.facts.get("incident"),
        message=entry.facts.get("message", ""),
    )


# What a person typed goes with these; Opsboard's own words go with the others.
WRITTEN_BY_PEOPLE = (Act.OPENED, Act.NOTED, Act.RESOLVED)


def _text(entry: TimelineEntry, act: Act) -> str:
    name = entry.path.name if entry.path else "A path"
    who, said = who_did(entry), words.sentence(entry.text)
    match act:
        case Act.OPENED:
            by_hand = f"{who} opened this incident by hand."
            return f"{name} is failing. {said}" if entry.path or not entry.by else by_hand
        case Act.JOINED:
            return f"{name} is failing too. {said}"
        case Act.LEFT:
            return f"{name} is not failing any more. {said}"
        case Act.REOPENED:
            return f"Open again: {name} is failing. {said}" if entry.path else f"Open again. {said}"
        case Act.ACKNOWLEDGED:
            return f"{who} acknowledged, and has it."
        case Act.RESOLVED:
            itself = said or "Resolved: no path fails any more."
            return f"Resolved by {who}." if entry.by or entry.by_name else itself
        case Act.NOTED:
            return f"{who}:"
        case Act.AFTERWORD:
            return f"{who} wrote the afterword."
    return _of_the_way_back(entry, act, who) or _of_alerts(entry, act)


def _of_the_way_back(entry: TimelineEntry, act: Act, who: str) -> str:
    said, step = words.sentence(entry.text), entry.facts.get("step", "")
    match act:
        case Act.ROLLBACK_STARTED:
            return f"{who} started the rollback. {said}"
        case Act.STEP_DONE:
            return f"{who} marked step {step} of the rollback done. {said}"
        case Act.STEP_UNDONE:
            return f"{who} marked step {step} of the rollback as not done. {said}"
    return ""


def _of_alerts(entry: TimelineEntry, act: Act) -> str:
    """Their text names channels, or the incident of a service below."""
    match act:
        case Act.ALERTED:
            return f"Alert sent to {entry.text}."
        case Act.REMINDED:
            return f"Nobody had acknowledged: reminded {entry.text or 'those who were told'}."
        case Act.ESCALATED:
            return f"Nobody had acknowledged: told {entry.text or 'the second step'} as well."
        case Act.LINKED:
            return f"Linked to {entry.text or 'an incident below'}. Its way back comes first."
    return f"Not linked to {entry.text or 'an incident below'} any more: it stands for itself."


def who_did(entry: TimelineEntry) -> str:
    if entry.by_name:
        return entry.by_name
    return words.person_name(entry.by) if entry.by else "Opsboard"
