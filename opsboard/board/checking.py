"""Board files held against each other and against the board: owners, circles, addresses, secrets.

What cannot be is an error; what is odd, and may be meant, is a warning.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

from opsboard.board.declared import Declared
from opsboard.board.nodes import Node
from opsboard.board.path_fields import sheet_of
from opsboard.board.references import check_no_reference, names_of, plain, resolve
from opsboard.board.sources import Wrong
from opsboard.board.stored import Stored
from opsboard.board.things import ENVIRONMENT, PATH, SERVICE, TEAM, VARIABLE, Thing
from opsboard.expectations.nearest import did_you_mean
from opsboard.probes.early import addresses_of
from opsboard.releases.choosing import check_choice
from opsboard.releases.rules import GATES
from opsboard.services.about import circle_in, circle_words
from opsboard.services.problems import At
from opsboard.services.rules import MARK, check_name
from opsboard.services.secret_looks import looks_secret
from opsboard.services.secrets import CannotDecrypt
from opsboard.services.sheets import check_sheet

# Why an address may not be asked by a path of that kind, or "".
type Refuse = Callable[[str, str], str]


@dataclass(slots=True)
class Checked:
    errors: list[Wrong] = field(default_factory=list)
    warnings: list[Wrong] = field(default_factory=list)
    # Secrets to be stored, by variable: those whose value differs from what is stored.
    fresh: dict[Thing, str] = field(default_factory=dict)


def check_across(
    declared: Declared, stored: Stored, *, environ: Mapping[str, str], refuse: Refuse
) -> Checked:
    """`environ`: of whoever runs the command."""
    checked = Checked()
    _check_built_in(declared, stored, checked)
    _check_owners(declared, stored, checked)
    _check_gates(declared, stored, checked)
    _check_dependencies(declared, stored, checked)
    _check_addresses(declared, checked, refuse)
    _check_members(declared, stored, checked)
    _check_variables(declared, stored, checked)
    _resolve(declared, stored, checked, environ)
    return checked


def _of(declared: Declared, kind: str) -> Iterator[tuple[Thing, dict[str, Any]]]:
    return ((thing, fields) for thing, fields in declared.things.items() if thing[0] == kind)


def _steps(thing: Thing) -> tuple[str, ...]:
    """Where a thing stands below its service."""
    return {
        ENVIRONMENT: ("environments", *thing[2:]),
        VARIABLE: ("environments", thing[2], "variables", thing[-1]) if len(thing) > 3 else (),
        PATH: ("paths", *thing[2:]),
    }.get(thing[0], ())


def place_of(declared: Declared, thing: Thing, *steps: str | int) -> Node:
    """Where in its file a thing stands, or a part of it."""
    kind = TEAM if thing[0] == TEAM else SERVICE
    return declared.place(kind, thing[1], *_steps(thing), *steps)


def _wrong(declared: Declared, thing: Thing, sentence: str, *steps: str | int) -> Wrong:
    return place_of(declared, thing, *steps).wrong(sentence)


def _check_built_in(declared: Declared, stored: Stored, checked: Checked) -> None:
    if key := declared.keys.get((SERVICE, stored.built_in)):
        checked.errors.append(
            key.wrong(f"{stored.built_in} is Opsboard watching itself: no file declares it.")
        )


def _check_owners(declared: Declared, stored: Stored, checked: Checked) -> None:
    known = _names(declared, stored, TEAM)
    for kind in (SERVICE, PATH):
        for thing, fields in _of(declared, kind):
            owner = fields["owner"]
            if owner and owner not in known:
                sentence = _unknown(owner, TEAM, known, stored)
                checked.errors.append(_wrong(declared, thing, sentence, "owner"))


def _check_gates(declared: Declared, stored: Stored, checked: Checked) -> None:
    """A gate of one's own has words: its own, or for a service those that its team gave it."""
    for thing, fields in [*_of(declared, TEAM), *_of(declared, SERVICE)]:
        known = dict(GATES) | _gates_of_team(declared, stored, fields.get("owner", ""))
        for gate, choice in fields.get("gates", {}).items():
            if wrong := check_choice(gate, choice, known=known).get("words"):
                checked.errors.append(_wrong(declared, thing, wrong, "gates", gate, "words"))


def _gates_of_team(declared: Declared, stored: Stored, slug: str) -> dict[str, str]:
    team: Thing = (TEAM, slug)
    fields = stored.things.get(team, {}) | declared.things.get(team, {})
    gates: dict[str, Any] = fields.get("gates", {})
    return {gate: choice["words"] for gate, choice in gates.items() if choice["words"]}


def _names(declared: Declared, stored: Stored, kind: str) -> dict[str, None]:
    things = [*declared.things, *stored.things]
    return dict.fromkeys(sorted(thing[1] for thing in things if thing[0] == kind))


def _unknown(slug: str, kind: str, known: Mapping[str, None], stored: Stored) -> str:
    if (kind, slug) in stored.removed:
        return f"The {kind} {slug} was removed: declare it too, and it comes back."
    if not known:
        return f"Unknown {kind} {slug}: there is none yet. Declare it under {kind}s."
    nearest = did_you_mean(slug, tuple(known), {})
    if nearest.startswith("known are") and len(known) > 10:
        nearest = f"none of {len(known):,} is like it. Declare it under {kind}s."
    return f"Unknown {kind} {slug}; {nearest}"


def _check_dependencies(declared: Declared, stored: Stored, checked: Checked) -> None:
    known = _names(declared, stored, SERVICE) | dict.fromkeys(filter(None, [stored.built_in]))
    for thing, fields in _of(declared, SERVICE):
        for number, slug in enumerate(fields["depends_on"]):
            if slug not in known:
                sentence = _unknown(slug, SERVICE, known, stored)
                at = _number_of(declared, thing, slug, number)
                checked.errors.append(_wrong(declared, thing, sentence, "depends_on", at))
    _check_circles(declared, stored, checked)


def _number_of(declared: Declared, thing: Thing, slug: str, usual: int) -> int:
    """Where in its list a dependency stands: the values are sorted, the file may not be."""
    items = getattr(declared.place(SERVICE, thing[1], "depends_on"), "items", [])
    places = (n for n, item in enumerate(items) if getattr(item, "text", "").strip() == slug)
    return next(places, usual)


def _check_circles(declared: Declared, stored: Stored, checked: Checked) -> None:
    both = stored.things | declared.things
    calls = {thing[1]: f["depends_on"] for thing, f in both.items() if thing[0] == SERVICE}
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        checked.errors.extend(_circles(declared, calls))


def _circles(declared: Declared, calls: Mapping[str, list[str]]) -> Iterator[Wrong]:
    told: set[str] = set()
    for thing, _ in _of(declared, SERVICE):
        circle = [] if thing[1] in told else circle_in(calls, thing[1])
        if circle:
            told.update(circle)
            sentence = f"Services call each other in a circle: {circle_words(circle)}."
            yield _wrong(declared, thing, sentence, "depends_on")


def _check_addresses(declared: Declared, checked: Checked, refuse: Refuse) -> None:
    bases: dict[str, dict[str, str]] = {}
    for thing, fields in _of(declared, ENVIRONMENT):
        url = fields["base_url"]
        if wrong := refuse(url, "http") if url else "":
            checked.errors.append(_wrong(declared, thing, wrong, "base_url"))
        elif url:
            bases.setdefault(thing[1], {})[thing[2]] = url
    for thing, fields in _of(declared, PATH):
        checked.errors.extend(_refused(declared, thing, fields, bases.get(thing[1], {}), refuse))


def _refused(
    declared: Declared,
    thing: Thing,
    fields: Mapping[str, Any],
    bases: Mapping[str, str],
    refuse: Refuse,
) -> Iterator[Wrong]:
    """One for each place of the sheet whose address may not be asked, in the first environment."""
    sheet, told = sheet_of(fields), set[At]()
    if any(check_sheet(sheet)):
        # Told by itself: what cannot be read has no address.
        return
    for slug in fields["environments"] or bases:
        fill = partial(_filled, declared, thing[1], slug)
        for at, url in addresses_of(sheet, bases[slug], fill) if slug in bases else ():
            if at not in told and (wrong := refuse(url, sheet.kind)):
                told.add(at)
                yield _wrong(declared, thing, f"In {slug}: {wrong}", *at)


def _filled(declared: Declared, service: str, environment: str, route: str) -> str:
    """The route with what is known of its variables; a secret is taken for a letter."""

    def value(mark: Any) -> str:
        fields = declared.things.get((VARIABLE, service, environment, mark[1]), {"value": "x"})
        written = fields["value"]
        return "x" if names_of(written) else plain(written)

    return MARK.sub(value, route) if "{{" in route else route


def _check_members(declared: Declared, stored: Stored, checked: Checked) -> None:
    """Leaves out those that are not there: people come and go without the files."""
    for thing, fields in _of(declared, TEAM):
        if "members" not in fields:
            continue
        found = {name: stored.people.get(name.casefold()) for name in fields["members"]}
        fields["members"] = sorted({one.username for one in found.values() if one})
        if unknown := [name for name, one in found.items() if one is None]:
            names = ", ".join(unknown[:10])
            sentence = f"Nobody here is called {names}: left out. Invite them on the page People."
            checked.warnings.append(_wrong(declared, thing, sentence, "members"))


def _check_variables(declared: Declared, stored: Stored, checked: Checked) -> None:
    for thing, fields in _of(declared, VARIABLE):
        written = fields["value"]
        if not check_no_reference(written) and looks_secret(thing[-1], plain(written)):
            sentence = f"{thing[-1]} looks like a secret: write ${{NAME}}, and it is kept as one."
            checked.warnings.append(_wrong(declared, thing, sentence))
    there: dict[str, list[str]] = {}
    for thing in {**stored.things, **declared.things}:
        if thing[0] == ENVIRONMENT:
            there.setdefault(thing[1], []).append(thing[2])
    for thing, fields in _of(declared, PATH):
        checked.warnings.extend(_not_set(declared, stored, thing, fields, there.get(thing[1], [])))


def _not_set(
    declared: Declared, stored: Stored, thing: Thing, fields: Mapping[str, Any], there: list[str]
) -> Iterator[Wrong]:
    if not there:
        sentence = f"{thing[1]} runs nowhere, so this is not asked: give it an environment."
        yield _wrong(declared, thing, sentence)
    names = sheet_of(fields).variables
    for slug in fields["environments"] or there:
        for name in names:
            variable = (VARIABLE, thing[1], slug, name)
            if variable not in declared.things and variable not in stored.things:
                sentence = f"{{{{ {name} }}}} is not set in {slug}: it cannot be asked there."
                yield _wrong(declared, thing, sentence)


def _resolve(
    declared: Declared, stored: Stored, checked: Checked, environ: Mapping[str, str]
) -> None:
    for thing, fields in _of(declared, VARIABLE):
        written = fields["value"]
        if not names_of(written):
            continue
        value = resolve(written, environ)
        if value is None:
            checked.warnings.append(_unset(declared, stored, thing, written, environ))
        elif wrong := check_name(value, 8_000):
            checked.errors.append(_wrong(declared, thing, f"The value of {written}: {wrong}"))
        elif value != _stored_value(stored, thing):
            checked.fresh[thing] = value


def _unset(
    declared: Declared, stored: Stored, thing: Thing, written: str, environ: Mapping[str, str]
) -> Wrong:
    missing = ", ".join(name for name in names_of(written) if not environ.get(name))
    is_kept = bool(_stored_value(stored, thing))
    then = "what is stored is kept" if is_kept else f"secret {thing[-1]} is not set"
    return _wrong(declared, thing, f"{missing} is not set in this environment: {then}.")


def _stored_value(stored: Stored, thing: Thing) -> str | None:
    """None: there is none, or it is no secret, or it cannot be decrypted."""
    row = stored.rows.get(thing)
    if row is None or not row.is_secret or row.is_unset:
        return None
    try:
        value: str = row.reveal()
    except CannotDecrypt:
        return None
    return value
