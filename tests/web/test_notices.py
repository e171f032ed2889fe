"""The page of notices: what is open, to whom it went, and what has ended."""

from datetime import UTC, datetime

import pytest

from opsboard.alerts.models import Channel, Delivery, Notice
from opsboard.services.models import CriticalPath

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def warns(path: CriticalPath) -> Notice:
    return Notice.objects.create(
        kind="warning",
        key="path 1 env 1",
        path=path,
        service=path.service,
        text="Price a crossing (Fares API, production) warns: it is slow; look at its sheet.",
        began_at=NOON,
    )


def test_without_notices_the_page_says_so(client_of):
    text = client_of("viewer").get("/alerts/notices").text
    assert "<h1>No notice is open</h1>" in text
    assert "Nothing to know." in text


def test_an_open_notice_leads_to_its_path_and_says_who_was_told(client_of, warns: Notice):
    channel = Channel.objects.create(name="Pricing on call", kind="email")
    warns.deliveries.create(
        channel=channel, event=Delivery.Event.NOTICE, created_at=NOON, wanted_at=0
    )
    text = client_of("viewer").get("/alerts/notices").text
    assert "<h1>1 notice is open</h1>" in text
    assert f'<a href="/services/fares-api/price-a-crossing">{warns.text}</a>' in text
    assert "Pricing on call: " in text


def test_a_notice_that_was_held_back_says_why(client_of, warns: Notice):
    channel = Channel.objects.create(name="Pricing on call", kind="email")
    warns.deliveries.create(
        channel=channel,
        event=Delivery.Event.NOTICE,
        created_at=NOON,
        wanted_at=0,
        held_at=NOON,
        held_by=Delivery.HeldBy.SILENCE,
        reason="Silenced by Edith Moe until 14:00 UTC",
    )
    assert (
        "Silenced by Edith Moe until 14:00 UTC." in client_of("viewer").get("/alerts/notices").text
    )


def test_a_notice_nobody_hears_says_so(client_of, warns: Notice):
    assert "Nobody hears of it" in client_of("viewer").get("/alerts/notices").text


def test_what_has_ended_stands_below(client_of, warns: Notice):
    Notice.objects.update(ended_at=NOON)
    text = client_of("viewer").get("/alerts/notices").text
    assert text.index("Nothing to know.") < text.index(warns.text)


def test_the_text_of_a_notice_is_never_markup(client_of, warns: Notice):
    Notice.objects.update(text="<b>bold</b> warns.")
    assert "&lt;b&gt;bold" in client_of("viewer").get("/alerts/notices").text


def test_a_path_that_was_removed_is_no_link(client_of, warns: Notice):
    CriticalPath.objects.update(removed_at=NOON)
    text = client_of("viewer").get("/alerts/notices").text
    assert warns.text in text
    assert 'href="/services/fares-api/price-a-crossing"' not in text


def test_the_queries_are_few_however_many_notices_there_are(
    client_of, path: CriticalPath, django_assert_max_num_queries
):
    channel = Channel.objects.create(name="Pricing on call", kind="email")
    for number in range(30):
        notice = Notice.objects.create(
            kind="warning", key=str(number), path=path, service=path.service, text="It warns.",
            began_at=NOON,
        )  # fmt: skip
        notice.deliveries.create(
            channel=channel, event=Delivery.Event.NOTICE, created_at=NOON, wanted_at=0
        )
    client = client_of("viewer")
    with django_assert_max_num_queries(14):
        client.get("/alerts/notices")
