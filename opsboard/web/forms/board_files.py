"""The form that takes board files: chosen from a disk, pasted, or both."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from opsboard.board.errands.contents import LARGEST, MOST_FILES
from opsboard.board.sources import Source, Wrong, decode
from opsboard.web.forms.fields import text_area, text_input
from opsboard.web.words import size

PASTED = "board.yaml"
# A chosen file that is longer is mended where it lies; a shorter one also in the form.
LONGEST_MENDED_HERE = 200_000


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        chosen = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(one, initial) for one in chosen if one]


class BoardFilesForm(forms.Form):
    use_required_attribute = False

    chosen = FilesField(
        label="Files",
        required=False,
        allow_empty_file=True,
        widget=SeveralFiles(attrs={"accept": ".yaml,.yml"}),
        help_text=f"One or several, {size(LARGEST)} at most together. All of them are one board.",
    )
    text = forms.CharField(
        label="Or paste one",
        required=False,
        strip=False,
        widget=text_area(14, code=True),
        help_text="YAML, as an export of the board writes it.",
    )
    name = forms.CharField(
        label="The name of what is pasted",
        required=False,
        max_length=200,
        widget=text_input(placeholder=PASTED),
        help_text=f"Pages say which file declares a thing. Empty: {PASTED}.",
    )
    prune = forms.BooleanField(
        label="Also remove what is on the board and in none of these files",
        required=False,
        help_text="Only with all files of the board. What is removed can be brought back for 30 "
        "days; a variable cannot.",
    )

    def clean(self) -> None:
        uploads: list[UploadedFile[Any]] = self.cleaned_data.get("chosen") or []
        text = self.cleaned_data.get("text") or ""
        name = self.cleaned_data.get("name") or PASTED
        if not uploads and not text.strip():
            self.add_error("chosen", "Choose a file, or paste one below.")
        elif len(uploads) > MOST_FILES:
            self.add_error("chosen", f"At most {MOST_FILES} files at once: use manage.py apply.")
        elif (octets := sum(one.size or 0 for one in uploads) + len(text.encode())) > LARGEST:
            self.add_error(
                "chosen",
                f"These have {size(octets)}; the page takes {size(LARGEST)}. Divide them, or use "
                "manage.py apply.",
            )
        if "/" in name or "\\" in name or not name.isprintable():
            self.add_error("name", "Write a name without folders, such as fares.yaml.")
        elif text.strip() and name in {one.name for one in uploads}:
            self.add_error("name", f"A chosen file is called {name} too: give this another name.")

    def read(self) -> tuple[list[Source], list[Wrong]]:
        """The files as text, and what is no text. Of a form without mistakes."""
        read = [decode(name, content) for name, content in self._contents()]
        return (
            [one for one in read if isinstance(one, Source)],
            [one for one in read if isinstance(one, Wrong)],
        )

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for one in self.cleaned_data["chosen"]:
            yield one.name[:200], one.read()
        text: str = self.cleaned_data["text"]
        if text.strip():
            yield self.cleaned_data["name"] or PASTED, text.replace("\r\n", "\n").encode()

    def keep_to_mend(self, sources: list[Source]) -> None:
        """One short file that was chosen stands in the form from here on: browsers forget it."""
        if len(sources) != 1 or self.cleaned_data["text"].strip():
            return
        (source,) = sources
        if len(source.text) <= LONGEST_MENDED_HERE:
            data: Any = self.data
            data = data.copy()
            data["text"], data["name"] = source.text, source.name
            self.data = data
