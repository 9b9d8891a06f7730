"""The one font that the site carries: for formulas, which few systems have a font for."""

from __future__ import annotations

import sys
from pathlib import Path

from autograder.course import CourseError

# `make` puts it there with npm. STIX Two Math, under the SIL Open Font License.
PACKAGE = Path("lib", "node_modules", "@fontsource", "stix-two-math")
_FONT = "stix-two-math-latin-400-normal.woff2"
CSS = f"""\
@font-face {{ font-family: "STIX Two Math"; src: url("{_FONT}") format("woff2") }}
math {{ font-family: "STIX Two Math", math }}
"""


def files() -> list[Path]:
    """Return the font's files, its licence among them.

    Raises:
        CourseError: they are not installed.
    """
    folder = Path(sys.prefix) / PACKAGE
    found = [folder / "files" / _FONT, folder / "LICENSE"]
    if not all(path.is_file() for path in found):
        raise CourseError(
            f"the font for formulas is not in {folder}: `make site` installs it, or "
            f"`npm install --global --prefix {sys.prefix} @fontsource/stix-two-math@5.3.0`"
        )
    return found
