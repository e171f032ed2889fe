"""What was found of our own network, as plain values: see `surroundings`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found at one moment."""

    names_canaries: bool = False
    canary_answers: bool = False
    # Any way to another machine; with a default route, to all.
    has_way_out: bool = True
    has_default_route: bool = True
    resolver_answers: bool = True
