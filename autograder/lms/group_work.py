"""Work that several students hand in as one: who belongs together, and a submission of one for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.classroom import rosters
from autograder.course import CourseError

if TYPE_CHECKING:
    from .placement import Collected

# Below the extracted download: the copies, a folder for each student.
COPIES = "of_groups"

Groups = Mapping[str, tuple[str, ...]]


def read(path: Path, students: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the members of each group of a table with the columns `group` and `id`.

    Raises:
        CourseError: it cannot be read, lacks a column, or names somebody who is not in the class.
    """
    rows, _ = rosters.read(path, rosters.GROUP)
    members: dict[str, list[str]] = {}
    for row in rows:
        if row.fields["id"] not in students:
            raise CourseError(f"{path}, line {row.line}: {row.fields['id']} is no student of this class")
        if "group" in row.fields:
            members.setdefault(row.fields["group"], []).append(row.fields["id"])
    if not members:
        raise CourseError(f"{path}: nobody has a group in it; it needs the columns group and id")
    return {name: tuple(ids) for name, ids in members.items()}


def share(found: Collected, groups: Groups, extracted: Path) -> None:
    """Give what one member of a group handed in to each of its members.

    Of several members' the newest counts. Where nothing tells which that is, each keeps what they handed in, and the
    others get the first's.
    """
    for name, members in groups.items():
        there = [member for member in members if member in found.students]
        if not there:
            continue
        age = {member: (found.times.get(member, ""), found.labels[member].order) for member in there}
        leader = max(there, key=lambda member: age[member])
        getting = [
            member for member in members if member != leader and (member not in there or age[member] < age[leader])
        ]
        if getting:
            _hand_over(found, leader, getting, extracted)
            found.notes.append(f"{name}: what {leader} handed in counts for {', '.join(getting)} too")


def _hand_over(found: Collected, leader: str, getting: list[str], extracted: Path) -> None:
    whole = {path: name for path, (student, name) in found.files.items() if student == leader}
    found.files = {path: told for path, told in found.files.items() if told[0] not in getting}
    for member in getting:
        for path, name in whole.items():
            copy = extracted / COPIES / member / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            found.files[copy] = member, name
        found.labels[member] = found.labels[leader]
        found.times.pop(member, None)
        found.late.discard(member)
        if leader in found.times:
            found.times[member] = found.times[leader]
        if leader in found.late:
            found.late.add(member)
