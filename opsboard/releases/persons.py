"""People's names as one expression of a query, so that no person is read apart."""

from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim


def person_in(lookup: str) -> Func:
    """ "asked_by" gives who asked: their full name, or else the name they sign in with; "" is
    nobody, or somebody who has gone."""
    full = Concat(F(f"{lookup}__first_name"), Value(" "), F(f"{lookup}__last_name"))
    name = NullIf(Trim(full), Value(""))
    return Coalesce(name, F(f"{lookup}__username"), Value(""), output_field=CharField())
