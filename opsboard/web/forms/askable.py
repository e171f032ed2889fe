"""Refusing an address in a form."""

from django.core.exceptions import ValidationError

from opsboard.probes.orders import policy_of_this_place
from opsboard.services.askable import why_not_askable


def refuse_address(url: str) -> None:
    """Raise ValidationError for an address that is not one, or that may not be asked from here."""
    if wrong := why_not_askable(url, policy_of_this_place()):
        raise ValidationError(wrong)
