"""What every body is made from."""

from ninja import Schema
from pydantic import ConfigDict


class Body(Schema):
    """A key that nobody knows is refused, not passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)
