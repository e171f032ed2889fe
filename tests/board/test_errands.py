"""Applies and exports that are asked for on the pages: done once, all of it or nothing."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from opsboard.board import changing, errands
from opsboard.board.errands import claims, doing, progress
from opsboard.board.errands.contents import exported_of
from opsboard.board.errands.progress import NotOursError, standing_here
from opsboard.board.models import Errand
from opsboard.board.sources import Source
from opsboard.people import joining
from opsboard.people.audit import Actor, Via
from opsboard.people.models import AuditEntry
from opsboard.probes.schedule import database_now
from opsboard.services.models import CriticalPath, Service, Team
from tests.company import NOON

SERVICES = 30


def board(services: int = SERVICES) -> list[Source]:
    text = "teams: {pricing: {}}\nservices:\n" + "".join(
        f"  s{n}: {{owner: pricing, environments: {{production: {{base_url: https://a.test}}}}, "
        f"paths: {{health: {{route: GET /{n}}}}}}}\n"
        for n in range(services)
    )
    return [Source("fares.yaml", text)]


def by(person) -> Actor:
    return Actor(person, Via.PAGES)


def planned(person, sources=None, *, prune=False) -> Errand:
    _, errand = errands.plan(sources or board(), prune=prune, by=by(person), now=NOON)
    assert errand is not None
    return errand


def asked(person, sources=None) -> Errand:
    errand = planned(person, sources)
    errands.ask(errand, by=by(person), now=NOON)
    errand.refresh_from_db()
    return errand


def work() -> None:
    errands.do_due(is_stopping=lambda: False)


class TestAsked:
    """In one transaction with the test: what a worker does by itself is below."""

    pytestmark = pytest.mark.django_db

    def test_a_plan_changes_nothing_and_says_what_would_be(self, administrator):
        errand = planned(administrator)
        assert not Service.objects.filter(slug="s1").exists()
        assert errand.plan["summary"] == "Plan: 91 to add."
        assert [act["act"] for act in errand.plan["acts"]] == ["added"]

    def test_wrong_files_are_not_kept(self, administrator):
        sources = [Source("fares.yaml", "teams: {pricing: {nmae: Pricing}}")]
        prepared, errand = errands.plan(sources, prune=False, by=by(administrator), now=NOON)
        assert errand is None
        assert "name" in str(prepared.errors[0])
        assert not Errand.objects.exists()

    def test_a_small_one_is_done_at_once(self, administrator):
        errand = asked(administrator, board(3))
        assert errand.done_at is not None
        assert errand.outcome == "10 added."
        assert Service.objects.filter(slug="s2").exists()
        assert AuditEntry.objects.filter(via=Via.APPLY, who=administrator.username).count() == 10

    def test_a_large_one_waits_for_a_worker(self, administrator):
        errand = asked(administrator)
        assert errand.is_under_way
        assert not Service.objects.filter(slug="s1").exists()

    def test_it_is_asked_for_once(self, administrator):
        errand = asked(administrator)
        with pytest.raises(errands.Refused):
            errands.ask(errand, by=by(administrator), now=NOON)

    def test_one_that_waits_can_be_stopped(self, administrator):
        errand = asked(administrator)
        assert errands.stop(errand, by=by(administrator), now=NOON)
        work()
        errand.refresh_from_db()
        assert errand.given_up_by == administrator.username
        assert not Service.objects.filter(slug="s1").exists()
        with pytest.raises(errands.Refused):
            errands.stop(errand, by=by(administrator), now=NOON)

    def test_a_person_keeps_a_few_plans(self, administrator):
        for _ in range(errands.MOST_PLANS + 2):
            planned(administrator, board(1))
        assert Errand.objects.count() == errands.MOST_PLANS

    def test_plans_and_contents_go_after_a_day_and_the_rest_after_a_month(self, administrator):
        planned(administrator, board(1))
        done = asked(administrator, board(2))
        errands.prune(now=NOON + timedelta(days=1))
        assert [one.pk for one in Errand.objects.all()] == [done.pk]
        assert Errand.objects.get().content is None
        with pytest.raises(errands.Refused, match="choose them again"):
            errands.plan_again(Errand.objects.get(), by=by(administrator), now=NOON)
        errands.prune(now=NOON + timedelta(days=30))
        assert not Errand.objects.exists()

    def test_what_is_under_way_is_never_let_go(self, administrator):
        errand = asked(administrator)
        errands.prune(now=NOON + timedelta(days=40))
        assert Errand.objects.get(pk=errand.pk).content is not None


@pytest.fixture
def layla(transactional_db):
    return joining.add("Layla Haddad", "administrator")


def test_a_worker_does_what_was_asked_for_once(layla):
    errand = asked(layla)
    work()
    work()
    errand.refresh_from_db()
    assert (errand.outcome, errand.tries) == ("91 added.", 1)
    assert errand.claim_id is None
    assert Service.objects.filter(slug__startswith="s").count() == SERVICES
    assert AuditEntry.objects.filter(via=Via.APPLY).count() == 91


def test_how_far_it_is_is_seen_while_its_transaction_is_open(layla, monkeypatch):
    errand, seen = asked(layla), []
    write_marks = changing.write_marks

    def look_from_outside():
        found = Errand.objects.get(pk=errand.pk)
        here = standing_here(errand.pk)
        seen.append((here.phase if here else found.phase, Team.objects.count()))
        connections["default"].close()

    def looked(marks):
        outside = threading.Thread(target=look_from_outside)
        outside.start()
        outside.join()
        write_marks(marks)

    teams = Team.objects.count()
    monkeypatch.setattr(changing, "write_marks", looked)
    work()
    assert seen == [("services brought in line", teams)]


def test_a_plan_that_is_out_of_date_changes_nothing(layla):
    errand = asked(layla)
    Team.objects.create(slug="pricing", name="Other")
    work()
    errand.refresh_from_db()
    assert errand.failed_at is not None
    assert errand.outcome == doing.CHANGED
    assert Team.objects.get(slug="pricing").name == "Other"
    assert not Service.objects.filter(slug="s1").exists()


def test_who_lost_the_right_meanwhile_changes_nothing(layla):
    errand = asked(layla)
    layla.role.name = "editor"
    layla.role.save()
    work()
    errand.refresh_from_db()
    assert errand.outcome == "Layla Haddad may not do this any more. Nothing was changed."
    assert not Service.objects.filter(slug="s1").exists()


def test_an_errand_whose_worker_died_is_begun_anew_by_another(layla):
    errand = asked(layla)
    assert claims.claim() is not None
    work()
    errand.refresh_from_db()
    assert errand.done_at is None
    Errand.objects.update(leased_until=database_now() - 1)
    work()
    errand.refresh_from_db()
    assert (errand.outcome, errand.tries) == ("91 added.", 2)


def test_what_ends_every_worker_is_not_begun_for_ever(layla):
    errand = asked(layla)
    for _ in range(claims.MOST_TRIES):
        assert claims.claim() is not None
        Errand.objects.update(leased_until=database_now() - 1)
    assert claims.claim() is None
    errand.refresh_from_db()
    assert errand.failed_at is not None
    assert errand.outcome == claims.TOO_OFTEN


def test_a_worker_that_comes_back_late_changes_nothing(layla):
    errand = asked(layla)
    late = claims.claim()
    Errand.objects.update(leased_until=database_now() - 1)
    other = claims.claim()
    assert late and other
    with pytest.raises(NotOursError):
        doing.do(late, lambda *_: None)
    assert not Service.objects.filter(slug="s1").exists()
    errands.do_claimed(other, is_stopping=lambda: False)
    errand.refresh_from_db()
    assert errand.done_at is not None


def test_a_worker_that_is_told_to_end_hands_it_back_whole(layla, monkeypatch):
    errand, words = asked(layla), []

    def told(what, *_):
        words.append(what)

    monkeypatch.setattr(progress.Teller, "tell", _telling(told, progress.Teller.tell))
    errands.do_due(is_stopping=lambda: "paths" in words)
    errand.refresh_from_db()
    assert errand.is_under_way
    assert errand.claim_id is None
    assert not Service.objects.filter(slug="s1").exists()
    work()
    errand.refresh_from_db()
    assert errand.done_at is not None


def test_it_is_stopped_while_it_is_written_and_nothing_of_it_stays(layla, monkeypatch):
    errand = asked(layla)

    def stop_from_outside():
        with_a_page = Errand.objects.get(pk=errand.pk)
        errands.stop(with_a_page, by=by(layla), now=NOON)
        connections["default"].close()

    def stopping(what, *_):
        if what == "paths":
            page = threading.Thread(target=stop_from_outside)
            page.start()
            page.join()

    monkeypatch.setattr(progress.Teller, "tell", _telling(stopping, progress.Teller.tell))
    work()
    errand.refresh_from_db()
    assert errand.given_up_by == "Layla Haddad"
    assert errand.done_at is None
    assert not Service.objects.filter(slug="s1").exists()


def _telling(first, then):
    def tell(teller, *words):
        first(*words)
        then(teller, *words)

    return tell


def test_while_another_apply_runs_it_waits(layla):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite waits by itself")
    errand = asked(layla)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [changing._LOCK])
    try:
        worker = threading.Thread(target=_work_and_close)
        worker.start()
        worker.join()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [changing._LOCK])
    errand.refresh_from_db()
    assert (errand.is_under_way, errand.outcome) == (True, doing.WAITS)
    work()
    errand.refresh_from_db()
    assert errand.outcome == "91 added."


def _work_and_close():
    work()
    connections["default"].close()


def test_an_export_is_what_the_command_prints(layla):
    asked(layla, board(2))
    errand = errands.export_anew(by=by(layla), now=NOON)
    work()
    errand.refresh_from_db()
    text = exported_of(errand)
    assert text is not None
    assert b"GET /1" in text
    assert errand.size == len(text)
    assert CriticalPath.objects.filter(slug="health").count() >= 2
