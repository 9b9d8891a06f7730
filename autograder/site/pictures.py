"""Pictures of outputs become files that all languages share, each small, each with its text and its size."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from pathlib import Path

from PIL import Image

from autograder.course import CourseError

FOLDER = "pictures"
_COLOURS = 128
_IMAGE = re.compile(r'<img alt="(?P<alt>[^"]*)"[^>]* src="data:image/png;base64,(?P<data>[^"]+)"[^>]*>')
# A picture as `tag` writes it.
SHOWN = re.compile(rf'<img class="figure" alt="(?P<alt>[^"]*)"[^>]* src="[./]*{FOLDER}/(?P<name>[^"]+)">')


def taken_out(text: str, folder: Path, up: str, where: str) -> str:
    """Write the pictures that an output's HTML carries into a folder, and return the HTML that shows these files.

    Args:
        text: HTML.
        folder: for the files; each has the name of what it shows, so that equal ones are one.
        up: the way from the page to the folder above `pictures`, as "../../".
        where: the output's place, for errors.

    Raises:
        CourseError: a picture has no text for those who do not see it.
    """

    def written(match: re.Match[str]) -> str:
        alt = html.unescape(match["alt"])
        if not alt.strip():
            raise CourseError(f"{where}: a picture without a text for those who do not see it")
        return tag(alt, write(base64.b64decode(match["data"]), folder), up)

    written_out = _IMAGE.sub(written, text)
    if "data:image" in written_out:
        raise CourseError(f"{where}: a picture that is not written as `plots.show` writes one")
    return written_out


def write(picture: bytes, folder: Path) -> str:
    """Write a picture with few colours; return its name, which tells its size: `<hash>-<width>x<height>.webp`."""
    image = Image.open(io.BytesIO(picture))
    name = f"{hashlib.sha256(picture).hexdigest()[:16]}-{image.width}x{image.height}.webp"
    path = folder / name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        packed = io.BytesIO()
        # Of the colours of a drawing most are shades at the edges of letters: 128 make it 0.6 of its size, and none of
        # them is more than a few steps off.
        few = image.convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        few.convert("RGB").save(packed, "WEBP", lossless=True, quality=80, method=6)
        path.write_bytes(packed.getvalue())
    return name


def tag(alt: str, name: str, up: str) -> str:
    """Return the HTML that shows a picture of `write`; with its size told, nothing moves when it comes."""
    width, height = name.rsplit("-", 1)[1].removesuffix(".webp").split("x")
    return (
        f'<img class="figure" alt="{html.escape(alt)}" width="{width}" height="{height}" loading="lazy"'
        f' src="{up}{FOLDER}/{name}">'
    )
