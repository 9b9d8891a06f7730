"""The trusted end of a notebook's judge socket: hands out cases, takes answers, keeps the verdicts.

Which exercise is asked is decided here, by the test cell that the coordinator is executing, whatever the
kernel says. The first answer of a cell counts; further ones are refused.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Mapping
from typing import Any

from autograder.classroom.secret import hidden_seed
from autograder.sandbox.texts import storable_within
from helpers.exercise import Exercise
from helpers.judging import judge
from helpers.running import outpost, wire
from helpers.verdict import FAILED, Finding, Verdict


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
        self._rounds = 0
        self._pending: tuple[int, str, bool, judge.Paper] | None = None
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
                try:
                    self._answer_one()
                except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError) as error:
                    # No answer, however odd, may end the desk before the notebook's other exercises are judged.
                    if isinstance(error, wire.WireError):
                        raise
                    self._pending = None

    def _answer_one(self) -> None:
        """Take one message: a request for cases, or the answers to the cases handed out last.

        A check that was interrupted never answers. Its round is over with the next request, and answers that
        carry an older round's number are dropped.
        """
        try:
            message = outpost.receive(self._connection)
        except wire.WireError as error:
            if self._pending is None:
                raise
            message = {"round": self._pending[0], "answers": f"the answers could not be read: {error}"}
        if not isinstance(message, dict):
            raise wire.WireError("neither a request nor answers")
        if "answers" in message:
            self._take(message)
        else:
            self._hand_out(message.get("hidden") is True)

    def _hand_out(self, hidden: bool) -> None:
        with self._lock:
            name = self._exercise
            refused = ""
            if name is None:
                refused = "no test cell is being graded now"
            elif hidden in self._asked:
                refused = "this cell has been judged already; the first answer counts"
            else:
                self._asked.add(hidden)
        if refused or name is None:
            outpost.send(self._connection, {"refused": refused, "round": 0, "cases": [], "forbidden": []})
            return
        exercise = self._exercises[name]
        seed = hidden_seed(self._secret, name) if hidden else judge.VISIBLE_SEED
        self._rounds += 1
        self._pending = self._rounds, name, hidden, judge.paper(exercise, seed)
        outpost.send_encoded(self._connection, _question(exercise, seed, self._rounds))

    def _take(self, message: dict[str, Any]) -> None:
        if self._pending is None or message.get("round") != self._pending[0]:
            return
        (_, name, hidden, work), self._pending = self._pending, None
        answers = storable_within(message["answers"])
        if isinstance(answers, str):
            verdict = _refusal(name, hidden, answers[:300])
        else:
            verdict = judge.judge(work, answers if isinstance(answers, list) else [], hidden)
        with self._lock:
            if self._exercise == name:
                self._verdicts[hidden] = verdict
        outpost.send(self._connection, {"done": True})


@functools.lru_cache(maxsize=512)
def _question(exercise: Exercise, seed: int, number: int) -> bytes:
    """The message that asks for answers. It is the same for everyone who comes to an exercise in the same round."""
    return wire.encode(
        {
            "refused": "",
            "round": number,
            "cases": list(judge.paper(exercise, seed).cases),
            "forbidden": list(exercise.forbidden),
        }
    )


def _refusal(name: str, hidden: bool, reason: str) -> Verdict:
    return Verdict(name, FAILED, hidden, finding=Finding("values", "unreadable", reason))
