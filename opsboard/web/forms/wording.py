"""Words around the fields of a form."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from opsboard.web.words import counted


def in_row(words: str, index: int | None, what: str = "row") -> SafeString:
    """A label that says, to those who do not see the rows, which one it is in."""
    return format_html('{}<span class="vh">, {} {}</span>', words, what, (index or 0) + 1)


def row_messages(most: int, what: str) -> dict[str, Any]:
    """What a set of rows says when there are too many, or when half of it was lost on the way."""
    return {
        "missing_management_form": (
            "Part of this form did not arrive: open the page again and save once more."
        ),
        "too_many_forms": f"At most {most} {what} go here: take some out.",
    }


def things_to_fix(count: int) -> str:
    """What stands next to a form's buttons: "2 things to fix first", or ""."""
    return f"{counted(count, 'thing')} to fix first" if count else ""
