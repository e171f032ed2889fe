"""The mark of what a board file declares."""

from typing import Any

from django import template

from opsboard.board.declarations import declaration_of

register = template.Library()


@register.inclusion_tag("_declared.html")
def declared(kind: str, *names: str, is_form: bool = False) -> dict[str, Any]:
    """Which file declares a thing; on a form also that the file will win. New things have none.

    `names`: of the service and what is in it, as in "path" "fares-api" "health".
    """
    given = tuple(name for name in names if name)
    declaration = declaration_of((kind, *given)) if given else None
    return {"declaration": declaration, "kind": kind, "is_form": is_form}
