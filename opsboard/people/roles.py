"""What a role is called and what it allows: words only."""

from typing import Literal

RoleName = Literal["viewer", "editor", "administrator"]

VIEWER: RoleName = "viewer"
EDITOR: RoleName = "editor"
ADMINISTRATOR: RoleName = "administrator"

# From the least to the most: each may do all that those before it may.
ROLES: tuple[RoleName, ...] = (VIEWER, EDITOR, ADMINISTRATOR)


def allows(held: str | None, needed: str) -> bool:
    """Whether a person with role `held` may do what needs role `needed`.

    None: a person without a role, who may do nothing. An unknown word allows nothing either.
    """
    ranks = {name: rank for rank, name in enumerate(ROLES)}
    if held not in ranks or needed not in ranks:
        return False
    return ranks[held] >= ranks[needed]
