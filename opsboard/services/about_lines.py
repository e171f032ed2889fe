"""Links, tags and facts as people write them in a form: lines of text. Pure.

    Runbook: https://wiki.example/fares          a link a line
    booking, python                              tags, between commas or spaces
    Data class: internal                         a fact that is a text

    Regions:                                     a fact that is a list
    - oslo
    - bergen

    Ports:                                       a fact of texts by key
      http: 8000
      metrics: 9100

What is written is read back as it was. Every no is a sentence that names its line.
"""

import re
from collections.abc import Mapping, Sequence

from opsboard.services.about import MOST, Fact, Link, check_fact, check_link, check_tag

type Errors = list[str]


def read_links(text: str) -> tuple[list[Link], Errors]:
    links: list[Link] = []
    errors: Errors = []
    for number, line in _lines(text):
        name, colon, url = (part.strip() for part in line.partition(":"))
        if not colon or url.startswith("//"):
            errors.append(f"Line {number}: Write a name and an address, as in Runbook: https://…")
        elif wrong := check_link(name, url):
            errors.append(f"Line {number}: {wrong}")
        elif any(name == link["name"] for link in links):
            errors.append(f"Line {number}: {name} stands here twice: give one another name.")
        links.append({"name": name, "url": url})
    if len(links) > MOST:
        errors.append(f"A service has at most {MOST} links; these are {len(links)}.")
    return links, errors


def write_links(links: Sequence[Link]) -> str:
    return "\n".join(f"{link['name']}: {link['url']}" for link in links)


def read_tags(text: str) -> tuple[list[str], Errors]:
    tags = list(dict.fromkeys(re.split(r"[\s,]+", text.strip()))) if text.strip() else []
    tags = [tag for tag in tags if tag]
    errors = [f"{tag[:60]}: {wrong}" for tag in tags if (wrong := check_tag(tag))][:MOST]
    if len(tags) > MOST:
        errors.append(f"A service has at most {MOST} tags; these are {len(tags)}.")
    return tags, errors


def write_tags(tags: Sequence[str]) -> str:
    return ", ".join(tags)


def read_facts(text: str) -> tuple[dict[str, Fact], Errors]:
    facts: dict[str, Fact] = {}
    errors: Errors = []
    began: dict[str, int] = {}
    name = ""
    for number, line in _lines(text):
        if line[0].isspace() or line.lstrip().startswith("- "):
            wrong = _read_below(facts, name, line.strip())
        else:
            name, wrong = _read_fact(facts, line)
            began.setdefault(name, number)
        if wrong:
            errors.append(f"Line {number}: {wrong}")
    if not errors:
        checked = {began[name]: check_fact(name, value) for name, value in facts.items()}
        errors = [f"Line {number}: {wrong}" for number, wrong in checked.items() if wrong]
    if len(facts) > MOST:
        errors.append(f"A service has at most {MOST} facts; these are {len(facts)}.")
    return facts, errors


def _read_fact(facts: dict[str, Fact], line: str) -> tuple[str, str]:
    """Begin a fact. Returns its name, and what is wrong with the line."""
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon:
        return name, "Write a name and its value, as in Data class: internal."
    if name in facts:
        return name, f"{name} stands here twice: take one out."
    facts[name] = value
    return name, ""


def _read_below(facts: dict[str, Fact], name: str, line: str) -> str:
    """Add an item of a list, or a text by key, to the fact above. Returns what is wrong."""
    fact = facts.get(name)
    if fact is None or (isinstance(fact, str) and fact):
        return "Write the name of a list above it, as in Regions: with nothing behind it."
    if line.startswith("- "):
        return _add_item(facts, name, line[2:].strip())
    return _add_pair(facts, name, line)


def _add_item(facts: dict[str, Fact], name: str, item: str) -> str:
    fact = facts[name] or []
    if not isinstance(fact, list):
        return f"{name} has texts by key: a list of its own needs a name of its own."
    facts[name] = [*fact, item]
    return ""


def _add_pair(facts: dict[str, Fact], name: str, line: str) -> str:
    fact = facts[name] or {}
    key, colon, value = (part.strip() for part in line.partition(":"))
    if not isinstance(fact, dict):
        return f"{name} is a list: begin its lines with a hyphen and a space."
    if not colon or not key:
        return "Write key: value, or begin the line with a hyphen and a space for a list."
    if key in fact:
        return f"{key} stands in {name} twice: take one out."
    facts[name] = {**fact, key: value}
    return ""


def write_facts(facts: Mapping[str, Fact]) -> str:
    """By name, since one of the databases does not keep the order in which they were written."""
    named = sorted(facts.items())
    return "\n".join(line for name, value in named for line in _fact_lines(name, value))


def _fact_lines(name: str, value: Fact) -> list[str]:
    if isinstance(value, str):
        return [f"{name}: {value}"]
    if isinstance(value, list):
        return [f"{name}:", *(f"- {item}" for item in value)]
    return [f"{name}:", *(f"  {key}: {text}" for key, text in sorted(value.items()))]


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines that hold something, numbered from 1, without what stands blank at their ends."""
    lines = text.replace("\r\n", "\n").split("\n")
    return [(number, line.rstrip()) for number, line in enumerate(lines, 1) if line.strip()]
