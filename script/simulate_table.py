"""What a row of script/simulate came to: shares, bounds, and a line of the table."""

from collections import Counter
from dataclasses import dataclass

from script.simulate_rows import AT_MOST, BY_NAME

VERDICTS = ("improved", "regressed", "no_change", "inconclusive", "confounded")
COLUMNS = (*VERDICTS, "covered", "pooled faster", "pooled slower")
HEAD = (
    "| row | what | improved | regressed | no change | inconclusive | confounded | range holds "
    "| Mann-Whitney faster | slower | bounds |\n"
    f"|---|---|{'---|' * (len(COLUMNS) + 1)}"
)


@dataclass(frozen=True)
class Told:
    name: str
    runs: int
    counts: Counter

    def share(self, column: str) -> float | None:
        """None: nothing to count."""
        of = self.counts["ranges"] if column == "covered" else self.runs
        return self.counts[column] / of if of else None

    def missed(self) -> list[tuple[str, str, float]]:
        """What could not be counted is missed too."""
        return [bound for bound in BY_NAME[self.name].bounds if not self._keeps(*bound)]

    def _keeps(self, column: str, direction: str, limit: float) -> bool:
        share = self.share(column)
        if share is None:
            return False
        return share <= limit if direction == AT_MOST else share >= limit

    def as_json(self) -> dict[str, object]:
        said = {column.replace(" ", "_"): self.share(column) for column in COLUMNS}
        return {"row": self.name, **said, "missed": [_said(*each) for each in self.missed()]}


def line(told: Told) -> str:
    row, missed = BY_NAME[told.name], told.missed()
    shares = [told.share(column) for column in COLUMNS]
    cells = ["–" if share is None else f"{share:.3f}" for share in shares]
    bounds = [("MISSED " if each in missed else "") + _said(*each) for each in row.bounds]
    return f"| {' | '.join([told.name, row.what, *cells, ', '.join(bounds) or '–'])} |"


def _said(column: str, direction: str, limit: float) -> str:
    return f"{column.replace('_', ' ')} {direction} {limit:.3g}"
