"""The middleware that a Django service copies to say what its database did."""

import re
import threading

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory

from opsboard.instrument.django import ServerTiming

pytestmark = pytest.mark.django_db
PROBE = {"X-Opsboard-Probe": "yes"}


def ask_database(times: int) -> None:
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def answer(get_response, headers=PROBE):
    return ServerTiming(get_response)(RequestFactory().get("/", headers=headers))


def calls_of(response) -> int:
    return int(re.search(r'desc="(\d+)', response["Server-Timing"])[1])


def three_calls(_request):
    ask_database(3)
    return HttpResponse()


def test_the_calls_and_times_are_told():
    told = answer(three_calls)["Server-Timing"]
    assert re.fullmatch(r'db;dur=\d+\.\d;desc="3", app;dur=\d+\.\d', told)


def test_the_time_of_the_database_is_told_once_and_left_out_of_the_applications():
    def slow_query(_request):
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000)"
                " SELECT count(*) FROM n"
            )
        return HttpResponse()

    times = re.findall(r"dur=(\d+\.\d)", answer(slow_query)["Server-Timing"])
    database, application = map(float, times)
    assert database > 10 > application


def test_a_batch_is_one_call():
    def one_batch(_request):
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE auth_user SET email = %s WHERE id = %s", [("", 1), ("", 2)])
        return HttpResponse()

    assert calls_of(answer(one_batch)) == 1


def test_a_stranger_is_told_nothing():
    response = answer(three_calls, headers={})
    assert "Server-Timing" not in response
    assert "Cache-Status" not in response


def test_everybody_is_told_when_the_setting_says_so(settings):
    settings.OPSBOARD_TIMING = "all"
    assert calls_of(answer(three_calls, headers={})) == 3


@pytest.mark.parametrize(
    ("status", "cache"), [(200, "django; fwd=bypass"), (404, "django; fwd=bypass"), (304, None)]
)
def test_a_page_that_was_made_says_so_and_one_that_was_kept_does_not(status, cache):
    response = answer(lambda _: HttpResponse(status=status))
    assert response.headers.get("Cache-Status") == cache


def test_a_cache_nearer_the_service_keeps_its_word():
    response = answer(lambda _: HttpResponse(headers={"Cache-Status": "pages; hit"}))
    assert response["Cache-Status"] == "pages; hit"


def test_a_call_that_fails_is_counted():
    def fails(_request):
        with pytest.raises(Exception, match="no_such_table"), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")
        return HttpResponse()

    assert calls_of(answer(fails)) == 1


def test_after_a_view_raises_nothing_goes_on_counting():
    def raises(_request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer(raises)
    assert connection.execute_wrappers == []


def test_a_page_that_fails_is_told_as_well(client, settings):
    settings.ROOT_URLCONF = "tests.instrument.failing_urls"
    client.raise_request_exception = False
    response = client.get("/", headers=PROBE)
    assert response.status_code == 500
    assert calls_of(response) == 2


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_are_counted_apart():
    both_started = threading.Barrier(2, timeout=10)
    told: dict[int, int] = {}

    def work(times: int) -> None:
        def view(_request):
            both_started.wait()
            ask_database(times)
            both_started.wait()
            return HttpResponse()

        told[times] = calls_of(answer(view))
        raw = connection.connection
        connection.close()
        # Django leaves a database in memory open, since closing it would empty it.
        raw.close()

    threads = [threading.Thread(target=work, args=(times,)) for times in (2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert told == {2: 2, 5: 5}
