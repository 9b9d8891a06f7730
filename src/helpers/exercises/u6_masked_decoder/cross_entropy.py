"""`cross_entropy`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u6_masked_decoder as reference
from helpers.tolerance import close

from ..common import Answer, Step, id_tensor, tensor


def _loss_cases(rng: np.random.Generator) -> list[Case]:
    def case(
        prop: str,
        *shape: int,
        ignored: tuple[int, ...] = (),
        ignore_index: int | None = None,
        scale: float = 1.5,
        note: str = "",
        gradients: bool = False,
    ) -> Case:
        """Random logits and targets; `ignored` are places of the flattened targets to ignore."""
        mark = -100 if ignore_index is None else ignore_index
        # The kept targets avoid the ignored id.
        targets = rng.choice([i for i in range(shape[-1]) if i != mark], size=shape[:-1])
        targets.reshape(-1)[list(ignored)] = mark
        args = (tensor(rng.normal(size=shape) * scale, gradients), id_tensor(targets))
        return Case(prop, args if ignore_index is None else (*args, ignore_index), note=note, gradients=gradients)

    def low() -> Case:
        # Far enough for exp to vanish in float32, near enough for the difference of two such numbers to stay exact.
        logits = -115 + rng.integers(-3, 4, size=(4, 5))
        return Case("large logits", (tensor(logits), id_tensor(rng.integers(5, size=4))), note="all logits near -115")

    return [
        case("values", 4, 5, note="4 tokens, 5 words to choose from"),
        case("values", 3, 3, note="3 tokens, 3 words: a square"),
        case("batch axes", 2, 3, 5, note="2 sentences of 3 tokens"),
        case("batch axes", 3, 3, 3, note="3 sentences of 3 tokens, 3 words"),
        case("batch axes", 2, 3, 4, 5, note="2 × 3 sentences of 4 tokens"),
        case("ignored targets", 6, 5, ignored=(1, 4), note="2 of 6 targets are -100"),
        case(
            "ignored targets",
            2,
            4,
            5,
            ignored=(3, 5, 6, 7),
            ignore_index=0,
            note="the padding is id 0, lengths 3 and 1",
        ),
        case("ignored targets", 3, 2, 6, ignored=(1,), ignore_index=2, note="the padding is id 2"),
        case("all ignored", 3, 4, ignored=(0, 1, 2), note="every target is -100"),
        case("all ignored", 1, 2, 4, ignored=(0, 1), ignore_index=3, note="every target is the padding"),
        case("large logits", 4, 5, scale=1e4, note="logits up to ±20,000"),
        low(),
        case("gradients", 4, 5, gradients=True, note="gradient of the logits"),
        case("gradients", 2, 3, 5, ignored=(2, 4), gradients=True, note="with two ignored targets"),
        case("all ignored", 3, 4, ignored=(0, 1, 2), gradients=True, note="every target is -100: gradients are zeros"),
        case("ignored targets", 6, 5, ignored=(0, 3), ignore_index=50, note="the padding is 50, and there are 5 words"),
        case("ignored targets", 6, 5, ignored=(2, 5), ignore_index=-1, note="the padding is -1"),
        case("all ignored", 2, 5, ignored=(0, 1), ignore_index=50, gradients=True, note="every target is 50"),
        case("axes of length one", 1, 1, 4, note="one sentence of one token"),
        case("axes of length one", 3, 1, 4, note="3 sentences of one token"),
    ]


@in_parts
def _loss(
    log_p: Step = lambda x: torch.log_softmax(x, -1),
    reduce: Step = lambda surprise, keep: surprise.sum() / keep.sum().clamp(min=1),
    pick: Step = lambda log_p, t: log_p.gather(-1, t.unsqueeze(-1)).squeeze(-1),
) -> Answer:
    """The loss with one part replaced: how log-probabilities are made, picked, or put together."""

    def wrong(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
        keep = targets != ignore_index
        picked = pick(log_p(logits), targets.masked_fill(~keep, 0))
        return reduce((-picked).masked_fill(~keep, 0), keep)

    return wrong


def _by_gather(log_p: Any, targets: Any) -> Any:
    return log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def _by_index(log_p: Any, targets: Any) -> Any:
    return log_p.flatten(0, -2)[torch.arange(targets.numel()), targets.flatten()].view(targets.shape)


def _looks_all_up(pick: Step, least: int = 1, none: Step | None = None) -> Answer:
    """Ignored targets are not counted, and looked up all the same.

    Args:
        pick: takes the log-probabilities at the targets.
        least: what the count is at least.
        none: the loss when every target is ignored, from the logits, before anything is looked up.
    """

    def wrong(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
        keep = targets != ignore_index
        if none is not None and not keep.any():
            return none(logits)
        picked = pick(torch.log_softmax(logits, -1), targets)
        return (-picked).masked_fill(~keep, 0).sum() / keep.sum().clamp(min=least)

    return wrong


def _look_up_mistakes() -> Iterator[Mistake]:
    """Every way to look up what is ignored, with every way to end where everything is."""
    for name, wrong in (
        ("`gather` looks up -100, an ignored target", _looks_all_up(_by_gather)),
        ("`gather` looks up -100; and NaN where every target is ignored", _looks_all_up(_by_gather, least=0)),
        ("`gather` looks up -100 where some targets are ignored", _looks_all_up(_by_gather, none=_zero)),
        ("`gather` looks up -100; and a new 0 where every target is ignored", _looks_all_up(_by_gather, none=_cut)),
        ("takes entry -100 of a row, for an ignored target", _looks_all_up(_by_index)),
        ("takes entry -100 of a row; and NaN where every target is ignored", _looks_all_up(_by_index, least=0)),
        ("takes entry -100 of a row where some targets are ignored", _looks_all_up(_by_index, none=_zero)),
        ("takes entry -100 of a row; and a new 0 where every target is ignored", _looks_all_up(_by_index, none=_cut)),
    ):
        yield Mistake(
            name,
            "-100 is no place in a row. Leave those targets out first, or put any real id in their place; what they"
            " find is not counted anyway.",
            wrong,
        )


def _zero(logits: Any) -> Any:
    return 0 * logits.sum()


def _cut(logits: Any) -> Any:
    return torch.zeros(())


def _squeezed(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
    keep = targets != ignore_index
    picked = torch.log_softmax(logits, -1).gather(-1, targets.masked_fill(~keep, 0).unsqueeze(-1)).squeeze()
    return -(picked * keep).sum() / keep.sum().clamp(min=1)


def _new_zero(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
    return (
        reference.cross_entropy(logits, targets, ignore_index) if (targets != ignore_index).any() else torch.zeros(())
    )


def _all_pairs(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
    keep = targets != ignore_index
    picked = torch.log_softmax(logits, -1)[keep][:, targets[keep]]
    return -picked.sum() / max(picked.numel(), 1)


def _sentence_means(surprise: Any, keep: Any) -> Any:
    per_sentence = surprise.sum(-1) / keep.sum(-1).clamp(min=1)
    counted = keep.any(-1)
    return per_sentence.sum() / counted.sum().clamp(min=1)


def _shifts_again(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
    return reference.cross_entropy(logits[..., :-1, :], targets[..., 1:], ignore_index)


def _large(case: Case, value: Any, expected: Any) -> str | None:
    """In words and without the number, so that every small number added inside the logarithm is the same mistake."""
    value = np.asarray(np.nan if value is None or isinstance(value, (list, tuple, dict, str)) else value, dtype=float)
    if value.ndim:
        return f"the loss is one number; yours has shape {value.shape}"
    if close(value, np.asarray(expected), 1e-5):
        return None
    if not np.isfinite(value):
        return (
            f"the loss is {'not a number' if np.isnan(value) else 'infinite' if value > 0 else 'minus infinity'}; the"
            " right one is finite"
        )
    if abs(expected) > 1000 and 0 < value < 60:
        return "the guess is as wrong as can be, and the loss hardly notices: something keeps the surprise small"
    return f"the loss is {value:.6g}, and should be {float(expected):.6g}"


def _counts_padding(logits: Any, targets: Any, ignore_index: Any = -100) -> Any:
    return reference.cross_entropy(logits, targets.clamp(min=0), -100)


EXERCISE = Exercise(
    name="cross_entropy",
    reference=reference.cross_entropy,
    cases=_loss_cases,
    compare={"large logits": _large},
    forbidden=(
        "torch.nn.functional.cross_entropy",
        "torch.nn.functional.nll_loss",
        "torch.nn.functional.nll_loss_nd",
        "torch.nn.functional.cross_entropy_loss",
    ),
    mistakes=(
        Mistake(
            "counted the ignored targets as well",
            "Where the target is `ignore_index`, nothing is to be learned: leave the place out of the sum and out of"
            " the count.",
            _counts_padding,
        ),
        Mistake(
            "looked up the ignored targets: there is no word -100",
            "An ignored target is no index. Leave those places out first, or let them look up entry 0 and do not count"
            " what they find.",
            lambda logits, targets, ignore_index=-100: (
                -torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).mean()
            ),
        ),
        *_look_up_mistakes(),
        Mistake(
            "the index of `gather` has an axis too few",
            "The table has an axis for the vocabulary, the targets have none, and `gather` wants as many axes in both."
            " An axis of length 1 at the end, `[..., None]`, and off again afterwards.",
            _loss(pick=lambda log_p, t: log_p.gather(-1, t)),
        ),
        Mistake(
            "`squeeze()` took every axis of length 1 away",
            "A sentence of one token, or a batch of one sentence, is an axis of length 1 too. Take away only the one"
            " that you put there: `squeeze(-1)`.",
            _squeezed,
        ),
        Mistake(
            "picked every target in every row, not each row's own",
            "`log_p[:, targets]` takes all the columns from each row. Row i wants only entry `targets[i]`: count the"
            " rows as well, with `torch.arange`, or use `gather`.",
            _all_pairs,
        ),
        Mistake(
            "ignores every negative target, whatever `ignore_index` says",
            "The id to be ignored is an argument, and it may be any number: compare with it.",
            lambda logits, targets, ignore_index=-100: reference.cross_entropy(
                logits, targets.masked_fill(targets < 0, -100)
            ),
        ),
        Mistake(
            "gives a new 0 when every target is ignored: no gradient goes through it",
            "The loss is 0 there, and its gradients are zeros: both come by themselves when a sum of no surprises is"
            " divided by a count of at least 1.",
            _new_zero,
        ),
        Mistake(
            "divided by all places, the ignored ones too",
            "The mean is over the kept targets: divide by how many those are.",
            _loss(reduce=lambda s, keep: s.sum() / keep.numel()),
        ),
        Mistake(
            "ignores -100 whatever `ignore_index` says",
            "The id to be ignored is an argument; -100 is only its default.",
            lambda logits, targets, ignore_index=-100: reference.cross_entropy(logits, targets),
        ),
        Mistake(
            "took the sum, not the mean",
            "Divide by the number of kept targets: a long batch is not worse than a short one.",
            _loss(reduce=lambda s, keep: s.sum()),
        ),
        Mistake(
            "took the mean of each sentence first",
            "Sentences of unequal length then count alike, and a word in a short one counts more. One sum over all kept"
            " targets, one division.",
            _loss(reduce=_sentence_means),
        ),
        Mistake(
            "took the softmax twice",
            "`log_softmax` includes the softmax: it wants the logits as they are, not probabilities.",
            _loss(lambda x: torch.log_softmax(torch.softmax(x, -1), -1)),
        ),
        Mistake(
            "took no softmax: the logits are not log-probabilities",
            "Logits are only scores. After `log_softmax` the exponentials of each row sum to 1.",
            _loss(lambda x: x),
        ),
        Mistake(
            "took the logarithm after the softmax: a small probability becomes 0, and its logarithm -∞",
            "Take both in one step, `log_softmax`: log p = x - logsumexp(x), which never leaves the range.",
            _loss(lambda x: torch.log(torch.softmax(x, -1))),
        ),
        Mistake(
            "took the exponential of the logits as they are: it runs over or under",
            "exp(10,000) is infinite. Subtract the largest logit first, or use `torch.logsumexp` or"
            " `torch.log_softmax`.",
            _loss(lambda x: x - torch.log(torch.exp(x).sum(-1, keepdim=True))),
        ),
        Mistake(
            "kept the probabilities above a small number, added or as a floor: no surprise can be large any more",
            "A surprise of -log(1e-9) is 20.7, and with p never below 1e-9 none can be larger. `log_softmax` needs"
            " neither.",
            _loss(lambda x: torch.log(torch.softmax(x, -1) + 1e-9)),
        ),
        Mistake(
            "forgot the minus sign",
            "log p is negative. Surprise is positive: -log p.",
            _loss(reduce=lambda s, keep: -s.sum() / keep.sum().clamp(min=1)),
        ),
        Mistake(
            "used the logarithm to base 2",
            "Natural logarithms: torch and the papers count surprise in nats.",
            _loss(lambda x: torch.log_softmax(x, -1) / math.log(2)),
        ),
        Mistake(
            "gives NaN when every target is ignored",
            "Nothing divided by nothing. Where no target is kept the loss is 0: never divide by a count below 1.",
            _loss(reduce=lambda s, keep: s.sum() / keep.sum()),
        ),
        Mistake(
            "softmax over the tokens, not over the vocabulary",
            "Each token has probabilities of its own that sum to 1, over the last axis.",
            _loss(lambda x: torch.log_softmax(x, -2)),
        ),
        Mistake(
            "softmax over all tokens of the batch, not over the vocabulary",
            "Each token has probabilities of its own that sum to 1, over the last axis.",
            _loss(lambda x: torch.log_softmax(x.flatten(0, -2), 0).view_as(x)),
        ),
        Mistake(
            "softmax over axis 1, whatever the number of axes",
            "With batch axes the vocabulary is no longer axis 1. It is always the last: `dim=-1`.",
            _loss(lambda x: torch.log_softmax(x, 1)),
        ),
        Mistake(
            "shifted the targets once more",
            "`shift_right` has made the decoder's input already: logit i and target i belong together here.",
            _shifts_again,
        ),
        Mistake(
            "looked at the most probable word, not at the right one",
            "The surprise is about the target: pick the log-probability at its id.",
            _loss(pick=lambda log_p, t: log_p.max(-1).values),
        ),
        Mistake(
            "used the probability, not its logarithm",
            "The surprise at p is -log p.",
            _loss(lambda x: torch.softmax(x, -1)),
        ),
    ),
    hints=(
        "For one token: the softmax of its logits, then minus the logarithm of the probability at the target.",
        (
            "`torch.log_softmax`, then pick one entry of each row, with `gather` or an index; then the mean over the"
            " targets that are not `ignore_index`."
        ),
    ),
)
