"""Config keys and gate choices as a board file has them: read and written in few statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from opsboard.releases.models import GateChoice
from opsboard.services import config_keys
from opsboard.services.models import ConfigKey, Service, Team

BATCH = 500

type ByName = dict[str, dict[str, Any]]


def config_by_service() -> Mapping[int, ByName]:
    """The keys of every service, by its number; {} for one that has none."""
    found: dict[int, ByName] = defaultdict(dict)
    for key in ConfigKey.objects.order_by("service_id", "name"):
        found[key.service_id][key.name] = config_keys.rules_of(key)
    return found


def gates_by(owner: str) -> Mapping[int, ByName]:
    """The choices of every team or service. `owner`: "team_id" or "service_id"."""
    found: dict[int, ByName] = defaultdict(dict)
    for choice in GateChoice.objects.exclude(**{owner: None}).order_by(owner, "gate"):
        found[getattr(choice, owner)][choice.gate] = choice_of(choice)
    return found


def choice_of(choice: GateChoice) -> dict[str, Any]:
    return {"need": choice.need, "words": choice.words, "lasts": choice.lasts}


def write_config(wanted: Iterable[tuple[Service, ByName]]) -> None:
    """Whatever each service had is written anew."""
    services = list(wanted)
    for start in range(0, len(services), BATCH):
        some = services[start : start + BATCH]
        ConfigKey.objects.filter(service__in=[service for service, _ in some]).delete()
    ConfigKey.objects.bulk_create(
        (
            config_keys.made(service, name, rules)
            for service, keys in services
            for name, rules in keys.items()
        ),
        batch_size=BATCH,
    )


def write_gates(wanted: Iterable[tuple[Team | Service, ByName]]) -> None:
    """Whatever each had chosen is written anew."""
    owners = list(wanted)
    for start in range(0, len(owners), BATCH):
        some = [owner for owner, _ in owners[start : start + BATCH]]
        GateChoice.objects.filter(team__in=[one for one in some if isinstance(one, Team)]).delete()
        services = [one for one in some if isinstance(one, Service)]
        GateChoice.objects.filter(service__in=services).delete()
    GateChoice.objects.bulk_create(
        (
            GateChoice(**_owner(owner), gate=gate, **choice)
            for owner, choices in owners
            for gate, choice in choices.items()
        ),
        batch_size=BATCH,
    )


def _owner(owner: Team | Service) -> dict[str, Any]:
    return {"team": owner} if isinstance(owner, Team) else {"service": owner}


def choices_of(owner: Team | Service) -> ByName:
    """By gate, in their order."""
    found = GateChoice.objects.filter(**_owner(owner)).order_by("gate")
    return {choice.gate: choice_of(choice) for choice in found}
