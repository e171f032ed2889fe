"""What becomes of the replies of rows B1 to B34: stored, shown and told in plain sentences.

On the database in use: PostgreSQL stores no NUL and no half of a pair.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from django.test import Client

from opsboard.alerts.models import Delivery
from opsboard.alerts.telling import content_of
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Reply
from opsboard.probes.models import Exchange, Observation, Probe, StateChange
from opsboard.probes.recording import record
from opsboard.probes.schedule import database_now
from opsboard.services.models import CriticalPath
from opsboard.tasks import react
from tests.company import a_path, a_probe, a_service, claims, make_due, result_of
from tests.far_side import FarSide
from tests.incidents.failing import everybody
from tests.outbound.hostile import ATTACKS, SCRIPT, Attack, names
from tests.web.standing import text_of

# Clauses that quote what came.
EXPECTED = 'status == 200\nbody contains "nothing of it"\njson $.a == 1\nheader X exists'
# Names of exceptions, and what a program says where it has no words.
NOT_WORDS = re.compile(r"[A-Z]\w+(?:Error|Exception)\b|Traceback|\bNone\b|\bCURLE?_|\bnull\b")


@pytest.fixture(scope="module")
def replies() -> dict[Attack, Reply]:
    """All asked at once, by the asker of a drain."""
    with ExitStack() as stack:
        stack.enter_context(names())
        asker = Asker()
        asker.start()
        stack.callback(asker.stop)
        for attack in ATTACKS:
            opened = attack.open(lambda *a, **o: stack.enter_context(FarSide(*a, **o)))
            asker.ask(opened.ask, policy=opened.policy, at=0, key=attack)
        came = [asker.replies.get(timeout=60) for _ in ATTACKS]
        return {key: reply for key, _, reply in came if isinstance(key, Attack)}


@pytest.fixture
def paths(db: None, replies: dict[Attack, Reply]) -> dict[Attack, CriticalPath]:
    """Each reply recorded, by its attack, as that of a path of a service of its own."""
    everybody()
    paths = {
        attack: a_path(a_service(), patience=1, expected_result=EXPECTED) for attack in ATTACKS
    }
    attacks = {a_probe(path).pk: attack for attack, path in paths.items()}
    for probe in Probe.objects.all():
        make_due(probe)
    taken = claims(len(ATTACKS))
    results = [result_of(one, replies[attacks[one.probe_id]]) for one in taken]
    assert len(results) == len(ATTACKS)
    assert record(results, now=database_now(), react=react) == 0
    return paths


def assert_plain(text: str) -> None:
    assert not [sign for sign in text if not sign.isprintable() and sign not in "\n\t"], repr(text)
    assert not NOT_WORDS.search(text), text


def test_every_reply_is_stored_as_text_that_a_page_can_hold(paths: dict[Attack, CriticalPath]):
    assert Observation.objects.count() == len(ATTACKS)
    reasons = [one.reason for one in Observation.objects.all()]
    changes = StateChange.objects.values_list("reason", flat=True)
    for reason in [*reasons, *changes, *Probe.objects.values_list("reason", flat=True)]:
        assert len(reason) > 20
        assert_plain(reason)
    kept = Exchange.objects.all()
    assert kept
    for exchange in kept:
        texts = [exchange.excerpt, *(text for pair in exchange.headers for text in pair)]
        assert all(sign.isprintable() or sign in "\n\t" for text in texts for sign in text)
        assert len(exchange.excerpt) <= 4096


def test_every_failure_is_told_in_a_plain_sentence(paths: dict[Attack, CriticalPath]):
    told = 0
    for delivery in Delivery.objects.select_related("channel"):
        content = content_of([delivery], delivery.channel, now=datetime.now(UTC))
        assert len(content["subject"]) > 20 and "\n" not in content["subject"]
        assert_plain(content["subject"])
        assert_plain(content["text"])
        told += 1
    # Errors of our own are nobody's incident: a zone in an address is one.
    assert told == sum(one.verdict == 2 for one in Observation.objects.all()) > 80


def test_the_page_of_every_path_says_what_came(
    paths: dict[Attack, CriticalPath], client_of: Callable[..., Client]
):
    client = client_of("viewer")
    for attack, path in paths.items():
        page = client.get(f"/services/{path.service.slug}/{path.slug}")
        assert page.status_code == 200, attack
        html = page.content.decode()
        assert not [sign for sign in html if sign < " " and sign not in "\n\t\r"], attack
        assert SCRIPT not in html
        read = text_of(re.sub(r"(?s)<script.*?</script>", "", html)).replace("&#x27;", "'")
        assert not NOT_WORDS.search(read), attack
        # The first letter of a sentence is a capital there, also of a host.
        assert attack.says.lower() in read.lower(), attack
