"""Fields of what is said of a service beside its sheets, and of what was removed."""

import difflib
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from opsboard.services.about import MOST
from opsboard.services.about_lines import (
    read_facts,
    read_links,
    read_tags,
    write_facts,
    write_links,
    write_tags,
)
from opsboard.services.models import Service
from opsboard.services.told import Thing, kind_of
from opsboard.web.forms.fields import LineField, TextField, text_input


class _Written(TextField):
    """Lines that stand for something; all that is wrong with them is told."""

    read: Callable[[str], tuple[Any, list[str]]]
    write: Callable[[Any], str]

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else type(self).write(value)

    def clean(self, value: Any) -> Any:
        found, errors = type(self).read(super().clean(value))
        if errors:
            raise ValidationError(errors)
        return found


class LinksField(_Written):
    read, write = staticmethod(read_links), staticmethod(write_links)


class FactsField(_Written):
    read, write = staticmethod(read_facts), staticmethod(write_facts)


class TagsField(LineField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"widget": text_input(), "max_length": 2_000, "required": False} | kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return write_tags(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        # What it gives back is not what it reads: words, not text.
        tags, errors = read_tags(super().clean(value))
        if errors:
            raise ValidationError(errors)
        return tags


class ServicesField(TextField):
    """Services that stand on the board, by their name or their name in addresses, one a line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[Service]:  # type: ignore[override]
        # What it gives back is not what it reads: services, not text.
        lines = super().clean(value).replace(",", "\n").split("\n")
        words = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        if len(words) > MOST:
            raise ValidationError(f"At most {MOST} services go here; these are {len(words)}.")
        return _services_called(words) if words else []


def _services_called(words: list[str]) -> list[Service]:
    services = list(Service.objects.standing().only("slug", "name").order_by("slug"))
    known = {service.name.lower(): service for service in services}
    known |= {service.slug: service for service in services}
    unknown = [word for word in words if word.lower() not in known]
    if unknown:
        raise ValidationError([_unknown(word, known) for word in unknown])
    return list(
        {service.pk: service for word in words if (service := known[word.lower()])}.values()
    )


def _unknown(word: str, known: dict[str, Service]) -> str:
    near = difflib.get_close_matches(word.lower(), known, n=1)
    also = f" Did you mean {known[near[0]].slug}?" if near else ""
    return f"There is no service {word[:60]}.{also}"


def refuse_taken(taken: Thing | None) -> None:
    """Raise ValidationError when a name in addresses is taken; a removed thing can be restored."""
    if taken is None:
        return
    name = getattr(taken, "name", taken.slug)
    if taken.removed_at is None:
        raise ValidationError(f"{name} has this name already: choose another.")
    place = f"{reverse('removed')}#{kind_of(taken)}-{taken.pk}"
    raise ValidationError(
        format_html(
            '{} was removed and still has this name: <a href="{}">restore it</a>, '
            "or choose another.",
            name,
            place,
        )
    )
