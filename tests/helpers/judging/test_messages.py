"""What is said of an exception: each form is met by an error that Python, NumPy or torch really gives."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.exercise import Case
from helpers.judging import raised
from helpers.running import runner

X = np.arange(12.0).reshape(3, 4)
T = torch.arange(12.0).reshape(3, 4)
NUMBERS = [1, 2, 3]
NOTHING = None
PAIR = (T, T)


class NoSuper(nn.Module):
    def __init__(self):
        self.scale = nn.Linear(2, 2)


def calls_itself(n=0):
    return calls_itself(n + 1)


def unset(flag=False):
    if flag:
        value = 1
    return value


def three(a, b, c):
    return a


def in_place():
    weight = torch.ones(2, requires_grad=True)
    weight += 1
    return weight


ERRORS = (
    (lambda: X(0), "calls an array as if it were a function"),
    (lambda: (X, X) - (X, X), "computes with a tuple"),
    (lambda: X * None, "computes with None"),
    (lambda: NOTHING > 3, "computes with None"),
    (lambda: ~NOTHING, "computes with None"),
    (lambda: torch.relu(X), "hands a NumPy array to a function of torch"),
    (lambda: torch.relu((T, T)), "hands a torch function something that is no tensor"),
    (lambda: torch.cat([T, X]), "hands a torch function something that is no tensor"),
    (lambda: list(X[0, 0]), "takes a single number for a row of numbers"),
    (lambda: len(X[0, 0]), "takes a single number for a row of numbers"),
    (lambda: X.sort()[0], "takes None apart"),
    (lambda: np.zeros(4 / 2), "a place or a size is no whole number"),
    (lambda: T.reshape(3, 4 / 2, 2), "a place or a size is no whole number"),
    (lambda: NUMBERS[X[0, 1]], "a place or a size is no whole number"),
    (lambda: range(4 / 2), "a place or a size is no whole number"),
    (lambda: NUMBERS[:, None], "indexes a list as if it were an array"),
    (lambda: three(1, 2, 3, d=4), "`three` is called with other arguments"),
    (lambda: three(1), "`three` is called with other arguments"),
    (lambda: X[3], "an index runs past the end: 3, where the length is 3"),
    (lambda: nn.Embedding(3, 2)(torch.tensor([5])), "looks up an id that the table does not have"),
    (lambda: X[X[0] > 1], "indexes with a mask of another shape"),
    (lambda: T[T[0] > 1], "indexes with a mask of another shape"),
    (lambda: X[0, 0, 0], "indexes more axes than the array has"),
    (lambda: X.sum(axis=2), "names an axis that the array does not have"),
    (lambda: T.sum(dim=2), "names an axis that the array does not have"),
    (lambda: X.shape[2], "asks a tuple or list for more than it has"),
    (lambda: X.transpose(0, 2, 1), "names another number of axes"),
    (lambda: T.permute(0, 2, 1), "names another number of axes"),
    (lambda: T.repeat(2), "names another number of axes"),
    (lambda: [b for b, n, d in [X.shape]], "takes a shape apart into a fixed number of axes"),
    (lambda: dict([NUMBERS]), "takes apart another number of things"),
    (lambda: X @ X, "the shapes of a product do not fit: (3, 4) and (3, 4)"),
    (lambda: np.dot(X, X), "the shapes of a product do not fit"),
    (lambda: T @ T, "the shapes of a product do not fit: (3, 4) and (3, 4)"),
    (lambda: T.expand(2, 3, 4) @ T.expand(2, 3, 4), "the shapes of a product do not fit"),
    (lambda: np.einsum("ij,jk->ik", X, X), "the letters of `einsum` do not fit"),
    (lambda: torch.einsum("ijk->i", T), "the letters of `einsum` do not fit"),
    (lambda: X + X.T, "two arrays meet whose shapes do not fit"),
    (lambda: T + T.T, "two arrays meet whose shapes do not fit"),
    (lambda: X.reshape(5, 2), "cuts an array into a shape"),
    (lambda: T.reshape(5, 2), "cuts an array into a shape"),
    (lambda: T.T.view(12), "cuts an array into a shape"),
    (lambda: np.split(X, 2), "cuts an array into a shape"),
    (lambda: np.stack([X, X.T]), "puts arrays together that do not fit"),
    (lambda: torch.cat([T, T.T]), "puts arrays together that do not fit"),
    (lambda: np.array([[1, 2], [3]]), "puts arrays together that do not fit"),
    (lambda: 1 if X > 0 else 0, "asks `if` of a whole array"),
    (lambda: 1 if T > 0 else 0, "asks `if` of a whole array"),
    (lambda: NoSuper(), "`super().__init__()` is missing"),
    (lambda: X.unsqueeze(0), "`unsqueeze` is a torch tensor's, and this is an array"),
    (lambda: T.astype(float), "`astype` is a NumPy array's, and this is a tensor"),
    (lambda: NOTHING.shape, "takes None for an object"),
    (lambda: PAIR.shape, "takes a tuple for an array"),
    (lambda: nn.Linear(2, 2).weigth, "`Linear` has no `weigth`"),
    (lambda: np.softmax(X), "`numpy` has no `softmax`"),
    (lambda: {"a": 1}["b"], "asks for the key `b`, which is not there"),
    (lambda: unset(), "uses `value` before it has a value"),
    (lambda: calls_itself(), "calls itself without an end"),
    (lambda: 1 / 0, "divides by zero"),
    (lambda: T @ T.T.double(), "two kinds of numbers meet"),
    (lambda: np.divide(X, 2, out=np.zeros((3, 4), int)), "writes numbers with a point into an array of whole ones"),
    (lambda: T.long().mean(), "computes on whole numbers what is only there for real ones"),
    (lambda: np.arange(3) ** -1, "a whole number gets a negative exponent"),
    (lambda: ~X, "numbers stand where True and False belong"),
    (lambda: ~T, "numbers stand where True and False belong"),
    (lambda: T.masked_fill(T, 0.0), "numbers stand where True and False belong"),
    (in_place, "changes in place what a gradient is taken of"),
    (lambda: nn.Linear(4, 2)(T).numpy(), "leaves torch before the gradient is taken"),
    (lambda: nn.LayerNorm(3)(T), "a norm for width 3 gets an input of shape (3, 4)"),
    (lambda: T.item(), "takes a whole tensor for one number"),
    (lambda: nn.ModuleList([3]), "stores in a module what is none"),
)


def told(function):
    (answer,) = runner.run(function, [Case("values")])
    assert answer["status"] == "raised", answer
    diagnosis = raised.diagnose("answer", answer)
    return f"{diagnosis.name}" if diagnosis is not None else answer["error"]["message"]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_an_error_is_said_in_words(number):
    function, said = ERRORS[number]
    assert said in told(function)


def test_a_refusal_of_the_answers_own_is_told_from_one_of_a_function_that_it_calls():
    def answer():
        raise ValueError("too long")

    (record,) = runner.run(answer, [Case("values")])
    record["error"]["line"] = 'raise ValueError("too long")'
    record["error"]["within"] = ["answer"]
    diagnosis = raised.diagnose("answer", record)
    assert diagnosis is not None and diagnosis.name == "refuses arguments that are in order"
    record["error"]["line"] = "return softmax(x)"
    diagnosis = raised.diagnose("answer", record)
    assert diagnosis is not None and diagnosis.name == "hands a function arguments that it refuses"


def test_an_error_of_unknown_form_has_no_name():
    class Odd(Exception):
        pass

    def answer():
        raise Odd("something")

    (record,) = runner.run(answer, [Case("values")])
    record["error"]["line"] = ""
    assert raised.diagnose("answer", record) is None
