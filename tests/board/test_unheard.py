"""An apply warns of paths about which nobody would be told, before it stores them."""

import pytest

from opsboard.alerts.models import Channel, Route
from opsboard.services.models import CriticalPath, Team
from tests.board.files import FERRIES, apply_text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("FARES_TOKEN", "first-token")


def a_channel(team: Team | None = None) -> Channel:
    channel = Channel(name="Desk", kind=Channel.Kind.WEBHOOK, team=team)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()
    return channel


def warnings(out: str) -> list[str]:
    return [line for line in out.splitlines() if "obody would be told" in line]


def test_the_plan_and_the_apply_warn_of_each_path_with_its_place(tmp_path):
    for words in (["--dry-run"], []):
        said = warnings(apply_text(tmp_path, FERRIES, *words).out)
        assert len(said) == 2
        assert (
            ".yaml:17:9: Nobody would be told when Price a crossing of fares-api fails: "
            in (said[1])
        )
        assert said[1].endswith("no alert channel hears about it, and no mail server is set.")
    assert CriticalPath.objects.count() == 2


def test_a_channel_of_everybody_hears_about_new_teams(tmp_path):
    a_channel()
    assert warnings(apply_text(tmp_path, FERRIES).out) == []


def test_a_channel_of_another_team_does_not(tmp_path):
    channel = a_channel(Team.objects.create(slug="freight", name="Freight"))
    assert len(warnings(apply_text(tmp_path, FERRIES).out)) == 2
    channel.team = Team.objects.get(slug="pricing")
    channel.save()
    assert warnings(apply_text(tmp_path, FERRIES).out) == []


def test_the_environment_is_named_when_it_is_not_all(tmp_path):
    channel = a_channel(Team.objects.create(slug="freight", name="Freight"))
    route = Route.objects.create(name="Production", environment_slug="production")
    route.channels.add(channel)
    said = warnings(apply_text(tmp_path, FERRIES).out)
    assert "fails in staging: no alert channel hears about it" in said[1]


def test_a_path_that_is_paused_needs_no_hearing(tmp_path):
    text = FERRIES.replace("patience: 3", "patience: 3\n        paused: true")
    assert len(warnings(apply_text(tmp_path, text).out)) == 1


def test_many_paths_are_counted(tmp_path):
    paths = "".join(
        f"      path-{n}: {{route: /{n}, expect: [status == 200]}}\n" for n in range(30)
    )
    said = warnings(apply_text(tmp_path, FERRIES + paths).out)
    assert len(said) == 21
    assert said[-1].endswith("Nobody would be told of 12 more paths either.")
