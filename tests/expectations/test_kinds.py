"""Every kind of path has facts of its own; a clause about another is refused in one sentence."""

import pytest

from opsboard.expectations.grammar import parse
from opsboard.expectations.kinds import FACTS_OF_KIND, refuse_facts, unwritten
from opsboard.expectations.vocabulary import FACTS


def test_a_clause_about_a_fact_that_the_kind_does_not_have_is_refused_with_those_it_has():
    clauses = parse('time < 50 ms\nstatus == 200\nbody contains "SSH-2.0"\nwarn http == 2')
    assert refuse_facts(clauses, "tcp") == [
        (
            1,
            "A TCP path has no status; it has time, time.dns, time.connect, time.first_byte, body,"
            " size and errors.",
        ),
        (
            3,
            "A TCP path has no http; it has time, time.dns, time.connect, time.first_byte, body,"
            " size and errors.",
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("tcp", "warn p95 time < 5 ms over 1 h\nerrors < 1 % over 30 m"),
        ("tls", 'certificate.issuer contains "Internal"\ntime.tls < 80 ms\nbody contains "220"'),
        ("dns", 'json $.answers[0].value == "10.0.0.9"\nbody contains "10.0.0.9"'),
        ("http", "status == 200\np95 db.calls <= 12 over 1 h"),
    ],
)
def test_a_clause_about_a_fact_that_the_kind_has_is_taken(kind: str, text: str):
    assert refuse_facts(parse(text), kind) == []


def test_only_the_language_s_own_facts_are_named_and_what_is_expected_unwritten_is_among_them():
    for kind, facts in FACTS_OF_KIND.items():
        assert set(facts) <= set(FACTS)
        assert refuse_facts(unwritten(kind), kind) == []
