"""Numbers of users for runs, where root grades: no two runs have the same, so that none may touch what is another's."""

from __future__ import annotations

from pathlib import Path

# Numbers that nobody has, as https://systemd.io/UIDS-GIDS hands them out: the large range that is nobody's, and in a
# container that knows no numbers so large the one for users who are there for an instant.
UNUSED, PASSING = (1879048192, 2**28), (61184, 4336)
SELF = Path("/proc/self")


def own_user(run: str, proc: Path = SELF) -> int:
    """Return a number for the user of a run and for its group, by the run's random name; 0 where none can be had.

    Args:
        run: its name, a hexadecimal number.
        proc: what /proc says of this process.
    """
    for first, count in (UNUSED, PASSING):
        if all(_mapped(proc / name, first, count) for name in ("uid_map", "gid_map")):
            return first + int(run, 16) % count
    return 0


def _mapped(table: Path, first: int, count: int) -> bool:
    """Whether this process's user namespace knows all of these numbers."""
    lines = [[int(number) for number in line.split()] for line in table.read_text().splitlines()]
    return any(start <= first and first + count <= start + length for start, _, length in lines)
