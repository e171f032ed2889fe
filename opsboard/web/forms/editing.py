"""Two people editing the same thing: nobody overwrites what they have not seen."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms

from opsboard.people.audit import last_change
from opsboard.services.told import Thing, kind_of, subject_of

# Fields that are part of the form, not of the thing.
OF_THE_FORM = frozenset({"shown"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One field as it is stored now, and as this person typed it."""

    label: str
    theirs: str
    yours: str

    @property
    def differs(self) -> bool:
        return self.theirs != self.yours


def version_of(stored: dict[str, Any]) -> str:
    """A short word for the stored values; another one as soon as any of them differs."""
    text = json.dumps(stored, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


class EditForm(forms.Form):
    """Carries the version that was shown when somebody began to type."""

    use_required_attribute = False
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        stored: dict[str, Any],
        is_new: bool,
        of: Thing | None = None,
        **kwargs: Any,
    ) -> None:
        """`of`: the thing that is edited, when the audit log tells who saved it last."""
        initial = stored | {"shown": version_of(stored)}
        super().__init__(data, initial=initial, **kwargs)
        self.stored, self.is_new, self.of = stored, is_new, of
        self.differences: list[Difference] = []

    def is_on_top(self, *rows: Difference) -> bool:
        """Whether nobody has saved since the form was shown.

        Otherwise this adds the error and the differences, and keeps what was typed; saving again
        is then on top of what is stored now. The caller has locked what it read `stored` from.
        `rows` are parts of the form that are no fields of it.
        """
        if self.is_new or self.data.get("shown") == version_of(self.stored):
            return True
        self.differences = [*self._differences(), *(row for row in rows if row.differs)]
        data: Any = self.data
        data = self.data = data.copy()
        data["shown"] = version_of(self.stored)
        self.add_error(
            None,
            f"{self._who_saved()} since you opened it. Compare both below, then save "
            "again: what stands in the form replaces theirs.",
        )
        return False

    def _who_saved(self) -> str:
        last = last_change(kind_of(self.of), subject_of(self.of)) if self.of else None
        if last is None:
            return "Somebody else has saved this"
        return f"{last.who} has saved this at {last.at:%H:%M UTC on %-d %B}"

    def _differences(self) -> Iterator[Difference]:
        for bound in self:
            if bound.name in OF_THE_FORM or bound.field.disabled:
                continue
            difference = Difference(
                label=str(bound.label),
                theirs=self._words(bound.field, self.stored.get(bound.name)),
                yours=self._words(bound.field, bound.data),
            )
            if difference.differs:
                yield difference

    def _words(self, field: Any, value: Any) -> str:
        prepared = field.prepare_value(value)
        if isinstance(field, forms.BooleanField):
            return "yes" if field.to_python(value) else "no"
        if not hasattr(field, "choices"):
            return _text(prepared).replace("\r\n", "\n").strip()
        chosen = prepared if isinstance(prepared, list) else [prepared]
        keys = {_text(key) for key in chosen}
        return ", ".join(str(words) for key, words in field.choices if _text(key) in keys) or "none"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def typed(form: forms.Form) -> dict[str, Any]:
    """What stands in a form, judged or not: to show it again without judging it."""
    return {bound.name: bound.value() for bound in form}
