"""`online_softmax_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor, in_parts
from helpers.reference import u8_modern_attention as reference

from ..attention import Scale, root_of_width, scale_mistakes, transposed
from ..common import READY_MADE_ATTENTION, Answer, Step, attention_tensors, bad_arguments, normal_tensor
from .common import SCALES, leveled


def _online_cases(rng: np.random.Generator) -> list[Case]:
    def plain(n_q: int, n_k: int, d_k: int, d_v: int, *lead: int) -> tuple[Tensor, Tensor, Tensor]:
        return attention_tensors(rng, n_q, n_k, d_k, d_v, lead)

    def levels(*numbers: float) -> tuple[Tensor, Tensor, Tensor]:
        return *leveled(rng, 3, np.array(numbers, dtype=float)), normal_tensor(rng, len(numbers), 3)

    many, few = 288, 48
    rows_apart = levels(0, 0, 0, 0)
    rows_apart[0].array[0, 1:], rows_apart[0].array[1, 1:] = (2, 0, 0), (-2, 0, 0)
    rows_apart[1].array[:, 1] = 60
    q, k, v = plain(4, 7, 6, 3, 2)
    return [
        Case("values", (*plain(4, 6, 5, 3), 2), note="4 queries, 6 keys in 3 blocks of 2, d_k = 5, d_v = 3"),
        Case("values", (*plain(4, 4, 4, 4), 2), note="everything square, 2 blocks of 2"),
        Case("values", (*plain(5, 8, 6, 3), 1), note="8 blocks of one key"),
        Case("last block smaller", (*plain(4, 7, 5, 3), 3), note="7 keys in blocks of 3, 3 and 1"),
        Case("last block smaller", (*plain(4, 3, 5, 2), 8), note="3 keys, block_size = 8: one block that is not full"),
        Case(
            "running maximum",
            (*levels(-200, -200, 0, 0, 100), 2),
            note="every block has higher scores than the one before",
        ),
        Case(
            "running maximum",
            (*levels(100, 100, -100, -100, -100), 2),
            note="every block has lower scores than the one before",
        ),
        Case(
            "running maximum", (*rows_apart, 2), note="the scores of one query are near +60, those of another near -60"
        ),
        Case("running maximum", (*levels(0, 1, 3, 2, 5, 0), 2), note="the maximum rises block by block, by a little"),
        Case("large scores", (*levels(-1e4, 0, 1e4, 10_200, 0, -1e4), 2), note="scores from -10,000 to 10,000"),
        Case("large scores", (*levels(-1e4, -9_800, -10_200, -9_600), 3), note="all scores near -10,000"),
        Case("batch axes", (*plain(4, 7, 6, 3, 2), 3), note="2 sentences at once"),
        Case("batch axes", (*plain(4, 6, 5, 2, 2, 3), 2), note="2 sentences, 3 heads"),
        Case("gradients", (q, k, Tensor(v.array, gradient=True), 3), gradients=True, note="gradient of V"),
        Case(
            "memory",
            # Values wide enough that one output kept for every block shows.
            (*plain(many, many, 4, 10), 16),
            memory=many * many // 2,
            note="288 queries, 288 keys, blocks of 16: under half of 288 × 288 numbers at one time",
        ),
        Case(
            "memory",
            (*plain(few, few, 1, 1), 3),
            memory=few * few // 2,
            note="48 queries, 48 keys, blocks of 3: under half of 48 × 48 numbers at one time",
        ),
        bad_arguments(*plain(4, 6, 5, 3), 0, note="block_size = 0"),
        bad_arguments(*plain(4, 6, 5, 3), -2, note="block_size = -2"),
        Case("values", (*plain(4, 6, 5, 3), 2), note="other numbers of the first sizes"),
        Case("axes of length one", (*plain(1, 1, 1, 1, 1), 1), note="one sentence: one query, one key, d_k = d_v = 1"),
        Case(
            "memory",
            (*plain(4, 8192, 1, 1), 256),
            # A copy of K and V, as of another precision, stays below this; the scores of all keys do not.
            memory=4 * 8192 * 3 // 4,
            note="4 queries, 8192 keys, blocks of 256: under three quarters of 4 × 8192 numbers at one time",
        ),
    ]


def _refuse(block_size: int) -> None:
    if block_size < 1:
        raise ValueError("block_size")


def _starts(n: int, size: int) -> range:
    return range(0, n, size)


@in_parts
def _online(
    grow: Step = torch.maximum,
    fade_total: bool = True,
    fade_output: bool = True,
    fade: Step = lambda old, new: torch.exp(old - new),
    against: Step = lambda new, scores: new,
    starts: Step = _starts,
    values: Step = lambda V, start, stop: V[..., start:stop, :],
    scale: Scale = root_of_width,
    finish: Step = lambda output, total: output / total,
    highest: Step = lambda scores: scores.amax(dim=-1, keepdim=True),
    beyond: int = 0,
) -> Answer:
    """Blocked attention with some of its steps replaced."""

    def wrong(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
        _refuse(block_size)
        Q = Q / scale(Q, K, V)
        state = None
        for start in starts(K.shape[-2], block_size):
            stop = min(start + block_size + beyond, K.shape[-2])
            scores = Q @ transposed(K[..., start:stop, :])
            new = highest(scores) if state is None else grow(state[0], highest(scores))
            weights = torch.exp(scores - against(new, scores))
            total, output = weights.sum(-1, keepdim=True), weights @ values(V, start, stop)
            if state is not None:
                factor = fade(state[0], new)
                total = total + (factor * state[1] if fade_total else state[1])
                output = output + (factor * state[2] if fade_output else state[2])
            state = new, total, output
        if state is None:  # not a single block: 0/0
            return V.new_full((*Q.shape[:-1], V.shape[-1]), math.nan)
        return finish(state[2], state[1])

    return wrong


def _blocks(Q: Any, K: Any, V: Any, block_size: Any) -> Iterator[tuple[Any, Any]]:
    """The scaled scores and the values of each block, once the block size is looked at."""
    _refuse(block_size)
    for start in _starts(K.shape[-2], block_size):
        block = slice(start, start + block_size)
        yield Q @ transposed(K[..., block, :]) / Q.shape[-1] ** 0.5, V[..., block, :]


def _softmax_by_block(combine: Step, dim: int = -1) -> Answer:
    """The softmax of each block by itself; `combine` gets the sum of the outputs and their number."""

    def wrong(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
        output, count = 0, 0
        for scores, values in _blocks(Q, K, V, block_size):
            output, count = output + scores.softmax(dim) @ values, count + 1
        return combine(output, count)

    return wrong


def _normalised_every_time(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    largest: Any = None
    total = output = V.new_zeros(())
    for scores, values in _blocks(Q, K, V, block_size):
        highest = scores.amax(-1, keepdim=True)
        new = highest if largest is None else torch.maximum(largest, highest)
        weights = torch.exp(scores - new)
        block_total, block_output = weights.sum(-1, keepdim=True), weights @ values
        if largest is not None:
            fade = torch.exp(largest - new)
            block_total, block_output = block_total + fade * total, block_output + fade * output
        largest, total, output = new, block_total, block_output / block_total
    return output


def _grown_from_minus_infinity(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    largest = Q.new_full((*Q.shape[:-1], 1), -math.inf)
    total, output = Q.new_zeros(()), Q.new_zeros(())
    for scores, values in _blocks(Q, K, V, block_size):
        new = torch.maximum(largest, scores.amax(-1, keepdim=True))
        weights, growth = torch.exp(scores - new), torch.exp(new - largest)
        total = growth * total + weights.sum(-1, keepdim=True)
        output, largest = growth * output + weights @ values, new
    return output / total


def _rescaled_along_features(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    largest, total = torch.full(Q.shape[:-1], -math.inf), torch.zeros(Q.shape[:-1])
    output = torch.zeros(*Q.shape[:-1], V.shape[-1])
    for scores, values in _blocks(Q, K, V, block_size):
        new = torch.maximum(largest, scores.amax(-1))
        weights, fade = torch.exp(scores - new[..., None]), torch.exp(largest - new)
        total, largest = fade * total + weights.sum(-1), new
        output = output * fade + weights @ values
    return output / total[..., None]


def _all_at_once(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    _refuse(block_size)
    return (Q @ transposed(K) / Q.shape[-1] ** 0.5).softmax(-1) @ V


def _queries_in_blocks(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    _refuse(block_size)
    return torch.cat([_all_at_once(q, K, V, block_size) for q in Q.split(block_size, dim=-2)], dim=-2)


def _outputs_kept(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    outputs, levels = [], []
    for scores, values in _blocks(Q, K, V, block_size):
        outputs.append(scores.softmax(-1) @ values)
        levels.append(scores.logsumexp(-1, keepdim=True))
    shares = torch.stack(levels).softmax(0)
    return sum(share * output for share, output in zip(shares, outputs))


def _number_of_blocks(Q: Any, K: Any, V: Any, block_size: Any) -> Any:
    _refuse(block_size)
    return reference.online_softmax_attention(Q, K, V, -(-K.shape[-2] // block_size))


EXERCISE = Exercise(
    name="online_softmax_attention",
    reference=reference.online_softmax_attention,
    cases=_online_cases,
    mistakes=(
        Mistake(
            "rescaled only the new block",
            "The new block is measured from the new maximum. What you carry from earlier blocks is still measured from"
            " the old one.",
            _online(fade_total=False, fade_output=False),
        ),
        Mistake(
            "rescaled the running output but not the running sum",
            "Both were measured from the old maximum, so both need the same factor.",
            _online(fade_total=False),
        ),
        Mistake(
            "rescaled the running sum but not the running output",
            "Both were measured from the old maximum, so both need the same factor.",
            _online(fade_output=False),
        ),
        Mistake(
            "rescaled the wrong way round: by exp(new - old)",
            "The new maximum is the larger one, so what is carried must shrink: a factor of at most 1.",
            _online(fade=lambda old, new: torch.exp(new - old)),
        ),
        Mistake(
            "subtracted the -∞ that the maximum begins with: exp(∞)",
            "Every exponent here is at most 0: the new block is measured from the new maximum, and what is carried"
            " shrinks.",
            _grown_from_minus_infinity,
        ),
        Mistake(
            "measured each block from its own maximum and added the blocks up",
            "Numbers measured from different maxima cannot be added: bring them to a common one first.",
            _online(against=lambda new, scores: scores.amax(-1, keepdim=True), fade_total=False, fade_output=False),
        ),
        Mistake(
            "measured the new block from its own maximum",
            "What you carry is measured from the larger of both maxima, and the new block has to be measured from the"
            " same.",
            _online(against=lambda new, scores: scores.amax(-1, keepdim=True)),
        ),
        Mistake(
            "kept the maximum of the first block",
            "A later block may have larger scores; measured from the old maximum they overflow. Update the maximum in"
            " every block.",
            _online(grow=lambda old, block: old),
        ),
        Mistake(
            "took the maximum of the newest block, not the largest so far",
            "When the newest block is the lower one, everything carried is scaled up, and overflows. Take the larger of"
            " the old maximum and the block's.",
            _online(grow=lambda old, block: block),
        ),
        Mistake(
            "took exp without subtracting a maximum",
            "exp(100) is more than float32 holds, and exp(-10,000) is 0 for all keys alike.",
            _online(highest=lambda scores: torch.zeros_like(scores[..., :1])),
        ),
        Mistake(
            "started the maximum at a number",
            "All scores may lie far below it. Before the first block the largest score so far is -∞.",
            _online(highest=lambda scores: scores.amax(dim=-1, keepdim=True).clamp(min=0.0)),
        ),
        Mistake(
            "rescaled the output along its features, not its queries",
            "There is one factor for each query: give it a last axis of length 1, (..., n_q, 1), before it meets (...,"
            " n_q, d_v).",
            _rescaled_along_features,
        ),
        Mistake(
            "took one maximum for all queries",
            "A query far below it loses all its scores to 0. Each query carries a maximum of its own.",
            _online(highest=lambda scores: scores.amax(dim=(-2, -1), keepdim=True)),
        ),
        Mistake(
            "averaged the softmaxes of the blocks",
            "A block with high scores must weigh more than one with low scores. That is what the running sum is for.",
            _softmax_by_block(lambda output, count: output / count),
        ),
        Mistake(
            "added up the softmaxes of the blocks",
            "Each block's weights add up to 1 by themselves, so all together are too many. Divide once, at the end.",
            _softmax_by_block(lambda output, count: output),
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its own attention over the keys: the last axis of the scores.",
            _softmax_by_block(lambda output, count: output, dim=-2),
        ),
        Mistake(
            "used the first block only",
            "The loop has to run over all keys, and to return after it, not inside it.",
            _online(starts=lambda n, size: range(1)),
        ),
        Mistake(
            "used the last block only",
            "Each round replaces the result of the round before. Add to what is carried. If you do, your factor is 0"
            " every time: is m the new maximum when the next round begins?",
            _online(starts=lambda n, size: [(n - 1) // size * size]),
        ),
        Mistake(
            "dropped the last block when it is not full",
            "7 keys in blocks of 3 are 3, 3 and 1. `range(0, n_k, block_size)` starts all of them.",
            _online(starts=lambda n, size: range(0, n - n % size, size)),
        ),
        Mistake(
            "dropped the last block when it is not full, unless it is the only one",
            "7 keys in blocks of 3 are 3, 3 and 1. `range(0, n_k, block_size)` starts all of them.",
            _online(starts=lambda n, size: range(0, max(n - n % size, 1), size)),
        ),
        Mistake(
            "let each block reach one key into the next",
            "A slice ends before its second number: `K[..., start : start + block_size, :]` is a block.",
            _online(beyond=1),
        ),
        Mistake(
            "used the first block's values for every block",
            "The values are cut in the same places as the keys.",
            _online(values=lambda V, start, stop: V[..., : stop - start, :]),
        ),
        Mistake(
            "did not divide by the running sum",
            "At the end the carried output is still a sum of exponentials times values.",
            _online(finish=lambda output, total: output),
        ),
        Mistake(
            "divided by the running sum in every block",
            "What is divided once cannot be added to as if it were not. Divide once, after the last block.",
            _normalised_every_time,
        ),
        *scale_mistakes(lambda scale: _online(scale=scale), SCALES),
        Mistake(
            "made the whole n × n matrix of scores",
            "The result is right, and the point is missed: compute the scores of one block of keys, use them, and let"
            " them go before the next.",
            _all_at_once,
        ),
        Mistake(
            "cut the queries into blocks, not the keys",
            "Each of your blocks still meets all the keys at one time. The keys and values come block by block.",
            _queries_in_blocks,
        ),
        Mistake(
            "keeps a result of every block until the end",
            "Add each block to what you carry, and let it go before the next.",
            _outputs_kept,
        ),
        Mistake(
            "took block_size as the number of blocks",
            "block_size is how many keys one block has; `chunk` asks for the number of blocks, `split` for their size.",
            _number_of_blocks,
        ),
        Mistake(
            "accepted a negative block_size",
            "`range` refuses a step of 0 for you, and quietly does nothing for a negative one. Ask for block_size < 1"
            " before anything else.",
            lambda Q, K, V, block_size: reference.online_softmax_attention(Q, K, V, abs(block_size)),
        ),
        Mistake(
            "accepted a block_size below 1",
            "A block without keys makes no sense: raise a ValueError before anything else.",
            lambda Q, K, V, block_size: reference.online_softmax_attention(Q, K, V, max(block_size, 1)),
        ),
    ),
    forbidden=READY_MADE_ATTENTION,
    hints=(
        (
            "For each query carry three things: the largest score so far, the sum of exponentials measured from it, and"
            " the output not yet divided."
        ),
        (
            "When a block raises the maximum from m to m', one factor brings both carried sums to the new measure."
            " Which one? Try it on exp(s - m)."
        ),
    ),
)
