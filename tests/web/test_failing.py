"""What a page says when Opsboard itself could not answer."""

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (OperationalError("database or disk is full"), 503, "is full, so nothing was saved"),
        (OperationalError("connection refused"), 503, "did not answer, so nothing was saved"),
        (ProgrammingError("no such column"), 500, "Something went wrong on our side"),
    ],
    ids=["full", "away", "bug"],
)
def test_trouble_of_the_database_is_told_with_what_to_do(
    editor, error: Exception, status: int, says: str
):
    client = Client(raise_request_exception=False)
    client.force_login(editor)

    def refuse(execute, sql, *rest):  # type: ignore[no-untyped-def]
        if sql.startswith("INSERT"):
            raise error
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        response = client.post(
            "/teams/new", {"name": "Pricing", "contact": "#pricing", "zone": "UTC"}
        )
    assert response.status_code == status
    assert says in response.text


def test_a_database_that_is_full_can_be_read(editor):
    client = Client(raise_request_exception=False)
    client.force_login(editor)

    def refuse(execute, sql, *rest):  # type: ignore[no-untyped-def]
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError("database or disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        for page in ("/", "/incidents", "/alerts", "/alerts/notices", "/rollback-notes"):
            assert client.get(page).status_code == 200, page
