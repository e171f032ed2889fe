"""Whether two names of a commit are of the same one. Pure."""

# Fewer digits could be anybody's.
SHORTEST = 7


def is_same(one: str, other: str) -> bool:
    """In its long form or in a short one."""
    one, other = one.lower(), other.lower()
    if min(len(one), len(other)) < SHORTEST:
        return bool(one) and one == other
    return one.startswith(other) or other.startswith(one)


def forms_of(commit: str) -> list[str]:
    """The commit, and the short forms of it."""
    return [commit[:digits] for digits in range(min(SHORTEST, len(commit)), len(commit) + 1)]
