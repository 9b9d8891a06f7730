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


def send(connection: socket.socket, value: Any) -> None:
    """Send one value."""
    send_encoded(connection, wire.encode(value))


def send_encoded(connection: socket.socket, message: bytes) -> None:
    """Send the message that `wire.encode` made of a value."""
    connection.sendall(len(message).to_bytes(8, "big") + message)


def receive(connection: socket.socket) -> Any:
    """Return the next value.

    Raises:
        wire.WireError: the message is too long or malformed.
        EOFError: the other end is gone.
    """
    return wire.decode(receive_encoded(connection))


def receive_encoded(connection: socket.socket) -> bytes:
    """Return the next message, for `wire.decode`; raise as `receive` does."""
    length = int.from_bytes(_exactly(connection, 8), "big")
    if length > wire.MAX_BYTES:
        raise wire.WireError(f"the message has {length:,} bytes; at most {wire.MAX_BYTES:,} are read")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise EOFError("the connection to the judge is closed")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


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
            send(connection, {"round": request["round"], "answers": [runner.brief(answer) for answer in answers]})
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
        send(connection, {"round": request["round"], "facts": facts, "further": answers})
    except wire.WireError:
        send(connection, {"round": request["round"], "facts": {}, "further": []})
    receive(connection)
