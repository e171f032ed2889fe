"""The table of before and after on the page of a path."""

from dataclasses import replace

import pytest
from django.utils import timezone

from opsboard.releases.before_after import Figures, deploys_of
from opsboard.releases.moves import Move
from opsboard.services.models import Deploy
from opsboard.web.before_after import rows_before_after, side_of
from opsboard.web.words import NBSP, day
from tests.changes.measuring import a_measured_path, every_half_minute, observe
from tests.company import NOON, production
from tests.releases.test_before_after import HOUR, NOW
from tests.web.standing import text_of

pytestmark = pytest.mark.django_db
FIGURES = Figures(
    asked=2880, wrong=3, timed=2877, p50=62_000, p95=2_380_000, cache_known=2880,
    cache_hits=2621, calls_reported=2880, calls_mean=11.95,
)  # fmt: skip


def said(**fields):
    side = side_of(replace(FIGURES, **fields))
    return [getattr(side, part).replace(NBSP, " ") for part in type(side).__slots__]


def test_figures_are_said_with_units_and_a_handful_as_a_count():
    assert said() == ["2,880", "62 ms", "2.38 s", "3 of 2,880", "91%", "11.9"]
    assert said(wrong=0)[3] == "none"
    assert said(wrong=144)[3] == "5%"
    assert said(wrong=2879)[3] == "more than 99%"


def test_what_lacks_is_said_to_lack():
    assert said(p50=None, p95=None, cache_known=0, calls_mean=None) == [
        *("2,880", "too few", "too few", "3 of 2,880", "not reported", "not reported")
    ]
    assert said(asked=0) == ["nothing kept", "", "", "", "", ""]
    assert said(asked=9, wrong=0)[3] == "0 of 9"


def test_the_page_of_a_path_shows_what_was_before_and_after(client_of):
    path = a_measured_path()
    place = production(path.service)
    place.deploys.create(at=NOON - HOUR, name="2026.11.4", kind=Deploy.Kind.RELEASE)
    place.deploys.create(at=NOON, name="CHG-0198", kind=Deploy.Kind.CHANGE)
    observe(path, every_half_minute(NOON - HOUR, 120), milliseconds=200)

    (change, release) = rows_before_after(
        deploys_of(place.pk, now=NOW), list(path.probes.all()), now=NOW
    )
    html = client_of("viewer").get(f"/services/{path.service.slug}/{path.slug}").text
    shown = text_of(html).split("Before and after each release")[1]

    assert (change.names[0].change, release.names[0].change) == (198, None)
    assert 'href="/changes/198"' in html
    assert "Release 2026.11.4" in shown
    assert "120" in shown
    assert "nothing kept" in shown


def test_a_path_where_nothing_was_put_into_service_says_so(client_of):
    path = a_measured_path()
    html = client_of("viewer").get(f"/services/{path.service.slug}/{path.slug}").text

    assert "Nothing was put into service here" in text_of(html)


def test_a_move_of_the_typical_time_is_said_with_what_happened_then(client_of, monkeypatch):
    path = a_measured_path()
    deploys = [Deploy(name="CHG-0198", kind=Deploy.Kind.CHANGE, at=NOON)]
    found = [Move(NOON, 62_000, 85_000, deploys), Move(NOON - HOUR, 90_000, 62_000, [])]
    monkeypatch.setattr("opsboard.web.before_after.read_moves", lambda *_, **__: found)
    html = client_of("viewer").get(f"/services/{path.service.slug}/{path.slug}").text
    shown = text_of(html).replace(NBSP, " ")
    on = f"{day(NOON, timezone.now())} 12:00"
    assert f"moved on {on}, from 62 ms to 85 ms: within an hour of it CHG-0198 went" in shown
    assert "from 90 ms to 62 ms: nothing known happened then." in shown
    assert 'href="/changes/198"' in html
