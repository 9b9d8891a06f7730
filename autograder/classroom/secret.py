"""The secret of a class, which its hidden cases are drawn from."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from autograder.course import CourseError

from .layout import FOLDER


def class_secret(root: Path) -> bytes:
    """Return the secret of the class in that folder, making one the first time.

    Raises:
        CourseError: the file is damaged.
    """
    path = root / FOLDER / "secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked into place: of two graders at once, both read the one that came first.
        draft = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if len(text) != 64 or any(c not in "0123456789abcdef" for c in text):
        raise CourseError(
            f"{path} is damaged: restore it from a backup, or remove it to draw new hidden cases for the whole class"
        )
    return bytes.fromhex(text)


def hidden_seed(secret: bytes, exercise: str) -> int:
    """Return the seed of an exercise's hidden cases in a class: the same for everyone in it, and for a regrade."""
    digest = hmac.new(secret, f"hidden cases of {exercise}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:7], "big") + 1
