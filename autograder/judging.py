"""The trusted end of a notebook's judge socket: hands out cases, takes answers, keeps the verdicts.

Which exercise is asked is decided here, by the test cell that the coordinator is executing, whatever the
kernel says. The first answer of a cell counts; further ones are refused.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping

from helpers import judge, outpost, wire
from helpers.exercise import Exercise
from helpers.verdict import FAILED, Finding, Verdict

from .secret import hidden_seed


class JudgeDesk:
    """Serves one notebook's socket in a thread of its own.

    Args:
        exercises: the exercises of the unit by name.
        secret: the class's secret.
        connection: our end of the socket.
    """

    def __init__(self, exercises: Mapping[str, Exercise], secret: bytes, connection: socket.socket) -> None:
        self._exercises = exercises
        self._secret = secret
        self._connection = connection
        self._lock = threading.Lock()
        self._exercise: str | None = None
        self._asked: set[bool] = set()
        self._verdicts: dict[bool, Verdict] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True, name="judge-desk")
        self._thread.start()

    def open_cell(self, exercise: str) -> None:
        """Take answers for this exercise from now on."""
        with self._lock:
            self._exercise, self._asked, self._verdicts = exercise, set(), {}

    def close_cell(self) -> dict[bool, Verdict]:
        """Take no more answers; return the verdicts by whether the cases were hidden."""
        with self._lock:
            self._exercise = None
            return self._verdicts

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        # Whatever a hostile kernel sends ends at worst this notebook's own conversation.
        with contextlib.suppress(OSError, EOFError, wire.WireError):
            while True:
                self._answer_one()

    def _answer_one(self) -> None:
        request = outpost.receive(self._connection)
        hidden = isinstance(request, dict) and request.get("hidden") is True
        with self._lock:
            name = self._exercise
            refused = ""
            if name is None:
                refused = "no test cell is being graded now"
            elif hidden in self._asked:
                refused = "this cell has been judged already; the first answer counts"
            else:
                self._asked.add(hidden)
        if refused:
            outpost.send(self._connection, {"refused": refused, "cases": [], "forbidden": []})
            return
        exercise = self._exercises[name]
        work = judge.paper(exercise, hidden_seed(self._secret, name) if hidden else judge.VISIBLE_SEED)
        outpost.send(self._connection, {"refused": "", "cases": list(work.cases), "forbidden": list(exercise.forbidden)})
        try:
            answers = outpost.receive(self._connection)
        except wire.WireError as error:
            verdict = _refusal(name, hidden, f"the answers could not be read: {error}")
        else:
            if isinstance(answers, str):
                verdict = _refusal(name, hidden, answers[:300])
            else:
                verdict = judge.judge(work, answers if isinstance(answers, list) else [], hidden)
        with self._lock:
            if self._exercise == name:
                self._verdicts[hidden] = verdict
        outpost.send(self._connection, {"done": True})


def _refusal(name: str, hidden: bool, reason: str) -> Verdict:
    return Verdict(name, FAILED, hidden, finding=Finding("values", "unreadable", reason))
