"""Two known mistakes at once are told as two, whether they are made of parts or are classes of one kind."""

import pytest

from helpers.judging import catalog, judge, pairs
from helpers.running import runner


def mistake_of(exercise, name):
    return next(mistake for mistake in exercise.mistakes if mistake.name.startswith(name))


def told(name, *names):
    exercise = catalog.find(name)
    first, second = (mistake_of(exercise, one) for one in names)
    both = pairs.together(first.wrong, second.wrong)
    paper = judge.paper(exercise)
    return judge.judge(paper, runner.run(both, paper.cases)).diagnosis, first, second


@pytest.mark.parametrize(
    "name, names",
    [
        ("multi_head_attention", ("did not subtract the maximum", "exchanged keys and values")),
        ("MultiHeadAttention", ("divided by d_k, not by √d_k", "took the softmax over the queries")),
        ("LayerNorm", ("eps left out", "weight and bias are not used")),
        ("Encoder", ("norm_first is not handed", "only the first layer gets the mask")),
        ("online_softmax_attention", ("rescaled only the new block", "multiplied by √d_k instead")),
    ],
)
def test_both_mistakes_are_named(name, names):
    diagnosis, first, second = told(name, *names)
    assert diagnosis.name == f"{first.name}; and {second.name}"
    assert diagnosis.hint == f"{first.hint} {second.hint}"


def test_one_hint_of_two_mistakes_is_given_once():
    diagnosis, first, second = told(
        "EncoderLayer",
        "post-norm: the feed-forward network reads the layer's input",
        "pre-norm: the feed-forward network reads the layer's input",
    )
    assert first.hint == second.hint == diagnosis.hint


def test_where_several_pairs_agree_alike_what_they_have_in_common_is_named():
    diagnosis, _, scale = told(
        "masked_attention", "masked after the softmax and divided by what was left, or", "did not scale"
    )
    assert diagnosis.name == scale.name


def test_two_mistakes_of_one_part_are_no_pair():
    exercise = catalog.find("MultiHeadAttention")
    first, second = (mistake_of(exercise, name) for name in ("divided by d_k", "left the scale out"))
    assert pairs.together(first.wrong, second.wrong) is None
    exercise = catalog.find("LayerNorm")
    first, second = (mistake_of(exercise, name) for name in ("eps left out", "eps added outside"))
    assert pairs.together(first.wrong, second.wrong) is None


def test_an_answer_of_one_mistake_is_no_pair():
    exercise = catalog.find("next_probabilities")
    paper = judge.paper(exercise)
    wrong = mistake_of(exercise, "multiplied by the temperature")
    answers = runner.run(wrong.wrong, paper.cases)
    assert pairs.diagnose(paper, answers, paper.findings(answers)) is None
