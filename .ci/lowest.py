"""Print the oldest release that pyproject.toml allows of each requirement, as constraints for pip: `make test-lowest`.

torch is the exception, at its pin in constraints.txt: an older one would pull gigabytes of CUDA. The site is left
out: only authors make it, and its ranges hold one release; so is zhplot, which asks for a newer matplotlib. What no
line of pyproject.toml names is left to pip, which takes the newest that fits.
"""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LEFT_OUT = ("site", "zh")


def lowest() -> dict[str, Version]:
    """Return the oldest release that all ranges of a name allow: the highest of their lower ends."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lists = [project["dependencies"], *(lines for extra, lines in extras.items() if extra not in LEFT_OUT)]
    floors: dict[str, Version] = {}
    for requirement in (Requirement(line) for each in lists for line in each):
        ends = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
        if len(ends) != 1:
            raise SystemExit(f"pyproject.toml: {requirement} has no lower end, `>=`")
        floors[requirement.name] = max(ends[0], floors.get(requirement.name, ends[0]))
    return floors


if __name__ == "__main__":
    torch = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    print(torch, *(f"{name}=={version}" for name, version in lowest().items() if name != "torch"), sep="\n")
