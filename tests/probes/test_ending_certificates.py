"""A certificate near its end is written down with what tells it apart, and no other is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsboard.alerts.models import Notice
from opsboard.alerts.noticing import notice
from opsboard.outbound.reply import Reply
from opsboard.probes.models import Probe, Shift, microseconds
from opsboard.probes.recording import record
from tests.company import a_path, a_probe, a_service, claims, make_due, result_of
from tests.far_side import FarSide, answer
from tests.outbound.asking import ask
from tests.outbound.certificates import DAY, NOW, TRUSTED, speaks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TRUSTED.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def far_side() -> Iterator[Callable[..., FarSide]]:
    with ExitStack() as machines:
        yield lambda *args, **kwargs: machines.enter_context(FarSide(*args, **kwargs))


def replied(far_side, *, days: float) -> Reply:  # type: ignore[no-untyped-def]
    leaf = TRUSTED.issue_cert("127.0.0.1", not_after=NOW + timedelta(days=days))
    return ask(far_side(answer(), tls=speaks(leaf)).url(), timeout=5_000_000)


def recorded(reply: Reply) -> Probe:
    probe = a_probe(a_path(a_service()), now=NOW)
    make_due(probe)
    # One of an earlier call may be due again by now.
    [taken] = [one for one in claims() if one.probe_id == probe.pk]
    record([result_of(taken, reply)], now=taken.slot_at, react=lambda _: None)
    return Probe.objects.get(pk=probe.pk)


def test_a_certificate_near_its_end_is_written_down(far_side):
    facts = recorded(replied(far_side, days=12)).facts["ending_certificate"]
    assert facts["not_after"] == pytest.approx((NOW + 12 * DAY).timestamp(), abs=1)
    assert facts["host"] == "127.0.0.1"
    assert "trustme" in facts["subject"]


def test_one_that_lasts_is_not(far_side):
    assert "ending_certificate" not in recorded(replied(far_side, days=22)).facts


def test_certificates_of_one_issuer_and_end_are_told_apart(far_side):
    first, second = (recorded(replied(far_side, days=12)).facts for _ in range(2))
    assert first["ending_certificate"]["key"] != second["ending_certificate"]["key"]


def test_the_same_certificate_is_the_same_on_every_path(far_side):
    reply = replied(far_side, days=12)
    first, second = (recorded(reply).facts for _ in range(2))
    assert first["ending_certificate"]["key"] == second["ending_certificate"]["key"]


def test_what_was_written_down_becomes_a_notice(far_side):
    recorded(replied(far_side, days=12))
    now = datetime.now(UTC)
    at = microseconds(now)
    Shift.objects.create(duty="bell", instance="beat", began_at=0, claimed_at=at)
    Shift.objects.create(duty="claim:drain:default", instance="any", began_at=0, claimed_at=at)
    notice(now=now)
    [found] = Notice.objects.all()
    assert found.kind == Notice.Kind.CERTIFICATE
    assert found.key.endswith(" days 14")
