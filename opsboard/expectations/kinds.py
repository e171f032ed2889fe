"""Which facts each kind of path has, and what is expected where its sheet says nothing."""

from collections.abc import Sequence

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import parse
from opsboard.expectations.nearest import listed
from opsboard.expectations.vocabulary import FACTS

_TCP = ("time", "time.dns", "time.connect", "time.first_byte", "body", "size", "errors")

# In the order in which a sentence lists them.
FACTS_OF_KIND: dict[str, tuple[str, ...]] = {
    "http": tuple(fact for fact in FACTS if fact != "exit"),
    "tcp": _TCP,
    "tls": (*_TCP, "time.tls", "certificate.days", "certificate.issuer"),
    "dns": ("time", "body", "json", "size", "errors"),
    # What a job reports of itself: `time` is of its run, `body` what it sent along.
    "heartbeat": ("exit", "time", "body", "json", "size", "errors"),
}
_NAMES = {
    "http": "An HTTP path",
    "tcp": "A TCP path",
    "tls": "A TLS path",
    "dns": "A DNS path",
    "heartbeat": "A heartbeat",
}

# What the far side's bytes decide, so that they must be read; `time` is then until the last came.
READ_FOR = frozenset({"body", "size", "time.first_byte"})


def refuse_facts(clauses: Sequence[Clause], kind: str) -> list[tuple[int, str]]:
    """The clauses about facts that a path of this kind does not have: place from 0, one sentence.

    "A TCP path has no status; it has time, time.dns, …"
    """
    known = FACTS_OF_KIND[kind]
    return [
        (place, f"{_NAMES[kind]} has no {clause.fact}; it has {listed(known)}.")
        for place, clause in enumerate(clauses)
        if clause.fact not in known
    ]


def unwritten(kind: str) -> tuple[Clause, ...]:
    """What a sheet without an expected result expects. Of TCP nothing: the connection is taken."""
    return _UNWRITTEN[kind]


_UNWRITTEN: dict[str, tuple[Clause, ...]] = {
    # An answer that is not an error.
    "http": parse("status in 200..299"),
    "tcp": (),
    "tls": parse("certificate.days > 14"),
    # That it ended well is judged beside whatever its sheet says: opsboard.probes.rules.
    "heartbeat": (),
    # A name that is only another name for nothing has answers, and none of the type asked for.
    "dns": parse('json $.rcode == "NOERROR"\njson $.answers[?@.type == $.type] count >= 1'),
}
