"""Downloads as Moodle and Canvas make them, written by code, and a class to collect them into."""

import io
import stat
import zipfile

from autograder.lms import collecting

UNIT = "u1_dot_products"
NOTEBOOK = f"{UNIT}.ipynb"
PEOPLE = {
    "ada": {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org", "lms_user_id": "101"},
    "bela": {"first_name": "Béla", "last_name": "Bartók", "email": "bela@example.org", "lms_user_id": "102"},
    "chen": {"first_name": "Chen", "last_name": "Li", "email": "chen@example.org", "lms_user_id": "103"},
    "li": {"first_name": "Chen", "last_name": "Li", "email": "li@example.org", "lms_user_id": "104"},
    "dana": {"first_name": "Dana", "last_name": "O'Neil", "email": "", "lms_user_id": None},
}


def zipped(files):
    """The bytes of a zip: name → bytes, or name → (bytes, mode)."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            data, mode = data if isinstance(data, tuple) else (data, stat.S_IFREG | 0o644)
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return whole.getvalue()


def download(room, files):
    path = room.root.parent / "CS101-Unit 1-12345.zip"
    path.write_bytes(zipped(files))
    return path


def submitted(room):
    return {
        str(path.relative_to(room.root / "submitted")): path.read_bytes()
        for path in sorted((room.root / "submitted").rglob("*"))
        if path.is_file()
    }


def collect(room, files, **options):
    return collecting.collect(room, UNIT, download(room, files), **options)
