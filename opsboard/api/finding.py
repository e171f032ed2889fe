"""Finding what an address names, as far as the token may know of it.

A token that is not for a service is told 403 whether there is such a service or not.
"""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from opsboard.api.door import require, token_of
from opsboard.api.problems import not_found
from opsboard.people.tokens import READ
from opsboard.services.models import CriticalPath, Environment, Service


def find_service(request: HttpRequest, slug: str, scope: str = READ) -> Service:
    """Raises Problem 403, 404."""
    require(request, scope, service=slug)
    found = Service.objects.standing().select_related("team").filter(slug=slug).first()
    if found is None:
        raise not_found(f"service {slug}")
    return found


def find_path(service: Service, slug: str) -> CriticalPath:
    """Raises Problem 404."""
    paths = service.paths.standing().select_related("service__team", "owner", "checked_by")
    found = paths.filter(slug=slug).first()
    if found is None:
        raise not_found(f"path {slug} of {service.slug}")
    return found


def find_environment(service: Service, slug: str) -> Environment:
    """Raises Problem 404."""
    found = service.environments.standing().filter(slug=slug).first()
    if found is None:
        raise not_found(f"environment {slug} of {service.slug}")
    return found


def covered[M: Model](request: HttpRequest, found: QuerySet[M], field: str) -> QuerySet[M]:
    """Those of the services that the token is for; `field` leads to the service's slug."""
    chosen: list[Any] = token_of(request).services
    return found.filter(**{f"{field}__in": chosen}) if chosen else found
