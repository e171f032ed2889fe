"""Questions and answers of the DNS as bytes (RFC 1035), and as the JSON that clauses are held
against. Pure."""

import json
from typing import NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from opsboard.outbound.reply import Lookup
from opsboard.outbound.wording import shown

# Reading one costs some 30 us of the thread that keeps everybody's time.
MOST_RECORDS = 100
# What travels everywhere in one piece over UDP.
_PAYLOAD = 1232
_HEADER = 12
_TRUNCATED = 0x02
# Some servers that do not understand a question, or will not, do not repeat it.
_UNREPEATED = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED)
# Questions about questions, transfers and signatures: no answers to keep watch on.
_META = range(249, 256)


class NoMessageError(ValueError):
    """The bytes are no answer that can be read."""


class Head(NamedTuple):
    """Of an answer: what it came to, "NOERROR", "NXDOMAIN" or another, and how much it holds."""

    rcode: str
    is_truncated: bool
    records: int


def write_question(lookup: Lookup, number: int) -> bytes:
    """As bytes, with `number` to know the answer by. ValueError with words that end a sentence."""
    try:
        kind = dns.rdatatype.from_text(lookup.type.upper())
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f'"{shown(lookup.type)}" is not a type of DNS records') from None
    if kind in _META:
        raise ValueError(f"records of the type {lookup.type} cannot be asked for")
    try:
        name = dns.name.from_text(lookup.name)
    except (dns.exception.DNSException, UnicodeError):
        raise ValueError(f'"{shown(lookup.name)}" is not a name that can be looked up') from None
    query = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD, id=number)
    return query.to_wire()


def is_answer(answer: bytes, question: bytes) -> bool:
    """Whether it answers this very question: its number, name, type and class."""
    if len(answer) < _HEADER or answer[:2] != question[:2] or answer[2] & 0xF8 != 0x80:
        return False
    asked = _question_of(question)
    repeated = answer[_HEADER : _HEADER + len(asked)]
    if answer[4:6] == b"\0\1":
        return repeated[:-4].lower() == asked[:-4].lower() and repeated[-4:] == asked[-4:]
    return answer[4:6] == b"\0\0" and answer[3] & 15 in _UNREPEATED


def read_head(answer: bytes) -> Head:
    """Of bytes of which `is_answer` is true."""
    return Head(
        rcode=dns.rcode.to_text(dns.rcode.Rcode.make(answer[3] & 15)),
        is_truncated=bool(answer[2] & _TRUNCATED),
        records=int.from_bytes(answer[6:8]),
    )


def as_json(answer: bytes, lookup: Lookup, server: str) -> bytes:
    """See `Lookup`; values are written as dig writes them. Raises NoMessageError."""
    # What stands beside the answer is not read: it is no part of it, and it costs time.
    bare = answer[:8] + b"\0\0\0\0" + answer[_HEADER:]
    try:
        message = dns.message.from_wire(bare, ignore_trailing=True, one_rr_per_rrset=True)
        answers = [
            {
                "type": dns.rdatatype.to_text(records.rdtype),
                "value": record.to_text(),
                "ttl": records.ttl,
            }
            for records in message.answer
            for record in records
        ]
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise NoMessageError from error
    told = {
        "name": lookup.name,
        "type": lookup.type.upper(),
        "rcode": read_head(answer).rcode,
        "server": server,
        "answers": answers,
    }
    return json.dumps(told).encode()


def _question_of(question: bytes) -> bytes:
    """Name, type and class, of a message that we wrote: it is not compressed."""
    return question[_HEADER : question.index(b"\0", _HEADER) + 5]
