"""How a page offers its badge."""

from typing import Any

from django import template

from opsboard.services.models import CriticalPath, Environment
from opsboard.web import badges

register = template.Library()


@register.inclusion_tag("_badge.html")
def badge(environment: Environment | None, path: CriticalPath | None = None) -> dict[str, Any]:
    """The badge of a path, or without one of the service. Nothing without an environment."""
    if environment is None:
        return {}
    return {"offer": badges.offer(environment, path), "of": "path" if path else "service"}
