"""The runner's end of the judge's socket while a notebook is graded: asks for cases, returns answers.

What is right is known at the other end only. Messages are those of `helpers.running.wire`, each after 8 bytes that
say its length.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from . import reading, runner, wire


class JudgeRefused(RuntimeError):
    """The judge gave no cases; the message says why."""


# Of a message that is too large so much is thrown away, so that the next one can be read; beyond it there is no next.
MOST_DROPPED = 1 << 30


def send(connection: socket.socket, value: Any, most: int = wire.MAX_BYTES) -> None:
    """Send one value, in so many bytes at most."""
    send_encoded(connection, wire.encode(value, most))


def send_encoded(connection: socket.socket, message: bytes) -> None:
    """Send the message that `wire.encode` made of a value."""
    connection.sendall(len(message).to_bytes(8, "big") + message)


def receive(connection: socket.socket, most: int = wire.MAX_BYTES) -> Any:
    """Return the next value.

    Raises:
        wire.TooLarge: the message has more bytes than that; it was dropped piece by piece, and the next can be read.
        wire.WireError: it is malformed.
        EOFError: the other end is gone, or sends without end.
    """
    return wire.decode(receive_encoded(connection, most), most)


def receive_encoded(connection: socket.socket, most: int = wire.MAX_BYTES) -> bytearray:
    """Return the next message, for `wire.decode`; raise as `receive` does."""
    length = int.from_bytes(_exactly(connection, 8), "big")
    if length > most:
        _drop(connection, length)
        raise wire.TooLarge(length, most)
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    left = memoryview(data)
    while left:
        got = connection.recv_into(left, min(len(left), 1 << 20))
        if not got:
            raise EOFError("the connection to the judge is closed")
        left = left[got:]
    return data


def _drop(connection: socket.socket, count: int) -> None:
    if count > MOST_DROPPED:
        raise EOFError("the other end sends without end")
    scrap = bytearray(1 << 20)
    while count:
        got = connection.recv_into(scrap, min(count, len(scrap)))
        if not got:
            raise EOFError("the connection to the judge is closed")
        count -= got


# Answers whose hidden check comes at the end of the notebook, by the number that the judge gave each.
_kept: dict[int, Any] = {}


def check(answer: Any, hidden: bool = False) -> None:
    """Run the learner's answer on the cases that the judge sends, and send back what came out.

    The judge may put a hidden check off to the notebook's end; `check_kept` does it then, with the same answer.
    """
    connection = socket.socket(fileno=os.dup(int(os.environ["ATTENTION_JUDGE_FD"])))
    try:
        send(connection, {"hidden": bool(hidden)})
        request = receive(connection)
        if request["refused"]:
            raise JudgeRefused(request["refused"])
        if request["later"]:
            _kept[request["later"]] = answer
            return
        answers = runner.run(answer, request["cases"], request["forbidden"])
        try:
            send(
                connection,
                {"round": request["round"], "answers": [runner.brief(one) for one in answers]},
                request["most"],
            )
        except wire.TooLarge as error:
            send(connection, {"round": request["round"], "answers": error.size})
        except wire.WireError as error:
            send(connection, {"round": request["round"], "answers": str(error)})
        reply = receive(connection)
        if reply.get("further") is not None:
            _answer_further(connection, answer, request, reply["further"])
    finally:
        connection.close()


def check_kept(number: int) -> None:
    """Do the hidden check that the judge put off under this number."""
    check(_kept.pop(number), hidden=True)


def _answer_further(connection: socket.socket, answer: Any, request: dict[str, Any], cases: list[Any]) -> None:
    """Send what the judge asks about an answer that is not right: it changes the words of the verdict, nothing else."""
    facts = reading.read(answer)
    answers = [runner.brief(one) for one in runner.run(answer, cases, request["forbidden"])]
    try:
        send(connection, {"round": request["round"], "facts": facts, "further": answers}, request["most"])
    except wire.WireError:
        send(connection, {"round": request["round"], "facts": {}, "further": []})
    receive(connection)
