"""Every operation of the API against the document that the board gives of itself.

Schemathesis makes requests from it, right ones and wrong ones, and sends them through the whole
application to a real database: no answer may be a server error, or one that is not documented,
or have a field more or fewer than the document says.
"""

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from opsboard.people import joining, tokens
from opsboard.wsgi import application
from tests.api.everything import fill

# Requests of each kind to each operation. Few: there are many operations, and every run counts.
# With 50 of each it takes minutes: run by hand before a release.
EXAMPLES = 3
KINDS = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
# A request that is right by the document may still be refused by what the board knows.
LEFT_OUT = [checks.positive_data_acceptance]


@pytest.fixture
def board(transactional_db: None, settings: Any) -> tuple[str, dict[str, Any]]:
    """An administrator's token for everything, to ask as often as one likes; and what is there."""
    settings.TOKEN_REQUESTS_A_MINUTE = 1_000_000
    person, now = joining.add("Layla Haddad", "administrator"), timezone.now()
    ends = now + timedelta(days=1)
    made = tokens.make(name="all", scopes=[*tokens.SCOPES], by=person, now=now, expires_at=ends)
    ask = Client(headers={"Authorization": f"Bearer {made[1]}"})
    return made[1], fill(ask, person)


def test_every_answer_is_one_that_is_documented(board: tuple[str, dict[str, Any]]) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    schema.config.checks.negative_data_rejection.expected_statuses += ["413"]
    operations = [one.ok() for one in schema.get_all_operations()]
    assert len(operations) > 20
    wrong = [told for one in operations for kind in KINDS if (told := tried(one, kind, *board))]
    assert not wrong, "\n\n".join(wrong)


def tried(operation: Any, kind: GenerationMode, token: str, known: dict[str, Any]) -> str:
    """What is wrong with the answers of one operation; "": nothing."""

    @budget(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=kind))
    def ask(case: Case) -> None:
        if kind is GenerationMode.POSITIVE:
            # Else every answer would be that there is no such thing.
            places = {name: known.get(name, one) for name, one in case.path_parameters.items()}
            case.path_parameters = places
        # What is packed is not unpacked before it is looked at.
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)

    try:
        ask()
    except Unsatisfiable:
        return ""
    except Exception as error:  # noqa: BLE001 - every operation is heard before one is told
        return f"{operation.label}: {error}"
    return ""
