"""`generate`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.exercise import Built, Case, Exercise, Mistake, in_parts
from helpers.reference import u9_language_model as reference

_SUMS, _VOCAB = 7, 9


def _reader(rng: np.random.Generator, prompt: int, n_new: int, training: bool = False) -> Built:
    logits = 2 * rng.normal(size=(_SUMS, _VOCAB, _VOCAB))
    options = {"logits": logits.astype("f4"), "prompt": prompt, "n_new": n_new, "training": training}
    return Built("reader", options)


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(property: str, n: int, n_new: int, note: str, drawn: bool = True, training: bool = False) -> Case:
        prompt = rng.integers(0, _VOCAB, size=n).tolist()
        shares = rng.uniform(0.05, 0.95, size=max(n_new, 1)).round(4).tolist() if drawn else []
        args = (_reader(rng, n, n_new, training), prompt, n_new, Built("chooser", {"shares": shares}))
        return Case(property, args, note=note)

    return [
        case("values", 5, 4, "a made-up model, a prompt of 5 ids, 4 new ones, always the most probable", drawn=False),
        case("values", 3, 6, "a prompt of 3 ids, 6 new ones, drawn"),
        case("values", 2, 8, "a prompt of 2 ids, 8 new ones, drawn"),
        case("a prompt of one", 1, 5, "a prompt of one id, 5 new ones"),
        case("one new token", 4, 1, "a prompt of 4 ids, one new one"),
        case("nothing to write", 3, 0, "n_new = 0"),
        case("evaluation mode", 4, 5, "the model comes in training mode", training=True),
        case("a long text", 40, 60, "a prompt of 40 ids, 60 new ones"),
    ]


@in_parts
def _writer(
    first: Callable[..., Any] = lambda model, ids: model(torch.tensor([ids]), None),
    step: Callable[..., Any] = lambda model, ids, new, cache: model(torch.tensor([new[-1:]]), cache),
    pick: Callable[..., Any] = lambda logits: logits[0, -1],
    to_choose: Callable[..., Any] = lambda row: torch.softmax(row, dim=-1),
    decide: Callable[..., Any] = lambda choose, p: choose(p),
    give: Callable[..., Any] = lambda ids, new: new,
    mode: bool | None = False,
    count: Callable[[int], int] = lambda n_new: n_new,
) -> Callable[..., Any]:
    """The right loop with one of its parts replaced."""

    def generate(model: Any, ids: Any, n_new: Any, choose: Any) -> Any:
        if mode is not None:
            model.train(mode)
        ids, new = list(ids), []
        with torch.no_grad():
            logits, cache = first(model, ids)
            for place in range(count(n_new)):
                new.append(int(decide(choose, to_choose(pick(logits)))))
                if place + 1 < count(n_new):
                    logits, cache = step(model, ids, new, cache)
        return give(ids, new)

    return generate


def _token_by_token(model: Any, ids: Any) -> Any:
    cache = None
    for token in ids:
        logits, cache = model(torch.tensor([[token]]), cache)
    return logits, cache


def _last_twice(model: Any, ids: Any, n_new: Any, choose: Any) -> Any:
    model.eval()
    with torch.no_grad():
        _, cache = model(torch.tensor([list(ids)]), None)
        new = [ids[-1]]
        for _ in range(n_new):
            logits, cache = model(torch.tensor([new[-1:]]), cache)
            new.append(int(choose(torch.softmax(logits[0, -1], dim=-1))))
    return new[1:]


def _in_place(model: Any, ids: Any, n_new: Any, choose: Any) -> Any:
    new = reference.generate(model, ids, n_new, choose)
    ids.extend(new)
    return new


_READ_ONCE = "What was read is in the cache. After the prompt, each pass gets one token, the newest, and the cache."

EXERCISE = Exercise(
    name="generate",
    reference=reference.generate,
    cases=_cases,
    mistakes=(
        Mistake(
            "reads the whole text again for every token",
            _READ_ONCE,
            _writer(step=lambda model, ids, new, cache: model(torch.tensor([ids + new]), None)),
        ),
        Mistake(
            "reads the prompt token by token",
            "One pass reads the whole prompt: a model takes n tokens at once, and does them side by side.",
            _writer(first=_token_by_token),
        ),
        Mistake(
            "gave the model the whole text again together with the cache",
            f"Then every token is there twice. {_READ_ONCE}",
            _writer(step=lambda model, ids, new, cache: model(torch.tensor([ids + new]), cache)),
        ),
        Mistake(
            "gave the model all new tokens again together with the cache",
            f"Then all but one are there twice. {_READ_ONCE}",
            _writer(step=lambda model, ids, new, cache: model(torch.tensor([new]), cache)),
        ),
        Mistake(
            "read the last token of the prompt twice",
            "The pass over the prompt has read it, and its last logits predict the first new token. What is read again"
            " stands in the cache twice.",
            _last_twice,
        ),
        Mistake(
            "gave the newest token without the cache",
            "A model without its cache has forgotten the whole text: hand it on in each pass.",
            _writer(step=lambda model, ids, new, cache: model(torch.tensor([new[-1:]]), None)),
        ),
        Mistake(
            "kept the cache of the prompt, and not the newest one",
            "Each pass returns a longer cache; the next pass needs that one.",
            _writer(
                step=lambda model, ids, new, cache: (model(torch.tensor([new[-1:]]), cache)[0], cache),
            ),
        ),
        Mistake(
            "asked for the same token again and again",
            "Every new token is read in its turn: the logits of the prompt predict the first new token only.",
            _writer(step=lambda model, ids, new, cache: model(torch.tensor([ids[-1:]]), cache)),
        ),
        Mistake(
            "read the logits of the first token, not of the last",
            "The logits at place i predict the token after it. What is to be written comes after the last: [0, -1].",
            _writer(pick=lambda logits: logits[0, 0]),
        ),
        Mistake(
            "gave choose the logits, not probabilities",
            "`next_probabilities(...)`, or a softmax, stands between the logits and `choose`.",
            _writer(to_choose=lambda row: row),
        ),
        Mistake(
            "gave choose a batch of distributions",
            "One distribution, (vocab,): the batch has one text, [0], and its last place counts, [-1].",
            _writer(pick=lambda logits: logits[:, -1]),
        ),
        Mistake(
            "gave choose the distributions of all places",
            "One distribution, (vocab,): that of the last place, [0, -1].",
            _writer(pick=lambda logits: logits[0]),
        ),
        Mistake(
            "took the most probable token instead of asking choose",
            "How a token is chosen is the caller's business: `choose(probabilities)`.",
            _writer(decide=lambda choose, p: p.argmax()),
        ),
        Mistake(
            "drew the token itself instead of asking choose",
            "How a token is chosen is the caller's business: `choose(probabilities)`.",
            _writer(decide=lambda choose, p: torch.multinomial(p, 1, generator=torch.Generator().manual_seed(0))),
        ),
        Mistake(
            "left the prompt in the answer",
            "The new ids are asked, without those of the prompt.",
            _writer(give=lambda ids, new: ids + new),
        ),
        Mistake(
            "wrote one token too many",
            "n_new ids are asked: count the first one, which the prompt's own pass predicts.",
            _writer(count=lambda n_new: n_new + 1),
        ),
        Mistake(
            "wrote one token too few",
            "The pass over the prompt already predicts the first new token.",
            _writer(count=lambda n_new: n_new - 1),
        ),
        Mistake(
            "writes at least one token",
            "With n_new = 0 there is nothing to write: a loop over range(n_new) does nothing then.",
            _writer(count=lambda n_new: max(n_new, 1)),
        ),
        Mistake(
            "lengthened the caller's list",
            "The prompt belongs to the caller: begin a list of your own.",
            _in_place,
        ),
        Mistake(
            "left the model in training mode",
            "Dropout throws dice as long as the model is in training mode: `model.eval()` first.",
            _writer(mode=None),
        ),
        Mistake(
            "returned a tensor, not a list",
            "A list of whole numbers is asked: `int(...)` of each, or `.tolist()`.",
            _writer(give=lambda ids, new: torch.tensor(new)),
        ),
        Mistake(
            "left out the batch axis",
            "A model reads a batch of texts. One text is a batch of one: `torch.tensor([ids])`.",
            _writer(first=lambda model, ids: model(torch.tensor(ids), None)),
        ),
    ),
    hints=(
        "One pass over the prompt as a batch of one; its last row of logits predicts the first new token.",
        "Then in a loop: probabilities, choose, append, and one pass with `[[newest]]` and the cache.",
    ),
)
