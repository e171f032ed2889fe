"""A company that has something of everything a page can show, made in the database by hand.

Long words without a space stand wherever words go: what they break, a page breaks.
"""

from django.contrib.auth.models import User

from tests.browser.everything import (
    alerts,
    board_files,
    changes,
    incidents,
    people,
    releases,
    services,
)


def make_everything(editor: User) -> None:
    made = services.make(editor)
    people.make(editor, made)
    incidents.make(editor, made)
    releases.make(editor, made)
    changes.make(made)
    alerts.make(editor, made)
    board_files.make(editor)
