"""A heartbeat on its page: an address for editors, the reports for all, a new one when asked."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.people.models import AuditEntry
from opsboard.people.roles import RoleName
from opsboard.probes import beats
from opsboard.probes.heartbeats import Heartbeat
from opsboard.probes.models import stand_up
from opsboard.services.models import CriticalPath
from tests.company import SECOND

pytestmark = pytest.mark.django_db

HERE = "/services/fares-api/price-a-crossing"


@pytest.fixture
def heartbeat(path: CriticalPath) -> Heartbeat:
    path.kind, path.route, path.expected_result = "heartbeat", "", ""
    path.heartbeat = {"cron": "0 2 * * *", "zone": "Europe/Oslo", "grace": 1_800 * SECOND}
    path.save()
    stand_up(path.service, now=timezone.now(), location="default")
    return Heartbeat.objects.get()


def page(client: Client, url: str = HERE) -> str:
    return client.get(url).content.decode()


def reported(heartbeat: Heartbeat, act: str = "", **kwargs: object) -> None:
    address = "/beat/" + heartbeat.address.rpartition("/")[2]
    assert Client().post(address + act, **kwargs).status_code == 200


def test_an_editor_copies_the_lines_that_the_job_needs(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    text = page(client_of("editor"))
    address = heartbeat.address
    for end in ("/$?", "/start", "/fail", "/$??rid=$run&quot;"):
        assert f"curl -fsS -m 10 --retry 5 -o /dev/null {address}{end}<" in text.replace(
            "&quot;http", "http"
        )
    assert (
        "Reports 0 2 * * * in Europe/Oslo, at most 30 min late. The next is due at 02:00 CE" in text
    )


def test_a_viewer_sees_the_reports_and_neither_address_nor_log(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    reported(heartbeat, "/start")
    reported(heartbeat, "/3", data=b"3 files were lost", content_type="text/plain")
    text = page(client_of("viewer"))
    assert "Failed" in text
    assert "Started" in text
    assert "3 files were lost" not in text
    assert heartbeat.address.rpartition("/")[2] not in text
    assert "Editors see the address" in text


def test_an_editor_reads_the_log_and_hostile_text_stays_text(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    body = b"<script>alert(1)</script>" + b"x" * 20_000
    reported(heartbeat, "/3", data=body, content_type="text/plain")
    text = page(client_of("editor"))
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert(1)" not in text
    assert "The first 10 kB are kept; it wrote more." in text


def test_refused_reports_are_said(heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]):
    Heartbeat.objects.update(refused=12, refused_at=1)
    text = page(client_of("viewer")).replace("\u00a0", " ")
    assert "12 reports were refused, for more than 60 came in a minute; the last of them" in text


def test_a_new_address_is_asked_for_and_then_the_old_one_is_dead(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    client, old = client_of("editor"), heartbeat.address
    url = f"{HERE}/address?environment=production"
    assert "dead at once" in page(client, url)
    assert Heartbeat.objects.get().address == old
    answer = client.post(url, follow=True)
    assert "has a new address in production" in answer.content.decode()
    new = Heartbeat.objects.get().address
    assert new in answer.content.decode()
    assert beats.find(old.rpartition("/")[2]) is None
    assert beats.find(new.rpartition("/")[2]) is not None
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.subject) == (
        "gave a new address in production",
        "fares-api/price-a-crossing",
    )
    assert new.rpartition("/")[2] not in str(entry.changes)


def test_a_viewer_gives_no_new_address(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    old = heartbeat.address
    assert client_of("viewer").post(f"{HERE}/address?environment=production").status_code == 403
    assert Heartbeat.objects.get().address == old


@pytest.mark.parametrize("query", ["?environment=staging", "?environment=nowhere"])
def test_where_it_does_not_report_there_is_no_address_to_renew(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client], query: str
):
    assert client_of("editor").get(f"{HERE}/address{query}").status_code == 404


def test_a_key_that_is_gone_is_said_and_a_new_address_can_be_had(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    Heartbeat.objects.update(secret="not a cipher")
    text = page(client_of("editor"))
    assert "The address works, and cannot be shown" in text
    assert "Give it a new address" in text


def test_the_board_and_the_service_show_it_like_any_path(
    heartbeat: Heartbeat, client_of: Callable[[RoleName], Client]
):
    client = client_of("viewer")
    for url in ("/", "/services/fares-api", "/mine", "/search?q=price"):
        answer = client.get(url, follow=True)
        assert answer.status_code == 200
        assert "Price a crossing" in answer.content.decode() or url == "/mine"


def test_a_path_of_another_kind_has_none_of_it(
    path: CriticalPath, client_of: Callable[[RoleName], Client]
):
    stand_up(path.service, now=timezone.now(), location="default")
    client = client_of("editor")
    assert "How the job reports in" not in page(client)
    assert client.get(f"{HERE}/address?environment=production").status_code == 404
