"""The judge's two rounds over a socket: what is asked about a wrong answer changes its words, not whether it passes."""

import contextlib
import os
import socket
import tracemalloc

import numpy as np
import pytest

from autograder.marking import judge_desk
from autograder.marking.judge_desk import JudgeDesk
from helpers.judging import catalog
from helpers.running import outpost

NAMES = ("softmax", "scaled_dot_product_attention")


@contextlib.contextmanager
def desk_and_kernel(monkeypatch):
    ours, theirs = socket.socketpair()
    desk = JudgeDesk({name: catalog.find(name) for name in NAMES}, b"secret", ours)
    monkeypatch.setenv("ATTENTION_JUDGE_FD", str(theirs.fileno()))
    try:
        yield desk, theirs
    finally:
        theirs.close()
        desk.close()


def graded(desk, name, answer, hidden=False):
    desk.open_cell(name)
    outpost.check(answer, hidden)
    return desk.close_cell()[hidden]


def naive_softmax(x, axis=-1):
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def random_softmax(x, axis=-1):
    return np.random.default_rng().normal(size=np.shape(x))


def test_a_right_answer_is_asked_nothing_further(monkeypatch):
    with desk_and_kernel(monkeypatch) as (desk, _):
        assert graded(desk, "softmax", catalog.find("softmax").reference).passed


def test_what_is_asked_further_gives_the_wrong_answer_its_words(monkeypatch):
    with desk_and_kernel(monkeypatch) as (desk, _):
        verdict = graded(desk, "softmax", random_softmax)
        assert verdict.diagnosis.name == "the same input gives another output each time"


def test_an_answer_on_a_piece_that_failed_in_this_notebook_says_so(monkeypatch):
    source = "def softmax(x, axis=-1):\n    raise KeyError('x')\n"
    source += "def scaled_dot_product_attention(Q, K, V):\n    return softmax(Q @ K.T) @ V, softmax(Q @ K.T)\n"
    names = {"__name__": "__main__"}
    exec(source, names)
    with desk_and_kernel(monkeypatch) as (desk, _):
        assert not graded(desk, "softmax", names["softmax"]).passed
        verdict = graded(desk, "scaled_dot_product_attention", names["scaled_dot_product_attention"])
        assert verdict.diagnosis.name == "your code calls `softmax`, whose check does not pass yet"


@pytest.mark.parametrize(
    "reply",
    [
        {"facts": None, "further": None},
        {"facts": {"kind": 1}, "further": [1, "x", {"status": "returned"}]},
        {"facts": {"uses": [["softmax"]]}, "further": {}},
        {},
    ],
)
def test_hostile_words_leave_a_wrong_answer_wrong(monkeypatch, reply):
    with desk_and_kernel(monkeypatch) as (desk, theirs):
        desk.open_cell("softmax")
        connection = socket.socket(fileno=os.dup(theirs.fileno()))
        outpost.send(connection, {"hidden": False})
        request = outpost.receive(connection)
        outpost.send(connection, {"round": request["round"], "answers": [None] * len(request["cases"])})
        assert outpost.receive(connection)["done"]
        if reply:
            outpost.send(connection, {"round": request["round"], **reply})
            outpost.receive(connection)
        connection.close()
        verdict = desk.close_cell()[False]
        assert verdict.status == "failed"
        assert graded(desk, "softmax", catalog.find("softmax").reference).passed, "the desk goes on"


def test_right_answers_sent_as_further_ones_change_nothing(monkeypatch):
    with desk_and_kernel(monkeypatch) as (desk, theirs):
        desk.open_cell("softmax")
        connection = socket.socket(fileno=os.dup(theirs.fileno()))
        outpost.send(connection, {"hidden": False})
        request = outpost.receive(connection)
        from helpers.running import runner

        wrong = runner.run(naive_softmax, request["cases"])
        right = runner.run(catalog.find("softmax").reference, request["cases"])
        outpost.send(connection, {"round": request["round"], "answers": wrong})
        outpost.receive(connection)
        outpost.send(connection, {"round": request["round"], "facts": {}, "further": right})
        outpost.receive(connection)
        outpost.send(connection, {"round": request["round"], "answers": right})
        connection.close()
        assert desk.close_cell()[False].status == "failed"


def test_the_same_wrong_answer_of_another_student_has_its_words_at_once(monkeypatch):
    judged = []
    original = judge_desk.judge.judge
    monkeypatch.setattr(judge_desk, "_known", {})
    monkeypatch.setattr(judge_desk.judge, "judge", lambda *all: judged.append(all) or original(*all))

    def doubled(x, axis=-1):
        return 2 * np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)

    said = []
    for answer in (naive_softmax, naive_softmax, doubled):
        with desk_and_kernel(monkeypatch) as (desk, _):
            said.append(graded(desk, "softmax", answer))
    assert len(judged) == 2 and said[0] == said[1] and not any(verdict.passed for verdict in said)
    with desk_and_kernel(monkeypatch) as (desk, _):
        graded(desk, "scaled_dot_product_attention", naive_softmax)
        graded(desk, "softmax", naive_softmax)
    assert len(judged) == 4, "what else failed in the notebook may change the words"


def parts(count):
    """A message of very many small parts, each of which takes many times its size in memory."""
    head = b"[" + b"[]," * count + b"[]]"
    return len(head).to_bytes(8, "big") + head


@pytest.mark.parametrize("message", [parts(20_000_000), parts(1_000_000), bytes(9 * 2**20)], ids=["63", "3", "zeros"])
def test_a_large_message_is_counted_before_it_is_read(monkeypatch, message):
    """It is a wrong answer with one clear reason, takes little memory, and the desk goes on."""
    with desk_and_kernel(monkeypatch) as (desk, theirs):
        desk.open_cell("softmax")
        connection = socket.socket(fileno=os.dup(theirs.fileno()))
        outpost.send(connection, {"hidden": False})
        outpost.receive(connection)
        tracemalloc.start()
        try:
            connection.sendall(len(message).to_bytes(8, "big"))
            connection.sendall(message)
            assert outpost.receive(connection)["done"]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        connection.close()
        assert peak < 24 * 2**20
        finding = desk.close_cell()[False].finding
        if len(message) > 8 * 2**20:
            assert f"your answer sent back {len(message) / 2**20:,.1f} MB where 0.1 MB were expected" in finding.message
        else:
            assert "too many parts" in finding.message
        assert graded(desk, "softmax", catalog.find("softmax").reference).passed


def test_what_nobody_asked_for_is_dropped(monkeypatch):
    with desk_and_kernel(monkeypatch) as (desk, theirs):
        theirs.sendall((2**20).to_bytes(8, "big") + bytes(2**20))
        assert graded(desk, "softmax", catalog.find("softmax").reference).passed


def test_the_runner_itself_says_how_much_it_is(monkeypatch):
    with desk_and_kernel(monkeypatch) as (desk, _):
        finding = graded(desk, "softmax", lambda x, axis=-1: np.zeros((1200, 1000))).finding
        assert "MB where 0.1 MB were expected" in finding.message
        assert graded(desk, "softmax", catalog.find("softmax").reference).passed
