"""A letter as Slack's Block Kit, within its limits: 50 blocks, 3,000 characters a section. Pure."""

from collections.abc import Iterable
from typing import Any

from opsboard.alerts.letters import Letter, Link, Part, Step, Way
from opsboard.alerts.renderings.cutting import ELLIPSIS, cut

MOST_BLOCKS = 50
MOST_IN_SECTION = 3_000
MOST_IN_HEADER = 150

Block = dict[str, Any]


def render(letter: Letter) -> dict[str, Any]:
    """The body of one POST to an incoming webhook."""
    return {
        # For notifications and for readers that show no blocks.
        "text": cut(escape(f"{letter.subject}\n{letter.sentence}"), MOST_IN_SECTION),
        "blocks": blocks(letter),
        # Nobody's preview opens the links: one of them acknowledges.
        "unfurl_links": False,
        "unfurl_media": False,
    }


def blocks(letter: Letter) -> list[Block]:
    made = [_header(letter.subject)]
    if letter.lead:
        made.append(_section(f"*{escape(letter.lead)}*"))
    if letter.counts:
        made += _sections(f"*{escape(one.label)}:* {escape(one.value)}" for one in letter.counts)
    is_alone = len(letter.parts) == 1 and not letter.lead
    for part in letter.parts:
        made += _whole(part) if is_alone else [_section(_brief(part))]
    end = [_section(_links(letter.links))] if letter.links else []
    if len(made) + len(end) > MOST_BLOCKS:
        made = [*made[: MOST_BLOCKS - len(end) - 1], _section("The rest is cut off here.")]
    return made + end


def _whole(part: Part) -> list[Block]:
    made = [_section(f"*{escape(part.lead)}*")]
    if part.way:
        made += _sections(_way_lines(part.way))
    made += _sections(f"*{escape(fact.label)}:* {escape(fact.value)}" for fact in part.facts)
    if part.links:
        made += [{"type": "divider"}, _section(_links(part.links))]
    return made


def _brief(part: Part) -> str:
    lines = [escape(cut(part.lead, 1_000))]
    if part.way:
        title = cut(part.way.title, 300)
        lines.append(f"{escape(part.way.label)}: {_link(title, part.way.url)}")
    lines.append(_links(part.links))
    return "\n".join(line for line in lines if line)


def _way_lines(way: Way) -> Iterable[str]:
    yield f"*{escape(way.label)}:* {_link(way.title, way.url)}"
    for fact in way.facts:
        yield f"{escape(fact.label)}: {escape(fact.value)}"
    for number, step in enumerate(way.steps, start=1):
        yield _step(number, step)


def _step(number: int, step: Step) -> str:
    lines = [f"{number}. {escape(step.do)}"]
    if step.run:
        # A backtick would end the code, and what follows it would be read as marks.
        lines.append(f"```{_signs(step.run).replace('`', '\u02cb')}```")
    if step.see:
        lines.append(f"You should see: {escape(step.see)}")
    if step.call:
        lines.append(f"If it fails, call: {escape(step.call)}")
    return "\n".join(lines)


def _sections(lines: Iterable[str]) -> list[Block]:
    """As few sections as hold the lines; no line is torn unless it is too long by itself."""
    texts: list[str] = []
    for line in lines:
        kept = _cut_marked(line)
        if texts and len(texts[-1]) + 1 + len(kept) <= MOST_IN_SECTION:
            texts[-1] += f"\n{kept}"
        else:
            texts.append(kept)
    return [_section(text) for text in texts]


def _cut_marked(line: str) -> str:
    """Cut a line that is too long without leaving half an escape, or a code block open."""
    if len(line) <= MOST_IN_SECTION:
        return line
    kept = line[: MOST_IN_SECTION - 10]
    kept = kept[: kept.rfind("&")] if "&" in kept[-5:] else kept
    return kept + ("```" if kept.count("```") % 2 else "") + ELLIPSIS


def _header(text: str) -> Block:
    kept = cut(text, MOST_IN_HEADER)
    return {"type": "header", "text": {"type": "plain_text", "text": kept, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut_marked(text)}}


def _links(links: Iterable[Link]) -> str:
    return " · ".join(_link(cut(link.text, 100), link.url) for link in links)


def _link(text: str, url: str) -> str:
    if not url:
        return escape(text)
    return f"<{_signs(url).replace('|', '%7C')}|{escape(text).replace('|', '/')}>"


def escape(text: str) -> str:
    """What people and far sides wrote mentions nobody and makes no marks.

    `*`, `_`, `~` and the backtick have no escape in mrkdwn: an invisible joiner before them keeps
    them from being read as marks.
    """
    text = _signs(text)
    for sign in "*_~`":
        text = text.replace(sign, f"\u2060{sign}")
    return text


def _signs(text: str) -> str:
    """The three signs that Slack asks to escape, and nothing else: in addresses and commands."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
