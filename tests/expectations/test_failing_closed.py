"""A fact that is not there fails its clause, whichever way the clause points."""

import pytest

from opsboard.outbound.reply import Failure, Phases
from tests.expectations.replies import (
    answered,
    certificate_for,
    held,
    holding,
    on_json,
    unanswered,
    with_headers,
)


@pytest.mark.parametrize(
    ("one_way", "other_way"),
    [
        ("json $.queue < 100", "json $.queue >= 100"),
        ('json $.state == "up"', 'json $.state != "up"'),
        ("json $.queue == null", "json $.queue != null"),
        ('json $.state contains "u"', 'json $.state not contains "u"'),
        ("json $.queue in 1..5", "json $.queue between 6 and 9"),
        ("json $.queue exists", "json $.queue is number"),
        ("json $.items[*] count >= 1", "json $.items[*] count <= 9"),
    ],
)
def test_a_json_path_that_finds_nothing_fails_both_ways(one_way: str, other_way: str) -> None:
    assert on_json(one_way, "{}") is False
    assert on_json(other_way, "{}") is False


@pytest.mark.parametrize(
    ("one_way", "other_way"),
    [
        ("db.calls < 5", "db.calls >= 5"),
        ("db.time < 5 ms", "db.time >= 5 ms"),
        ('header X-Plan contains "gold"', 'header X-Plan not contains "gold"'),
        ('header X-Plan == "gold"', 'header X-Plan != "gold"'),
        ("certificate.days > 14", "certificate.days <= 14"),
        ('certificate.issuer contains "CA"', 'certificate.issuer not contains "CA"'),
        ("cache is hit", "cache is not hit"),
        ("time.tls < 1 s", "time.tls >= 0 ms"),
    ],
)
def test_what_the_far_side_does_not_tell_fails_both_ways(one_way: str, other_way: str) -> None:
    assert held(one_way, answered()) is False
    assert held(other_way, answered()) is False


@pytest.mark.parametrize("body", ["", "pong", "<html>", '{"error": 1', "{'ok': True}"])
def test_a_body_that_is_no_json_has_nothing_in_it_and_nothing_absent(body: str) -> None:
    assert on_json("json $.error absent", body) is False
    assert on_json("json $.error exists", body) is False


def test_absent_is_true_of_nothing_in_a_json_body() -> None:
    assert on_json("json $.error absent", "{}") is True
    assert on_json("json $.error absent", '{"error": "x"}') is False


def test_null_is_there() -> None:
    assert on_json("json $.error absent", '{"error": null}') is False
    assert on_json("json $.error exists", '{"error": null}') is True


def test_a_status_that_never_came_fails_both_ways() -> None:
    assert held("status == 200", answered(status=None)) is False
    assert held("status != 200", answered(status=None)) is False


def test_a_body_cut_at_its_cap_fails_both_ways() -> None:
    cut = answered("pong" * 99, failure=Failure.TOO_LARGE, detail="larger than 1 MiB")
    for text in ('body contains "pong"', 'body not contains "x"', "size > 1 B", "size < 9 MB"):
        assert held(text, cut) is False, text


def test_a_body_cut_at_its_cap_is_no_json_even_when_it_reads_like_it() -> None:
    cut = answered('{"ok": true}', failure=Failure.TOO_LARGE, detail="larger than 1 MiB")
    assert held("json $.error absent", cut) is False
    assert holding("json $.ok == true", cut).got == "not JSON: it was cut at its cap"


def test_a_body_cut_at_its_cap_still_tells_status_headers_and_time() -> None:
    cut = with_headers("Content-Type: text/html", "Server-Timing: db;dur=3;desc=4")
    cut = answered(
        failure=Failure.TOO_LARGE,
        headers=cut.headers,
        certificate=certificate_for(days=30),
        phases=Phases(total=98_000, tls=9_000),
    )
    for text in (
        "status == 200",
        'header Content-Type contains "html"',
        "time < 1 s",
        "time.tls < 1 s",
        "http == 1.1",
        "redirects == 0",
        "db.calls == 4",
        "certificate.days > 14",
    ):
        assert held(text, cut) is True, text


EVERY_FACT = [
    "status in 100..999",
    "time < 1 h",
    "time.dns < 1 h",
    'body not contains "x"',
    "json $.a absent",
    'header Server not contains "x"',
    "db.calls >= 0",
    "db.time >= 0 ms",
    "cache is unknown",
    "certificate.days >= 0",
    'certificate.issuer not contains "x"',
    "size >= 0 B",
    "http >= 1.0",
    "redirects >= 0",
]


@pytest.mark.parametrize("text", EVERY_FACT)
@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.DNS, Failure.TLS_EXPIRED])
def test_without_a_reply_every_clause_fails(text: str, failure: Failure) -> None:
    got = holding(text, unanswered(failure))
    assert got.held is False
    assert got.got == f"no reply: {failure}"


def test_a_status_without_a_whole_reply_is_no_answer() -> None:
    cut_off = unanswered(Failure.RESET, status=200, headers=(("Server", "nginx"),))
    assert held("status == 200", cut_off) is False
    assert held("header Server exists", cut_off) is False


def test_time_is_judged_once_a_status_came() -> None:
    timed_out = unanswered(Failure.TIMEOUT, status=200, phases=Phases(total=10_000_000))
    assert holding("time < 800 ms", timed_out).got == "10 s"
    assert held("time < 11 s", timed_out) is True


def test_a_certificate_is_told_even_when_the_reply_breaks_off() -> None:
    reset = unanswered(Failure.RESET, certificate=certificate_for(days=9.9))
    assert holding("certificate.days > 14", reset).got == "9"
    assert held("certificate.days >= 9", reset) is True


def test_an_ended_certificate_has_less_than_no_days() -> None:
    ended = answered(certificate=certificate_for(days=-0.5))
    assert holding("certificate.days >= 0", ended).got == "-1"


@pytest.mark.parametrize("failure", [Failure.CONFIG, Failure.INTERNAL, Failure.EGRESS_DENIED])
@pytest.mark.parametrize("text", EVERY_FACT)
def test_an_error_of_our_own_is_no_verdict_on_the_service(text: str, failure: Failure) -> None:
    got = holding(text, unanswered(failure, is_ours=True))
    assert got.held is None
    assert got.sentence.endswith("was not judged: The far side did not answer.")


def test_an_egress_refusal_after_a_redirect_is_the_services() -> None:
    assert held("status == 200", unanswered(Failure.EGRESS_DENIED)) is False


@pytest.mark.parametrize(
    ("loop_delay", "total", "verdict"),
    [
        (5_000, 98_000, True),
        (5_001, 98_000, None),
        (40_000, 800_000, True),
        (40_001, 800_000, None),
    ],
)
def test_time_is_not_judged_when_our_own_loop_was_late(
    loop_delay: int, total: int, verdict: bool | None
) -> None:
    late = answered(loop_delay=loop_delay, phases=Phases(dns=1, total=total))
    assert held("time < 1 s", late) is verdict
    assert held("time.dns < 1 s", late) is verdict


def test_lateness_of_ours_touches_nothing_but_times_we_measure() -> None:
    late = with_headers("Server-Timing: db;dur=70")
    late = answered(headers=late.headers, loop_delay=10_000_000)
    assert held("status == 200", late) is True
    assert held("db.time < 50 ms", late) is False


def test_a_window_is_not_judged_on_one_reply() -> None:
    assert held("errors < 1 % over 15 m", answered()) is None
