"""From what happened to a letter: the way back first, then what hurts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsboard.alerts.letters import Fact, Letter, Link, Part, Step, Way
from opsboard.alerts.news import ESCALATED, FAILING, LINKED, REMINDER, FailingPath, Item, News
from opsboard.alerts.subjects import subject_of, subject_of_many, tally

# Up to so many are each told with their note's title; more are counted, and the first are named.
MOST_TOLD = 20
NO_NOTE = "no rollback note has been written for this service."


def letter_of_one(item: Item) -> Letter:
    part = in_whole(item)
    return Letter(event=item.event, subject=part.heading, lead="", parts=(part,))


def letter_of_some(items: Sequence[Item], *, url: str) -> Letter:
    """2 to 20 alerts: each with its sentence, its note's title and its links."""
    subject = subject_of_many(items)
    return Letter(
        event=worst(items),
        subject=subject,
        lead=f"{len(items)} alerts: {tally(items)}.",
        parts=tuple(in_brief(item) for item in items),
        links=(Link("All of this message", url),),
    )


def letter_of_many(items: Sequence[Item], named: Sequence[Item], *, url: str) -> Letter:
    """A summary: counts by team and tier, the first named, and a page that lists every one.

    `named` are the first of them, read in more depth than the others.
    """
    return Letter(
        event=worst(items),
        subject=subject_of_many(items),
        lead=f"{len(items)} alerts at once: {tally(items)}. The first {len(named)} are named "
        "here; the page of this message lists every one.",
        parts=tuple(in_brief(item) for item in named),
        counts=tuple(_counts(items)),
        links=(Link(f"All {len(items)} alerts", url),),
    )


def by_urgency(items: Sequence[Item]) -> list[Item]:
    """What fails first, the services a company cannot work without before others."""
    ranks = [FAILING, ESCALATED, REMINDER, LINKED]

    def rank(item: Item) -> tuple[int, int]:
        at = ranks.index(item.event) if item.event in ranks else len(ranks)
        return at, item.tier or 9

    return sorted(items, key=rank)


def worst(items: Sequence[Item]) -> str:
    return by_urgency(items)[0].event


def in_whole(item: Item) -> Part:
    """All that is known of one incident."""
    if not isinstance(item, News):
        return _remark(item.event, subject_of(item), item.text, item.url)
    return Part(
        event=item.event,
        heading=subject_of(item),
        lead=lead_of(item),
        way=None if item.is_over else way_of(item),
        facts=tuple(_facts_after(item) if item.is_over else _facts(item)),
        links=tuple(_links(item, sheets=True)),
    )


def in_brief(item: Item) -> Part:
    """A sentence, the title of the way back, and where to read on."""
    if not isinstance(item, News):
        return _remark(item.event, subject_of(item), item.text, item.url)
    way = None if item.is_over else way_of(item)
    return Part(
        event=item.event,
        heading=subject_of(item),
        lead=lead_of(item),
        way=Way(label=way.label, title=way.title, url=way.url) if way else None,
        links=tuple(_links(item, sheets=False)),
    )


def _remark(event: str, subject: str, text: str, url: str) -> Part:
    links = (Link("Open it in Opsboard", url),) if url else ()
    return Part(event=event, heading=subject, lead=text, links=links)


def lead_of(item: News) -> str:
    """What is so, in one sentence; a second one when something else has to be known first."""
    if item.is_over:
        return _ending(item)
    lead = f"{item.what} of {item.service} in {item.environment} is failing{_why(item)}"
    match item.event:
        case "reminder":
            of = f" of {item.reminders}" if item.reminders else ""
            lead += f" Still failing, nobody has acknowledged: reminder {item.reminder}{of}."
        case "escalated":
            lead += f" Nobody has acknowledged it in {item.lasted}: you hear as the second step."
        case "linked" if item.below:
            below = item.below
            lead += f" It is caused below by {below.incident} of {below.service}"
            lead += f"; its note is {item.note['title']}." if item.note else "."
        case "failing" if item.opening > 1:
            lead += " It failed again after it had recovered: further alerts wait until it holds."
    return lead


def _ending(item: News) -> str:
    is_watched = not item.paths or any(path.is_watched for path in item.paths)
    how = "has recovered" if is_watched else "is not watched any more where it failed"
    return (
        f"{item.what} of {item.service} in {item.environment} {how}: "
        f"it was failing for {item.lasted}, since {item.opened}."
    )


def _why(item: News) -> str:
    """ ": expected status == 200, got 503." of the first path."""
    first = item.paths[0] if item.paths else None
    if first and first.clauses:
        clause, got = first.clauses[0]
        others = len(first.clauses) - 1
        more = f" and {others} more {'clause' if others == 1 else 'clauses'}" if others else ""
        return f": expected {clause}, got {got.rstrip('.') or 'nothing'}{more}."
    return f": {first.reason.rstrip('.')}." if first and first.reason else "."


def way_of(item: News) -> Way:
    """The rollback note; of a service below when that is where the cause lies."""
    label = f"The way back, of {item.below.service} below" if item.below else "The way back"
    note = item.note
    if note is None:
        return Way(label=label, title=NO_NOTE)
    return Way(
        label=label,
        title=note["title"],
        facts=tuple(_note_facts(note)),
        steps=tuple(
            Step(*(str(step.get(name, "")) for name in ("do", "run", "see", "call")))
            for step in note["steps"]
        ),
        url=str(note["url"]),
    )


def _note_facts(note: Mapping[str, Any]) -> list[Fact]:
    facts = [
        Fact("Use it when", note["use_when"]),
        Fact("It does not undo", note["does_not_undo"]),
        Fact("It takes", f"about {note['minutes']} min" if note["minutes"] else ""),
        Fact("Trust", str(note.get("rehearsed", ""))),
        *(Fact("Not known", str(sentence)) for sentence in note.get("unknown", ())),
    ]
    return [fact for fact in facts if fact.value]


def _facts(item: News) -> list[Fact]:
    first = item.paths[0] if item.paths else None
    facts = [
        Fact("Where the user notices", first.user_notices or "not written down yet")
        if first
        else Fact("", ""),
        Fact("Since", f"{item.opened}, {item.lasted} ago"),
        Fact("Who has it", who_has_it(item)),
        Fact("Likely cause", item.cause),
        Fact("What moved", "; ".join(item.moved)),
    ]
    for number, path in enumerate(item.paths):
        facts += _path_facts(path, is_first=number == 0)
    return [fact for fact in facts if fact.value]


def _path_facts(path: FailingPath, *, is_first: bool) -> list[Fact]:
    clauses = [Fact("Expected", f"{clause}, got {got}") for clause, got in path.clauses]
    notices = [] if is_first else [Fact("Where the user notices", path.user_notices)]
    return [
        Fact("Path", f"{path.name}: {path.route}"),
        Fact("What is wrong", path.reason),
        *clauses,
        *notices,
        Fact("Owner", path.owner),
    ]


def _facts_after(item: News) -> list[Fact]:
    return [
        Fact("Passing again" if path.is_watched else "Not watched any more", path.name)
        for path in item.paths
    ]


def who_has_it(item: News) -> str:
    if item.acknowledged_by:
        return f"{item.acknowledged_by}, acknowledged"
    if item.on_duty:
        return f"nobody yet; on duty: {item.on_duty}"
    return "nobody yet"


def _links(item: News, *, sheets: bool) -> list[Link]:
    links = [Link(f"Incident {item.incident}", item.incident_url)]
    if item.acknowledge_url and not item.is_over:
        links.append(Link("Acknowledge", item.acknowledge_url))
    if item.below:
        links.append(Link(f"Incident {item.below.incident} below", item.below.url))
    if sheets:
        links += [Link(f"Sheet of {path.name}", path.url) for path in item.paths]
    return links


def _counts(items: Sequence[Item]) -> list[Fact]:
    """By team, the team with the most that fails first; within it by tier."""
    teams = dict.fromkeys(item.team or "No team" for item in items)
    rows = {team: [one for one in items if (one.team or "No team") == team] for team in teams}

    def weight(team: str) -> tuple[int, int]:
        failing = [one for one in rows[team] if one.event != "resolved"]
        return -sum(1 for one in failing if one.tier == 1), -len(failing)

    return [Fact(team, _count_words(rows[team])) for team in sorted(rows, key=weight)]


def _count_words(items: Sequence[Item]) -> str:
    tiers = sorted({item.tier for item in items if item.tier})
    if not tiers:
        return tally(items)
    return "; ".join(
        f"tier {tier}: {tally([one for one in items if one.tier == tier])}" for tier in tiers
    )
