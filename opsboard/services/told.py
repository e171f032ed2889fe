"""A thing in the words of its fields, as the audit log tells what was changed.

Secrets are masked. Values are texts and lists of texts; two that are equal were not changed.
"""

from collections.abc import Collection

from opsboard.expectations.units import exact_duration
from opsboard.people.audit import MASKED
from opsboard.services import config_keys
from opsboard.services.about_lines import write_facts, write_links
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.rules import write_headers, write_query
from opsboard.services.saying import connection_lines, heartbeat_lines, labelled, steps_text

SET_ANEW = "a new secret"
type Thing = Service | Environment | CriticalPath | Team
type Told = dict[str, object]


def kind_of(thing: Thing) -> str:
    return "path" if isinstance(thing, CriticalPath) else type(thing).__name__.lower()


def subject_of(thing: Thing) -> str:
    """ "fares-api", "fares-api/price-a-crossing"."""
    if isinstance(thing, (CriticalPath, Environment)):
        return f"{thing.service.slug}/{thing.slug}"
    return thing.slug


def tell(thing: Thing, *, new_secrets: Collection[str] = ()) -> Told:
    """`new_secrets`: the names of secret variables that were set anew just now."""
    match thing:
        case Service():
            return _service(thing)
        case Environment():
            return _environment(thing, new_secrets)
        case CriticalPath():
            return _path(thing)
        case Team():
            return _team(thing)


def _team(team: Team) -> Told:
    members = team.members.order_by("username").values_list("username", flat=True)
    return {
        "name": team.name,
        "contact": team.contact,
        "zone": team.zone,
        "members": list(members),
    }


def _service(service: Service) -> Told:
    calls = service.depends_on.order_by("slug").values_list("slug", flat=True)
    return {
        "name": service.name,
        "summary": service.summary,
        "tier": service.get_tier_display(),
        "owner": service.team.name,
        "links": write_links(service.links),
        "tags": ", ".join(service.tags),
        "facts": write_facts(service.facts),
        "depends on": list(calls),
        "config keys": config_keys.lines(config_keys.keys_of(service)),
    }


def _environment(environment: Environment, new_secrets: Collection[str]) -> Told:
    told: Told = {
        "address": environment.base_url,
        "version route": environment.version_route,
        "version commit": environment.version_commit,
        "version config root": environment.version_config_root,
    }
    for variable in environment.variables.order_by("name"):
        secret = SET_ANEW if variable.name in new_secrets else MASKED
        told[f"variable {variable.name}"] = secret if variable.is_secret else variable.value
    return told


def _path(path: CriticalPath) -> Told:
    places = path.environments.order_by("slug").values_list("slug", flat=True)
    return {
        "name": path.name,
        "owner": path.owner.name if path.owner else "",
        "kind": path.get_kind_display(),
        "method": path.method,
        "route": path.route,
        "query": write_query([(name, value) for name, value in path.query]),
        "headers": write_headers([(name, value) for name, value in path.headers]),
        "body": path.body,
        "form": write_query([(name, value) for name, value in path.connection.get("form", [])]),
        "follows redirects": "yes" if path.follows_redirects else "no",
        "connection": labelled(connection_lines(path.connection)),
        "cache mode": path.get_cache_mode_display(),
        "steps": "\n".join(steps_text(path.steps)),
        "heartbeat": labelled(heartbeat_lines(path.heartbeat)),
        "expected result": path.expected_result,
        "where the user notices": path.user_notices,
        "slow query or failing command": path.slow_query_or_command,
        "interval": exact_duration(path.interval),
        "timeout": exact_duration(path.timeout),
        "patience": str(path.patience),
        "patience to recover": str(path.patience_to_recover or ""),
        "locations": list(path.locations),
        "environments": list(places) or "all",
    }
