"""How far a language is: texts done, changed since, missing, and translations that lost something of their English."""

from __future__ import annotations

from dataclasses import dataclass

from . import catalogs, keeping
from .catalogs import Part


@dataclass(frozen=True)
class Row:
    """A part of the course in a language.

    Attributes:
        part: which.
        texts: how many it has in English.
        done: how many of them are translated.
        changed: how many have a translation of an earlier English (gettext's "fuzzy"); they are shown in English.
        broken: texts whose translation lost or made up something, with what.
    """

    part: Part
    texts: int
    done: int
    changed: int
    broken: tuple[tuple[str, str], ...]

    @property
    def missing(self) -> int:
        return self.texts - self.done - self.changed


def of(language: str) -> list[Row]:
    """Return how far each part is in a language."""
    rows = []
    for part in catalogs.parts():
        texts = catalogs.english(part.name)
        done = catalogs.translations(language, part.name)
        fuzzy = {str(message.id) for message in catalogs.read(language, part.name) if message.id and message.fuzzy}
        broken = tuple(
            (text.text, why)
            for text in texts
            if text.text in done
            for why in keeping.lost(text.text, done[text.text], text.template)
        )
        known = [text for text in texts if text.text in done]
        changed = sum(text.text in fuzzy for text in texts if text.text not in done)
        rows.append(Row(part, len(texts), len(known), changed, broken))
    return rows
