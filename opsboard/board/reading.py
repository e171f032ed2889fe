"""From the files of a board to what they declare. All that is wrong is said at once."""

from collections.abc import Iterable

from opsboard.board.declared import Declared
from opsboard.board.format import BOARD
from opsboard.board.nodes import Mapping as MappingNode
from opsboard.board.nodes import Node, inside, read_nodes
from opsboard.board.sources import Source
from opsboard.board.things import SERVICE, TEAM, things_of_service, things_of_team
from opsboard.board.within import check_within


def read_board(sources: Iterable[Source]) -> Declared:
    declared = Declared()
    for source in sources:
        declared.files.append(source.name)
        root = read_nodes(source, declared.errors)
        if root is not None:
            _read_file(root, declared)
    return declared


def _read_file(root: Node, declared: Declared) -> None:
    board = BOARD.read(root, declared.errors)
    teams, services = inside(root, "teams"), inside(root, "services")
    for slug, team in board["teams"].items():
        if _declare(declared, TEAM, slug, teams):
            declared.things |= things_of_team(slug, team)
    for slug, service in board["services"].items():
        if _declare(declared, SERVICE, slug, services):
            declared.things |= things_of_service(slug, service)
            check_within(declared, slug, service)


def _declare(declared: Declared, kind: str, slug: str, nodes: Node | None) -> bool:
    if not isinstance(nodes, MappingNode):
        return False
    key = nodes.keys[slug]
    if first := declared.keys.get((kind, slug)):
        declared.errors.append(
            key.wrong(
                f"The {kind} {slug} is declared twice, first in {first.source.path}:{first.line}:"
                f"{first.column}: take one out."
            )
        )
        return False
    declared.keys[kind, slug], declared.maps[kind, slug] = key, nodes.values[slug]
    return True
