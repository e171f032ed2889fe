"""A letter as plain text. Pure."""

from collections.abc import Iterable

from opsboard.alerts.letters import Fact, Letter, Link, Part, Step, Way


def render(letter: Letter) -> str:
    blocks = [letter.lead, _counts(letter.counts)]
    is_alone = len(letter.parts) == 1 and not letter.lead
    for part in letter.parts:
        blocks += _part(part, is_alone=is_alone)
    blocks.append(_links(letter.links))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _part(part: Part, *, is_alone: bool) -> list[str]:
    way = way_text(part.way) if part.way else ""
    facts = "\n".join(_fact(fact) for fact in part.facts)
    if is_alone:
        return [part.lead, way, facts, _links(part.links)]
    lines = [part.heading, part.lead, way, facts, _links(part.links)]
    return ["\n".join(line for line in lines if line)]


def way_text(way: Way) -> str:
    lines = [f"{way.label}: {way.title}"]
    lines += [f"  {_fact(fact)}" for fact in way.facts]
    for number, step in enumerate(way.steps, start=1):
        lines += step_lines(number, step)
    if way.url:
        lines.append(f"  Rollback note: {way.url}")
    return "\n".join(lines)


def step_lines(number: int, step: Step) -> list[str]:
    lines = [f"  {number}. {step.do}"]
    if step.run:
        lines.append(f"     Run: {step.run}")
    if step.see:
        lines.append(f"     You should see: {step.see}")
    if step.call:
        lines.append(f"     If it fails, call: {step.call}")
    return lines


def _fact(fact: Fact) -> str:
    return f"{fact.label}: {fact.value}"


def _counts(counts: Iterable[Fact]) -> str:
    return "\n".join(_fact(fact) for fact in counts)


def _links(links: Iterable[Link]) -> str:
    return "\n".join(f"{link.text}: {link.url}" for link in links)
