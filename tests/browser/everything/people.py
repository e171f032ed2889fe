"""People in every state, a rota with a cover, tokens, and what the audit log says of them."""

from datetime import time, timedelta

from django.contrib.auth.models import User

from opsboard.people import joining, tokens
from opsboard.people.audit import Actor, Via, record
from opsboard.services.models import Rota, RotaCover
from tests.browser.everything.services import DAY, HOUR, Made, now


def make(editor: User, made: Made) -> None:
    by = Actor(editor, Via.PAGES, address="10.20.30.40")
    invited, _ = joining.invite("Ida Berg", "editor", email="ida@skerry.example", by=by, now=now())
    left = joining.add("Ole " + "d" * 60, "viewer")
    User.objects.filter(pk=left.pk).update(is_active=False)
    rota = Rota.objects.create(
        team=made.team, starts_on=now().date() - 20 * DAY, hand_over_at=time(9)
    )
    for position, person in enumerate([editor, invited], start=1):
        rota.turns.create(position=position, person=person)
    RotaCover.objects.create(
        rota=rota, person=invited, starts_at=now() - HOUR, ends_at=now() + 5 * HOUR
    )
    for name, lasts in [("CI of fares", 90 * DAY), ("Soon over " + "s" * 80, timedelta(days=5))]:
        tokens.make(
            name=name, scopes=["read", "release"], services=["fares-api"], gates=["unit"],
            by=editor, now=now(), expires_at=now() + lasts,
        )  # fmt: skip
    old, _ = tokens.make(
        name="Old", scopes=["read"], by=editor, now=now() - DAY, expires_at=now() + DAY
    )
    tokens.revoke(old, by=by, now=now())
    record(
        by, "changed", "service", "fares-api", now=now(),
        before={"summary": "What it does", "tier": "2"}, after={"summary": "a" * 200, "tier": "1"},
    )  # fmt: skip
