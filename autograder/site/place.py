"""Where a site is made, and where its course's repository is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.course import CourseError

_ADDRESS = re.compile(r"https://([\w.-]+)/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """The address of the course's repository on a forge.

    Attributes:
        host, owner, name: of https://host/owner/name.
        branch: whose files are linked.
        pages: the branch that the site is published in.
    """

    host: str
    owner: str
    name: str
    branch: str = "main"
    pages: str = "gh-pages"

    @classmethod
    def at(cls, address: str) -> Repository:
        """Read an address, as https://github.com/someone/attention.

        Raises:
            CourseError: it is none.
        """
        found = _ADDRESS.fullmatch(address.strip())
        if found is None:
            raise CourseError(
                f"{address!r} is no repository's address; write it as https://github.com/someone/attention"
            )
        return cls(*found.groups())

    @property
    def address(self) -> str:
        """Where a reader finds it."""
        return f"https://{self.host}/{self.owner}/{self.name}"

    def file(self, path: str) -> str:
        """Return the address of one of its files, or folders."""
        return f"{self.address}/blob/{self.branch}/{path}"

    def binder(self, path: str) -> str:
        """Return the address at which Binder opens one of its files in JupyterLab."""
        if self.host == "github.com":
            where = f"gh/{self.owner}/{self.name}"
        else:
            where = f"git/https%3A%2F%2F{self.host}%2F{self.owner}%2F{self.name}"
        return f"https://mybinder.org/v2/{where}/{self.branch}?urlpath=lab/tree/{path}"

    def colab(self, path: str) -> str:
        """Return the address at which Colab opens a file of the site; Colab reads from GitHub alone."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.name}/blob/{self.pages}/{path}"


@dataclass(frozen=True)
class Site:
    """A site in the making.

    Attributes:
        folder: for all of it.
        repository: of the course, where its address is known.
    """

    folder: Path
    repository: Repository | None = None

    @property
    def kept(self) -> Path:
        """Executed notebooks, for the next time."""
        return self.folder / "executed"

    @property
    def sources(self) -> Path:
        """What Sphinx reads, a folder for each language."""
        return self.folder / "source"

    @property
    def built(self) -> Path:
        """The site itself."""
        return self.folder / "html"

    @property
    def pictures(self) -> Path:
        """Pictures that all languages share."""
        return self.built / "pictures"
