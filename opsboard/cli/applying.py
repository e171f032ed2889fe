"""stub"""

from opsboard.cli.arguments import Commands


def add(commands: Commands) -> None:
    pass
