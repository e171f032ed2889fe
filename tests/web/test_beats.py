"""The door that jobs report in by: plain answers, whatever is sent, and nothing lost."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.core.handlers.wsgi import LimitedStream
from django.test import Client, RequestFactory
from django.utils import timezone

from opsboard.probes import beats
from opsboard.probes.beats import KEPT_BYTES, MOST_A_MINUTE
from opsboard.probes.heartbeats import Beat, Heartbeat
from opsboard.probes.models import Kind, Probe, microseconds, stand_up
from opsboard.services.models import CriticalPath
from opsboard.web.beats import MOST_READ
from opsboard.web.beats import report as view
from tests.company import NOON, SECOND, a_path

pytestmark = pytest.mark.django_db

RUN = "7ad3dd2b-5a0c-4b35-b3ec-17a1b4e1a3b1"
HOUR = 3_600 * SECOND


@pytest.fixture
def heartbeat() -> Heartbeat:
    path = a_path(kind="heartbeat", route="", expected_result="", heartbeat={"every": HOUR})
    stand_up(path.service, now=timezone.now(), location="default")
    return Heartbeat.objects.get(path=path)


def address_of(heartbeat: Heartbeat) -> str:
    return "/beat/" + heartbeat.address.rpartition("/")[2]


def report(client: Client, heartbeat: Heartbeat, act: str = "", **kwargs: Any) -> int:
    return client.get(address_of(heartbeat) + act, **kwargs).status_code


@pytest.mark.parametrize(
    ("act", "kind", "exit_code"),
    [
        ("", "success", 0),
        ("/success", "success", 0),
        ("/0", "success", 0),
        ("/start", "start", None),
        ("/fail", "failure", None),
        ("/3", "failure", 3),
        ("/255", "failure", 255),
        ("/-1073741819", "failure", -1073741819),
        ("/3221225477", "failure", 3221225477),
        ("/log", "log", None),
    ],
)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_a_report_is_taken_without_signing_in(
    client: Client, heartbeat: Heartbeat, method: str, act: str, kind: str, exit_code: int | None
):
    answer = getattr(client, method)(address_of(heartbeat) + act)
    assert answer.status_code == 200
    assert answer.content == (b"" if method == "head" else b"OK\n")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    beat = Beat.objects.get()
    assert (beat.kind, beat.exit_code, beat.address) == (kind, exit_code, "127.0.0.1")


def test_a_report_from_a_form_of_another_site_needs_no_token(heartbeat: Heartbeat):
    client = Client(enforce_csrf_checks=True)
    assert client.post(address_of(heartbeat), b"", content_type="text/plain").status_code == 200


def test_a_run_is_timed_from_its_start_by_its_own_id(client: Client, heartbeat: Heartbeat):
    other = RUN.replace("7", "8", 1)
    for act, run in (("/start", RUN), ("/start", other), ("/0", RUN), ("/0", "")):
        assert report(client, heartbeat, act, query_params={"rid": run} if run else {}) == 200
    start, _, end, unnamed = Beat.objects.order_by("pk")
    assert (end.run_id, end.duration) == (UUID(RUN), end.at - start.at)
    assert unnamed.duration is None


def test_what_a_job_sends_is_kept_masked_and_printable(client: Client, heartbeat: Heartbeat):
    secret = heartbeat.environment.variables.create(name="TOKEN", is_secret=True)
    secret.keep("hunter22")
    secret.save()
    body = b"copied 3 files\nwith hunter22\x00\xff\x1b[31m obs_ci_" + b"a" * 30 + b"_abcdef"
    client.post(address_of(heartbeat) + "/1", body, content_type="application/octet-stream")
    beat = Beat.objects.get()
    assert beat.body == "copied 3 files\nwith [secret]\ufffd\ufffd\ufffd[31m obs_ci_aaaaaaaa…"
    assert not beat.is_cut


@pytest.mark.parametrize(
    ("size", "kept", "is_cut"),
    [
        (KEPT_BYTES, KEPT_BYTES, False),
        (KEPT_BYTES + 1, KEPT_BYTES, True),
        (MOST_READ + 10, KEPT_BYTES, True),
    ],
)
def test_the_first_ten_thousand_bytes_are_kept(
    client: Client, heartbeat: Heartbeat, size: int, kept: int, is_cut: bool
):
    answer = client.post(address_of(heartbeat), b"x" * size, content_type="text/plain")
    assert answer.status_code == 200
    beat = Beat.objects.get()
    assert (len(beat.body), beat.is_cut) == (kept, is_cut)


@pytest.mark.parametrize("length", ["500", ""])
def test_a_body_that_breaks_off_is_kept_as_such_and_the_report_with_it(
    heartbeat: Heartbeat, length: str
):
    class Broken(BytesIO):
        def read(self, *_: object) -> bytes:
            if not length:
                raise OSError("the client went away")
            return super().read(*_)

    request = RequestFactory().post(
        address_of(heartbeat), b"", content_type="text/plain", CONTENT_LENGTH=length
    )
    stream = Broken(b"abc")
    request.META |= {"wsgi.input": stream, "wsgi.input_terminated": not length}
    request._stream = LimitedStream(stream, int(length or 0))
    assert view(request, address_of(heartbeat)[6:]).status_code == 200
    beat = Beat.objects.get()
    assert (beat.kind, beat.is_cut, beat.body) == ("success", True, "abc" if length else "")


def test_a_secret_at_the_edge_of_what_is_kept_is_masked_before_it_is_cut(
    client: Client, heartbeat: Heartbeat
):
    secret = heartbeat.environment.variables.create(name="TOKEN", is_secret=True)
    secret.keep("hunter22-and-more")
    secret.save()
    body = b"x" * (KEPT_BYTES - 4) + b"hunter22-and-more"
    client.post(address_of(heartbeat), body, content_type="text/plain")
    assert Beat.objects.get().body.endswith("x[sec")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "/",
        "x",
        "0" * 32,
        "0" * 32 + "/start",
        "0" * 32 + "/nonsense",
        "0" * 32 + "?rid=nonsense",
        "%00",
        "%ff%fe/%00",
        "a" * 5_000,
        "%ED%A0%80" + "/3",
        "é" * 32,
    ],
)
def test_an_unknown_address_is_answered_in_the_same_words_whatever_it_is(
    client: Client, heartbeat: Heartbeat, said: str
):
    for ask in (client.get, client.post):
        answer = ask(f"/beat/{said}")
        assert answer.status_code == 404
        assert answer.content == b"No job reports in here.\n"
    assert not Beat.objects.exists()


@pytest.mark.parametrize(
    "act", ["/stop", "/", "/start/", "/4294967296", "/--1", "/1e3", "/%00", "/٣", "/" + "9" * 5_000]
)
def test_a_report_that_is_none_is_told_what_to_send(client: Client, heartbeat: Heartbeat, act: str):
    answer = client.get(address_of(heartbeat) + act)
    assert answer.status_code == 400
    assert b"end the address with /start" in answer.content
    assert not Beat.objects.exists()


@pytest.mark.parametrize("run", ["x", "%00", RUN + "0", "9" * 4_000])
def test_a_run_id_that_is_no_uuid_is_refused(client: Client, heartbeat: Heartbeat, run: str):
    answer = client.get(f"{address_of(heartbeat)}?rid={run}")
    assert (answer.status_code, b"is not a UUID" in answer.content) == (400, True)
    assert not Beat.objects.exists()


def test_other_methods_are_told_which_there_are(client: Client, heartbeat: Heartbeat):
    answer = client.put(address_of(heartbeat))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")


def test_more_reports_than_a_minute_takes_are_refused_and_said(
    client: Client, heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch
):
    seconds = iter([*[48] * (MOST_A_MINUTE + 1), 60])
    clock = SimpleNamespace(now=lambda: NOON + timedelta(seconds=next(seconds)))
    monkeypatch.setattr("opsboard.web.beats.timezone", clock)
    for _ in range(MOST_A_MINUTE):
        assert report(client, heartbeat) == 200
    answer = client.get(address_of(heartbeat) + "/3")
    assert (answer.status_code, answer["Retry-After"]) == (429, "12")
    assert answer.content == (
        b"Too many reports: this address takes 60 a minute. This one was not kept; the next is "
        b"taken in 12 s.\n"
    )
    heartbeat.refresh_from_db()
    assert heartbeat.refused == 1
    assert heartbeat.refused_at == microseconds(NOON) + 48 * SECOND
    assert report(client, heartbeat) == 200
    assert Beat.objects.count() == MOST_A_MINUTE + 1


def test_a_report_makes_its_probe_due_at_once(client: Client, heartbeat: Heartbeat):
    Probe.objects.update(ask_now_at=None)
    assert report(client, heartbeat) == 200
    probe = Probe.objects.get()
    assert probe.ask_now_at is not None
    assert abs(probe.ask_now_at - microseconds(timezone.now())) < 30 * SECOND
    assert probe.ask_now_kind == Kind.REPORTED


def test_a_report_costs_few_queries(
    client: Client, heartbeat: Heartbeat, django_assert_num_queries: Callable[[int], Any]
):
    Beat.objects.exists()
    # To find it, to count it, to keep it, to have it judged; and a transaction around two of them.
    with django_assert_num_queries(6):
        report(client, heartbeat)


def test_an_address_of_what_is_removed_or_no_heartbeat_any_more_is_unknown(
    client: Client, heartbeat: Heartbeat
):
    path = heartbeat.path
    path.remove(by=None, now=timezone.now())
    assert report(client, heartbeat) == 404
    path.restore()
    assert report(client, heartbeat) == 200
    CriticalPath.objects.filter(pk=path.pk).update(kind="http")
    assert report(client, heartbeat) == 404
    CriticalPath.objects.filter(pk=path.pk).update(kind="heartbeat")
    heartbeat.environment.remove(by=None, now=timezone.now())
    assert report(client, heartbeat) == 404


def test_of_two_reports_at_once_none_is_lost(heartbeat: Heartbeat):
    key, at = address_of(heartbeat)[6:], microseconds(timezone.now())
    first, second = beats.find(key), beats.find(key)
    assert first is not None and second is not None
    started = beats.Report(kind=beats.BeatKind.START, run_id=UUID(RUN))
    ended = beats.Report(kind=beats.BeatKind.SUCCESS, exit_code=0)
    beats.receive(first, started, at=at)
    beats.receive(second, ended, at=at + 1)
    heartbeat.refresh_from_db()
    assert heartbeat.in_minute == 2
    assert heartbeat.heard["open"] == [[RUN, at]]
    assert heartbeat.heard["end"][0] == at + 1


def test_a_secret_that_cannot_be_decrypted_keeps_the_log_out_and_the_report_in(
    client: Client, heartbeat: Heartbeat
):
    heartbeat.environment.variables.create(name="TOKEN", is_secret=True, value="not a cipher")
    answer = client.post(address_of(heartbeat), b"its hunter22", content_type="text/plain")
    assert answer.status_code == 200
    assert Beat.objects.get().body == (
        "Not kept: a secret of this environment cannot be decrypted."
    )


def test_the_secret_stands_in_no_log(client: Client, heartbeat: Heartbeat):
    from opsboard.people.masking import masked

    line = f"Too Many Requests: {address_of(heartbeat)}/start"
    assert address_of(heartbeat)[6:] not in masked(line)
    assert masked(line).endswith("…/start")
