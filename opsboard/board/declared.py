"""What board files declare, with the place of every word of it."""

from dataclasses import dataclass, field

from opsboard.board.nodes import Node, Scalar, inside
from opsboard.board.sources import Wrong
from opsboard.board.things import Things

# "team" or "service", and its name in addresses.
type Declarer = tuple[str, str]


@dataclass(slots=True)
class Declared:
    """What the files say. Of use only when there are no errors."""

    things: Things = field(default_factory=dict)
    # The key that declares it, and its map.
    keys: dict[Declarer, Scalar] = field(default_factory=dict)
    maps: dict[Declarer, Node] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    errors: list[Wrong] = field(default_factory=list)

    def file_of(self, kind: str, slug: str) -> str:
        return self.keys[kind, slug].source.name

    def place(self, kind: str, slug: str, *steps: str | int) -> Node:
        """Where something stands: as near to it as the file goes."""
        node: Node = self.keys[kind, slug]
        found: Node | None = self.maps[kind, slug]
        for step in steps:
            found = inside(found, step)
            if found is None:
                break
            node = found
        return node
