"""Critical paths in the API: the sheet, and how it stands."""

import pytest

from opsboard.rollbacks.models import RollbackNote
from tests.api.standing import observed
from tests.company import BAD, NOON, a_path, a_probe

pytestmark = pytest.mark.django_db
HERE = "/api/v1/services/fares-api/paths"


def test_one_path_is_its_sheet_and_how_it_stands(ask, path, editor):
    path.patience = 1
    path.save()
    observed(a_probe(path), BAD)
    RollbackNote.objects.create(service=path.service).write(
        title="Turn the cache off", use_when="-", does_not_undo="-", minutes=5,
        steps=[{"do": "Turn it off"}], reason="", by=editor, now=NOON,
    )  # fmt: skip
    one = ask.get(f"{HERE}/price-a-crossing").json()
    assert (one["method"], one["route"], one["expected"]) == ("GET", "/price", ["status == 200"])
    assert one["missing"] == ["a known slow query or failing command"]
    assert (one["interval_ms"], one["timeout_ms"]) == (30_000, 10_000)
    assert one["note"] == {"title": "Turn the cache off", "version": 1, "minutes": 5}
    (place,) = one["environments"]
    assert (place["slug"], place["standing"]) == ("production", "failing")
    assert place["reason"] == "status is 503, expected 200"
    assert place["since"].endswith("+00:00")


def test_a_path_that_was_never_observed_has_no_data(ask, path):
    a_probe(path)
    (place,) = ask.get(f"{HERE}/price-a-crossing").json()["environments"]
    assert (place["standing"], place["observed_at"]) == ("no_data", None)


def test_a_list_takes_as_many_queries_for_thirty_as_for_one(
    ask, path, django_assert_max_num_queries
):
    ask.get(HERE)
    for _ in range(30):
        a_path(path.service)
    a_probe(path)
    with django_assert_max_num_queries(9):
        found = ask.get(f"{HERE}?limit=200").json()
    assert len(found["items"]) == 31
    assert found["items"][-1]["environments"][0]["slug"] == "production"


def test_a_path_that_is_not_there(ask, path):
    assert ask.get(f"{HERE}/other").status_code == 404


def test_a_token_of_another_service_is_refused(ask_with, make_token, path):
    ask = ask_with(make_token(services=["mail"])[1])
    assert ask.get(HERE).status_code == 403
    assert ask.get(f"{HERE}/price-a-crossing").status_code == 403
