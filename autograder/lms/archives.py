"""Opens a download's archives, and the zips that learners packed, without trusting them.

Only notebooks, trained weights and small files of known kinds are written; no name is followed out of its folder, no
link is made, and a limit of size ends it. What is refused is listed in a file beside the rest.

A download is what the instructor named, or a zip that lies alone in the folder that the instructor named. What lies
below a name that a system gave is one learner's, whatever the names inside say: a learner's archive is never a
download.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from nbgrader.plugins import ExtractorPlugin
from traitlets import Integer

from autograder.course import CourseError
from autograder.sandbox.limits import MB
from helpers.folder.packing import BESIDE, MOST_BESIDE

from .recognition import read_roster, whose
from .trees import METADATA, MOST_METADATA, Tree, UnreadableMetadata, tree

WANTED = (".ipynb", ".safetensors")
REFUSED = "refused.txt"
# Ends the name of an empty file that stands for one that was left out.
LEFT_OUT = ".left-out"
MOST_DIRECTORY = 256 * 1024


class Refused(Exception):
    """An archive that is not opened; the message says why."""


class SafeExtractor(ExtractorPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Opens archives for `nbgrader zip_collect` without trusting them."""

    file_bytes = Integer(64 * MB, help="Largest size of one file in an archive, unpacked.").tag(config=True)
    learner_bytes = Integer(128 * MB, help="Largest size of all files in one learner's zip, unpacked.").tag(config=True)
    beside_bytes = Integer(MOST_BESIDE, help="Largest size of a file beside the notebook.").tag(config=True)
    download_bytes = Integer(8192 * MB, help="Largest size of all files of a download, unpacked.").tag(config=True)
    most_files = Integer(200, help="Files in one learner's zip.").tag(config=True)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Write the notebooks and weights of everything in a folder to another; what is refused is listed there."""
        refused: list[tuple[str, str]] = []
        self._left = self.download_bytes
        source, target = Path(archive_path), Path(extracted_path)
        groups = self.parent.config.LmsCollector.get("groups", "")
        self._roster = read_roster(self.parent.coursedir.db_url, groups=groups)
        self._lone = [path for path in source.rglob("*") if path.is_file() and not _hidden(path.name)]
        alone = len(self._lone) == 1 and self._lone[0].suffix.lower() == ".zip"
        named = None if alone else self._tree([_below(path, source) for path in self._lone], source, refused)
        for here, folders, names in os.walk(source):
            folders[:] = sorted(name for name in folders if not _hidden(name))
            for name in sorted(names):
                path = Path(here) / name
                if _hidden(name) or not stat.S_ISREG(path.lstat().st_mode) or _is_metadata(named, name):
                    continue
                for relative in _placed(named, _below(path, source)):
                    try:
                        with open(path, "rb") as file:
                            if name.lower().endswith(".zip"):
                                self._open_found(file, relative, target, refused)
                            else:
                                self._keep(file, relative, target)
                    except (Refused, OSError) as reason:
                        self._refuse(refused, str(relative), str(reason))
        if refused:
            text = io.StringIO()
            csv.writer(text).writerows(refused)
            (target / REFUSED).write_text(text.getvalue(), encoding="utf-8", newline="")

    def _open_found(
        self, file: io.IOBase, relative: PurePosixPath, target: Path, refused: list[tuple[str, str]]
    ) -> None:
        """Open a zip that lies in the folder: a learner's, from a download that was unpacked by hand, or a download as
        it came, which lies there alone.
        """
        learners = whose(relative) is not None
        if not learners and len(self._lone) > 1:
            raise Refused("follows no naming of Moodle, Canvas or Blackboard: a download is collected by its own name")
        if learners:
            _small_directory(file)
        with _zip(file) as archive:
            if learners:
                self._open_learners(archive, relative, target)
            else:
                self._open_download(archive, relative.parent, target, refused)

    def _refuse(self, refused: list[tuple[str, str]], name: str, reason: str) -> None:
        self.log.warning("%s: %s", name, reason)
        refused.append((name, reason))

    def _open_download(
        self, archive: zipfile.ZipFile, folder: PurePosixPath, target: Path, refused: list[tuple[str, str]]
    ) -> None:
        """Write what is wanted of a download, and of the learners' zips in it."""
        named = self._tree_in(archive, refused)
        for entry in archive.infolist():
            try:
                path = _safe_path(entry)
                if path is None or any(_hidden(part) for part in path.parts) or _is_metadata(named, path.name):
                    continue
                wanted = _kept(path) or path.suffix.lower() == ".zip"
                places = _placed(named, path)
                if path.suffix.lower() == ".zip" and any(whose(folder / place) is None for place in places):
                    raise Refused("follows no naming of Moodle, Canvas or Blackboard, and is in no student's folder")
                data = self._unpacked(archive, entry) if wanted and places else b""
                for place in places:
                    self._take(data, folder / place, target)
            except (Refused, OSError) as reason:
                self._refuse(refused, entry.filename, str(reason))

    def _take(self, data: bytes, path: PurePosixPath, target: Path) -> None:
        """Write a file of a download, or what is wanted of a learner's zip."""
        if path.suffix.lower() != ".zip":
            self._keep(io.BytesIO(data), path, target)
            return
        inner = io.BytesIO(data)
        _small_directory(inner)
        with _zip(inner) as learners:
            self._open_learners(learners, path, target)

    def _tree(self, paths: list[PurePosixPath], source: Path, refused: list[tuple[str, str]]) -> Tree | None:
        """Whose the folders are of a download that has one for each student."""

        def read(path: PurePosixPath) -> bytes | None:
            place = source.joinpath(*path.parts)
            return place.read_bytes() if place.stat().st_size <= MOST_METADATA else None

        return self._told(paths, read, refused)

    def _tree_in(self, archive: zipfile.ZipFile, refused: list[tuple[str, str]]) -> Tree | None:
        entries: dict[PurePosixPath, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            with contextlib.suppress(Refused):
                if (path := _safe_path(entry)) is not None and not any(_hidden(part) for part in path.parts):
                    entries[path] = entry

        def read(path: PurePosixPath) -> bytes | None:
            if entries[path].file_size > MOST_METADATA:
                return None
            with archive.open(entries[path]) as file:
                return file.read(MOST_METADATA + 1)

        return self._told(list(entries), read, refused)

    def _told(
        self,
        paths: list[PurePosixPath],
        read: Callable[[PurePosixPath], bytes | None],
        refused: list[tuple[str, str]],
    ) -> Tree | None:
        if not paths:
            return None
        try:
            found = tree(paths, self._roster, read)
        except UnreadableMetadata as error:
            raise CourseError(f"{error}: export the submissions from Gradescope again") from error
        for line in found.left if found is not None else ():
            name, _, reason = line.partition(": ")
            self._refuse(refused, name, reason)
        return found

    def _open_learners(self, archive: zipfile.ZipFile, path: PurePosixPath, target: Path) -> None:
        """Write what is wanted of one learner's zip: all of it, or nothing."""
        entries = archive.infolist()
        if len(entries) > self.most_files:
            raise Refused(f"holds {len(entries)} files; at most {self.most_files} are opened")
        paths = [_safe_path(entry) for entry in entries]
        if (size := sum(entry.file_size for entry in entries)) > self.learner_bytes:
            raise Refused(f"would unpack to {size / MB:.0f} MB; at most {self.learner_bytes / MB:.0f} are allowed")
        wanted = [
            (inside, self._unpacked(archive, entry))
            for entry, inside in zip(entries, paths)
            if inside is not None
            and _kept(inside)
            and (inside.suffix.lower() in WANTED or entry.file_size <= self.beside_bytes)
            and not any(_hidden(part) for part in inside.parts)
        ]
        try:
            for inside, data in wanted:
                self._keep(io.BytesIO(data), path.with_suffix("") / inside, target)
        except OSError as error:
            shutil.rmtree(target.joinpath(*path.with_suffix("").parts), ignore_errors=True)
            raise Refused(f"holds names that cannot be written ({error.strerror})") from None
        # Of the rest only the name is kept, so that it can be told; in a zip without a notebook, the zip's.
        taken = {inside for inside, _ in wanted}
        for inside in filter(None, paths):
            if inside not in taken and not any(_hidden(part) for part in inside.parts):
                with contextlib.suppress(OSError):
                    self._keep(io.BytesIO(), path.with_suffix("") / inside.with_name(inside.name + LEFT_OUT), target)
        if not wanted:
            self._keep(io.BytesIO(), path, target)

    def _unpacked(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        """The bytes of an entry, read no further than the limit, whatever size the archive claims."""
        if entry.flag_bits & 1:
            raise Refused("is locked with a password")
        try:
            with archive.open(entry) as file:
                data = file.read(self.file_bytes + 1)
        except Exception as error:
            # zipfile, zlib, bz2 and lzma have errors of their own.
            raise Refused(f"{entry.filename} cannot be unpacked ({type(error).__name__})") from None
        if not entry.filename.lower().endswith((*WANTED, ".zip")) and len(data) > self.beside_bytes:
            raise Refused(f"is left out: more than {self.beside_bytes / MB:.0f} MB")
        if len(data) > self.file_bytes:
            raise Refused(f"{entry.filename} unpacks to more than {self.file_bytes / MB:.0f} MB")
        self._left -= len(data)
        if self._left < 0:
            raise Refused(f"the download unpacks to more than {self.download_bytes / MB:.0f} MB in all")
        return data

    def _keep(self, file: io.IOBase, path: PurePosixPath, target: Path) -> None:
        if not _kept(path):
            # Left there as an empty file, so that the collector can say what this student handed in instead of a
            # notebook.
            file = io.BytesIO()
        elif path.suffix.lower() not in WANTED and file.seek(0, os.SEEK_END) > self.beside_bytes:
            raise Refused(f"is left out: more than {self.beside_bytes / MB:.0f} MB")
        # nbgrader looks for .ipynb, and some systems write .IPYNB.
        place = target.joinpath(*path.with_suffix(path.suffix.lower()).parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.seek(0)
        with open(place, "wb") as kept:
            shutil.copyfileobj(file, kept)


def _below(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _placed(named: Tree | None, path: PurePosixPath) -> list[PurePosixPath]:
    return [path] if named is None else named.placed(path)


def _is_metadata(named: Tree | None, name: str) -> bool:
    """Whether a file is the system's own."""
    return named is not None and name == METADATA


def _kept(path: PurePosixPath) -> bool:
    return path.suffix.lower() in (*WANTED, *BESIDE)


def _zip(file: io.IOBase) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except Exception:
        # A damaged table of contents makes zipfile raise whatever the damage happens to be.
        raise Refused("is not a whole zip file: ask for it, or download it, again") from None


def _small_directory(file: io.IOBase) -> None:
    """Refuse a learner's zip whose table of contents is huge: it would be read whole before a file could be counted."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(max(0, size - 70_000))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\5\6")
    if end >= 0 and (
        int.from_bytes(tail[end + 12 : end + 16], "little") > MOST_DIRECTORY
        or tail[max(0, end - 20) : end].startswith(b"PK\6\7")
    ):
        raise Refused("lists far too many files for a submission")


def _hidden(name: str) -> bool:
    return name.startswith((".", "~", "__MACOSX"))


def _safe_path(entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """The path of an entry inside its archive; None for a folder.

    Raises:
        Refused: it leads out of the archive, or is a link or a special file.
    """
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused(f"{entry.filename!r} is a link or a special file")
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if (
        path.is_absolute()
        or ".." in path.parts
        or any(":" in part or "\0" in part or len(part.encode()) > 255 for part in path.parts)
    ):
        raise Refused(f"{entry.filename!r} leads out of the archive, or is no name for a file")
    return None if entry.is_dir() or not path.parts else path


def read_refused(extracted: Path) -> list[str]:
    """Return a line for each archive or file of an extracted download that was not opened, with the reason."""
    try:
        with open(extracted / REFUSED, encoding="utf-8", newline="") as file:
            return [f"{name}: {reason}" for name, reason in csv.reader(file)]
    except FileNotFoundError:
        return []
