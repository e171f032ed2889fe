"""The token by which a probed service knows Opsboard's probes: see opsboard.instrument.

An environment's variable of this name goes with every HTTP request to the origin of its own base
address, and nowhere else: what is asked elsewhere would learn it.
"""

from dataclasses import dataclass

from opsboard.people.probe_pass import HEADER
from opsboard.probes.rendering import value_of
from opsboard.services.models import Environment

NAME = "OPSBOARD_PROBE_TOKEN"


@dataclass(frozen=True, slots=True)
class ProbeToken:
    """`origin` is the base address without its path, as it is written: http://fares.internal"""

    value: str
    origin: str

    def goes_with(self, url: str, headers: tuple[tuple[str, str], ...]) -> bool:
        """Not where the sheet sends a header of its own."""
        after = url[len(self.origin) :]
        is_here = url.startswith(self.origin) and (not after or after[0] in "/?")
        return is_here and all(name.lower() != HEADER.lower() for name, _ in headers)


def token_of(environment: Environment, values: dict[str, str]) -> ProbeToken | None:
    """Raises NotOrderable where it is to be set and is not. None: there is no such variable."""
    if all(variable.name != NAME for variable in environment.variables.all()):
        return None
    scheme, _, rest = environment.base_url.partition("://")
    return ProbeToken(value_of(NAME, values, environment), f"{scheme}://{rest.partition('/')[0]}")
