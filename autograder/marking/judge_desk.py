"""The trusted end of a notebook's judge socket: hands out cases, takes answers, keeps the verdicts.

Which exercise is asked is decided here, by the test cell that the coordinator is executing, whatever the
kernel says. The first answer of a cell counts; further ones are refused.

Hidden checks wait until the notebook has run to its end: a learner's code sees their inputs, and whatever it says or
does in a later cell would carry them to the learner.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import socket
import threading
from collections.abc import Mapping
from typing import Any

from autograder.classroom.secret import hidden_seed
from autograder.sandbox.texts import storable_within
from helpers.exercise import Exercise
from helpers.judging import judge, questions, records, sheets
from helpers.running import outpost, wire
from helpers.verdict import Verdict

# So many wrong answers are remembered with their verdicts.
MOST_KNOWN = 1000
# What asks for cases is small; until it has been answered nobody wants anything larger.
REQUEST_BYTES = 2**16

_known: dict[bytes, Verdict] = {}


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
        self._hidden_waits = True
        self._waiting: list[str] = []
        # A wrong answer whose words wait for what was asked about it, and what it was sent as.
        self._asking: tuple[int, str, bool, judge.Paper, list[Any], bytes | bytearray] | None = None
        self._received: bytes | bytearray = b""
        self._failed: set[str] = set()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="judge-desk")
        self._thread.start()

    def open_cell(self, exercise: str, hidden_waits: bool = True) -> None:
        """Take answers for this exercise from now on.

        Args:
            exercise: whose test cell is executed.
            hidden_waits: put its hidden check off to the notebook's end.
        """
        with self._lock:
            self._exercise, self._asked, self._verdicts = exercise, set(), {}
            self._hidden_waits = hidden_waits

    def waiting(self) -> dict[str, int]:
        """Return the exercises whose hidden check was put off, each with the number it goes by in the kernel."""
        with self._lock:
            return {exercise: number for number, exercise in enumerate(self._waiting, 1)}

    def close_cell(self) -> dict[bool, Verdict]:
        """Take no more answers; return the verdicts by whether the cases were hidden."""
        with self._lock:
            self._conclude({}, [])
            if self._exercise is not None and any(not verdict.passed for verdict in self._verdicts.values()):
                self._failed.add(self._exercise)
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
                except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
                    # No answer, however odd, may end the desk before the notebook's other exercises are judged.
                    if isinstance(error, wire.WireError):
                        raise
                    self._pending = None

    def _answer_one(self) -> None:
        """Take one message: a request for cases, or the answers to the cases handed out last.

        A check that was interrupted never answers. Its round is over with the next request, and answers that
        carry an older round's number are dropped.
        """
        work = self._pending[3] if self._pending else self._asking[3] if self._asking else None
        try:
            most = sheets.most_bytes(work) if work else REQUEST_BYTES
            self._received = outpost.receive_encoded(self._connection, most)
            message = wire.decode(self._received, most)
            if not wire.is_plain_text(self._received):
                message = storable_within(message)
        except wire.WireError as error:
            if self._pending is None:
                if isinstance(error, wire.TooLarge):
                    # Nobody asked for it.
                    return
                raise
            told = error.size if isinstance(error, wire.TooLarge) else f"the answers could not be read: {error}"
            message = {"round": self._pending[0], "answers": told}
        if not isinstance(message, dict):
            raise wire.WireError("neither a request nor answers")
        if "answers" in message:
            self._take(message)
        elif "further" in message:
            self._take_further(message)
        else:
            self._hand_out(message.get("hidden") is True)

    def _hand_out(self, hidden: bool) -> None:
        with self._lock:
            self._conclude({}, [])
            name = self._exercise
            refused, later = "", 0
            if name is None:
                refused = "no test cell is being graded now"
            elif hidden in self._asked:
                refused = "this cell has been judged already; the first answer counts"
            else:
                self._asked.add(hidden)
                if hidden and self._hidden_waits:
                    self._waiting.append(name)
                    later = len(self._waiting)
        if refused or later or name is None:
            answer = {"refused": refused, "later": later, "round": 0, "cases": [], "forbidden": [], "most": 0}
            outpost.send(self._connection, answer)
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
        answers = message["answers"]
        if isinstance(answers, str):
            verdict = judge.refused(work, answers[:300], hidden)
        elif type(answers) is int:
            verdict = judge.refused(work, sheets.too_large(work, answers), hidden)
        else:
            answers = sheets.taken(work, answers)
            _, found = judge.examined(work, answers)
            if any(finding is not None for finding in found):
                with self._lock:
                    self._asking = message["round"], name, hidden, work, answers, self._received
                outpost.send(self._connection, {"done": True, "further": questions.further(work, found)})
                return
            verdict = judge.judge(work, answers, hidden)
        with self._lock:
            if self._exercise == name:
                self._verdicts[hidden] = verdict
        outpost.send(self._connection, {"done": True, "further": None})

    def _take_further(self, message: dict[str, Any]) -> None:
        """Take what was asked about a wrong answer. The answer has failed already; this gives its verdict words."""
        with self._lock:
            if self._asking is not None and message.get("round") == self._asking[0]:
                self._conclude(message.get("facts"), message["further"], self._received)
        outpost.send(self._connection, {"done": True, "further": None})

    def _conclude(self, facts: object, further: object, received: bytes | bytearray = b"") -> None:
        """Judge the wrong answer that waits, with what is known about it; the lock is held.

        Who sends, bit for bit, what somebody else has sent gets the same verdict: the words for it are looked for once.
        """
        if self._asking is None:
            return
        (_, name, hidden, work, answers, sent), self._asking = self._asking, None
        asked = f"{work.seed} {hidden} {name} {sorted(self._failed)} {len(sent)}".encode()
        key = hashlib.sha256(b"\0".join((asked, sent, received))).digest()
        verdict = _known.get(key)
        if verdict is None:
            verdict = self._judged(name, hidden, work, answers, facts, further)
            if len(_known) >= MOST_KNOWN:
                _known.clear()
            _known[key] = verdict
        if self._exercise == name:
            self._verdicts[hidden] = verdict

    def _judged(
        self, name: str, hidden: bool, work: judge.Paper, answers: list[Any], facts: object, further: object
    ) -> Verdict:
        told = tuple(map(records.checked, further)) if isinstance(further, list) else ()
        # The hidden cases of an answer that fails the visible ones say nothing new; each gets its words once.
        trials = 0 if hidden and name in self._failed else questions.TRIALS
        more = judge.More(records.checked_facts(facts), told, failed=frozenset(self._failed), trials=trials)
        try:
            return judge.judge(work, answers, hidden, more)
        except Exception as error:
            # Whatever was sent, it is a wrong answer, and the notebook's other exercises go on.
            return judge.refused(work, f"what is wrong could not be worked out ({type(error).__name__})", hidden)


@functools.lru_cache(maxsize=512)
def _question(exercise: Exercise, seed: int, number: int) -> bytes:
    """The message that asks for answers. It is the same for everyone who comes to an exercise in the same round."""
    return wire.encode(
        {
            "refused": "",
            "later": 0,
            "round": number,
            "cases": list(sheets.handed_out(judge.paper(exercise, seed))),
            "forbidden": list(exercise.forbidden),
            "most": sheets.most_bytes(judge.paper(exercise, seed)),
        }
    )
