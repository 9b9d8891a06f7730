"""A demonstration on the learner's own code: a sentence where it is not answered or wrong, never a traceback."""

import pytest

from helpers.training import trying


def shown(capsys, error):
    with trying("the curves"):
        raise error
    return capsys.readouterr().out


def test_what_is_not_answered_is_still_to_come(capsys):
    assert shown(capsys, NotImplementedError()) == "Still to come, when the exercises above are answered: the curves.\n"


@pytest.mark.parametrize("error", [ValueError("two\nlines"), NotImplementedError('"and" not implemented for Float')])
def test_an_error_is_told_in_a_line(capsys, error):
    first, second = shown(capsys, error).splitlines()
    assert first.startswith(f"Still to come: the curves. Your code raised {type(error).__name__}: ")
    assert "check" in second


def test_stopping_is_no_error():
    with pytest.raises(KeyboardInterrupt), trying("the curves"):
        raise KeyboardInterrupt


def test_what_works_is_left_alone(capsys):
    with trying("the curves"):
        print("drawn")
    assert capsys.readouterr().out == "drawn\n"
