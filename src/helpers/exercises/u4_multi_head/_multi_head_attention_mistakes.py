"""The known mistakes of `MultiHeadAttention`."""

from __future__ import annotations

import torch

from helpers.exercise import Mistake

from ..attention import scale_mistakes
from ..common import PROJECTIONS
from ..masking import (
    fill_of,
    mask_added,
    mask_ignored,
    mask_times_infinity,
    masked_after,
    masked_softmax,
    nan_hidden,
    on_its_side,
    softmax_over,
    turned_around,
    with_mask,
)
from ._multi_head_attention_versions import (
    Flattened,
    NoCheck,
    OnlyModulo,
    after_renormalised,
    after_renormalised_unsafe,
    filled_and_zeroed,
    indexed,
    linears,
    module,
    multiplied,
    with_layers,
    without_maximum,
    without_maximum_nan_hidden,
    without_maximum_unsafe,
)
from .common import WIDTH_MISUSED, merge_bare, merge_interleaved, split_bare, split_interleaved, split_same

_LOWER = (
    "Real scores may be lower still, and then the hidden keys get the weight. Which number is lower than any score?"
)

MISTAKES = (
    # heads
    Mistake(
        "reshaped straight to (b, h, n, d_k)",
        "A bare reshape mixes the tokens: `.unflatten(-1, (h, d_k)).transpose(-2, -3)` cuts the width and then"
        " exchanges the axes, with any number of batch axes.",
        module(split=split_bare),
    ),
    Mistake(
        "merged the heads without the transpose",
        "Bring the tokens in front of the heads again, then flatten the last two axes.",
        module(merge=merge_bare),
    ),
    Mistake(
        "dealt the columns out to the heads like cards",
        "A head takes neighbouring columns: h comes before d_k when the last axis is cut.",
        module(split=split_interleaved, merge=merge_interleaved),
    ),
    Mistake(
        "dealt the columns out to the heads like cards, and put them back as neighbours",
        "A head takes neighbouring columns: h comes before d_k when the last axis is cut.",
        module(split=split_interleaved),
    ),
    Mistake(
        "gave the same slice to every head",
        "Head i takes the columns from i · d_k on.",
        module(split=split_same),
    ),
    Mistake(
        "handed W_o the width of one head",
        "W_o wants all heads next to each other, d_model columns: merge first. Averaged or added heads are too"
        " narrow as well.",
        module(merge=lambda H: H.mean(dim=-3)),
    ),
    Mistake(
        "left W_o out",
        "Side by side the heads have not met yet: the last step is self.W_o(...).",
        module(back=lambda layer, X: X),
    ),
    Mistake(
        "left the bias of W_o out",
        "Call the layer, `self.W_o(x)`: that is the matrix and the bias.",
        module(back=lambda layer, X: X @ layer.weight.T),
    ),
    Mistake(
        "used W_o's matrix without the transpose",
        "A Linear computes x Wᵀ + b. Call the layer, `self.W_o(x)`, and it is done.",
        module(back=lambda layer, X: X @ layer.weight + (0 if layer.bias is None else layer.bias)),
    ),
    # scale
    *scale_mistakes(
        lambda scale: module(scale=scale),
        {
            "√d_model": (
                "scaled by the full width √d_model",
                "A head's dot product adds d_k = d_model / h products: scale by the root of that.",
            ),
            "1": ("left the scale out", "Divide the scores by √d_k, with the width of one head."),
            **WIDTH_MISUSED,
            "8": (
                "divided by 8, whatever the width",
                "8 is √64, right for the paper's heads. Yours have the width d_model / h.",
            ),
            "√n_k": (
                "scaled by √n_k, the number of keys",
                "A score adds d_k products; the number of keys has no part in it.",
            ),
            "√h": (
                "scaled by √h, the number of heads",
                "A score adds d_k = d_model / h products: scale by the root of that.",
            ),
        },
    ),
    # softmax
    Mistake(
        "took the softmax over the queries",
        "Each query shares out its attention over the keys: dim=-1.",
        module(weigh=softmax_over(-2)),
    ),
    Mistake(
        "took the softmax over the heads",
        "Each head's weights sum to 1 over the keys: dim=-1.",
        module(weigh=softmax_over(-3)),
    ),
    Mistake(
        "took the softmax over the first axis",
        "With batch and heads in front, the keys are the last axis: dim=-1.",
        module(weigh=softmax_over(0)),
    ),
    Mistake(
        "took the softmax over the second axis",
        "With batch and heads in front, the keys are the last axis: dim=-1.",
        module(weigh=softmax_over(1)),
    ),
    Mistake(
        "took the softmax over everything",
        "Each row sums to 1 by itself: dim=-1.",
        module(weigh=softmax_over(None)),
    ),
    *(
        Mistake(
            name,
            "Large scores overflow or vanish. Subtract each row's largest score first, or let torch.softmax do it.",
            module(weigh=weigh),
        )
        for name, weigh in (
            ("took exp without subtracting the maximum", without_maximum),
            ("took exp without subtracting the maximum, and divided by a sum that may be 0", without_maximum_unsafe),
            ("took exp without subtracting the maximum, and replaced the NaN", without_maximum_nan_hidden),
        )
    ),
    # who is who
    Mistake(
        "took keys and values from the query",
        "That is self-attention only. Keys come from `key`, values from `value`.",
        module(sources="qqq"),
    ),
    Mistake(
        "took the values from the key argument",
        "Three arguments, three sources: W_v works on `value`.",
        module(sources="qkk"),
    ),
    Mistake(
        "used W_v's result as keys and W_k's as values",
        "K is for matching, V for what is handed on.",
        module(order="QVK"),
    ),
    Mistake("handed on the keys instead of the values", "The weights mix the values: W_v(value).", module(order="QKK")),
    Mistake("left the values unprojected", "What is mixed is W_v(value), not value itself.", module(order="QKX")),
    Mistake(
        "let keys ask and queries answer",
        "Rows belong to the queries: Q on the left, K on its side on the right.",
        module(order="KQV", sources="qkv"),
    ),
    Mistake(
        "multiplied Q and K without the transpose",
        "Put K on its side: `K.transpose(-2, -1)`. Square heads hide that.",
        module(score=torch.matmul),
    ),
    Mistake(
        "let the heads of one token attend to each other",
        "The axis of the heads has to stand before that of the tokens, else `@` compares heads instead of tokens.",
        module(split=lambda X, h: X.unflatten(-1, (h, -1)), merge=lambda H: H.flatten(-2)),
    ),
    # masks
    Mistake(
        "ignored the mask, or threw the filled scores away",
        "`scores.masked_fill(...)` returns new scores: give them a name. Only `masked_fill_` works in place.",
        module(weigh=mask_ignored),
    ),
    Mistake(
        "turned the mask around: True hides",
        "Here True means: may attend. nn.MultiheadAttention has it the other way round.",
        module(weigh=with_mask(turned_around)),
    ),
    Mistake(
        "masked after the softmax: rows no longer sum to 1",
        "The hidden keys have already taken their share. Hide the scores before the softmax.",
        module(weigh=masked_after),
    ),
    Mistake(
        "masked after the softmax and divided by the rest",
        "When a hidden key scores far higher, nothing is left of the others to divide. Hide the scores before the"
        " softmax.",
        module(weigh=after_renormalised),
    ),
    Mistake(
        "masked after the softmax and divided by the rest, which may be 0",
        "Nothing is left to divide where nothing may be seen, and where a hidden key scores far higher. Hide the scores"
        " before the softmax.",
        module(weigh=after_renormalised_unsafe),
    ),
    Mistake(
        "multiplied the scores by the mask",
        "A hidden score becomes 0, and e⁰ is 1: the key still counts. It needs a score whose exponential is 0.",
        module(weigh=multiplied),
    ),
    Mistake(
        "filled hidden scores with 0",
        "e⁰ is 1, so a hidden key still counts. It needs a score whose exponential is 0.",
        module(weigh=fill_of(0.0)),
    ),
    Mistake(
        "filled hidden scores with 0, and set their weights to 0 afterwards",
        "In the softmax e⁰ = 1 has already taken its share, so the rest no longer sums to 1. It needs a score whose"
        " exponential is 0. (`torch.finfo(...).tiny` is as good as 0.)",
        module(weigh=filled_and_zeroed(0.0)),
    ),
    Mistake(
        "added the mask to the scores",
        "In a sum True counts as 1 and hides nothing. Choose with `masked_fill` or `torch.where`.",
        module(weigh=mask_added),
    ),
    Mistake(
        "asked `if mask:`",
        "A tensor of many booleans is neither true nor false: ask `if mask is not None`.",
        module(weigh=lambda s, m: masked_softmax(s, m if m else None)),
    ),
    Mistake(
        "indexed the scores with the mask, which may be smaller",
        "`scores[~mask]` does not broadcast; `scores.masked_fill(~mask, ...)` does.",
        module(weigh=indexed),
    ),
    Mistake(
        "filled hidden scores with -20: it leaks",
        "A real score may be lower than -20. Take -inf or the lowest number there is.",
        module(weigh=fill_of(-20.0)),
    ),
    Mistake(
        "filled hidden scores with a number that a real score can lie below: it leaks",
        _LOWER,
        module(weigh=fill_of(-100.0)),
    ),
    Mistake(
        "filled hidden scores with -10000 or the like: it leaks",
        _LOWER,
        module(weigh=fill_of(-1e4)),
    ),
    *(
        Mistake(
            name,
            "Where the scores that may be seen are lower still, the softmax gives the hidden keys everything, and zeros"
            " afterwards leave a row without weights. Which number is lower than any score?",
            module(weigh=filled_and_zeroed(fill)),
        )
        for name, fill in (
            ("filled hidden scores with -20, and set their weights to 0 afterwards", -20.0),
            (
                "filled hidden scores with a number that a real score can lie below, and set their weights to 0"
                " afterwards",
                -100.0,
            ),
            ("filled hidden scores with -10000 or the like, and set their weights to 0 afterwards", -1e4),
        )
    ),
    Mistake(
        "multiplied the mask by -inf: 0 · ∞ is NaN",
        "0 times infinity is not a number. Choose with `masked_fill` or `torch.where` instead of multiplying.",
        module(weigh=mask_times_infinity),
    ),
    Mistake(
        "an empty row gives NaN",
        "With every score at -inf the softmax divides 0 by 0. Fill with the lowest finite number, and set the row"
        " to zero after the softmax.",
        module(weigh=fill_of(-torch.inf, empty_rows_zero=False)),
    ),
    Mistake(
        "an empty row attends to everything alike",
        "With one fill everywhere the softmax shares out evenly. Set what is hidden to zero once more after the"
        " softmax.",
        module(weigh=fill_of(-1e9, empty_rows_zero=False)),
    ),
    Mistake(
        "hid the NaN of an empty row afterwards: its gradient is still NaN",
        "Backwards the softmax of -inf is met again. Never let it see a row of only -inf: fill with a finite"
        " number, then set to zero.",
        module(weigh=nan_hidden),
    ),
    Mistake(
        "turned the mask on its side",
        "Rows of the mask are queries, columns are keys: use it as it comes.",
        module(weigh=with_mask(on_its_side)),
    ),
    Mistake(
        "gave the mask another axis for the heads",
        "The caller's mask already broadcasts to (..., h, n_q, n_k): no unsqueeze.",
        module(weigh=with_mask(lambda m: m.unsqueeze(1))),
    ),
    Mistake(
        "used the mask of the first sentence for all",
        "Let the mask broadcast as it is, without an index.",
        module(weigh=with_mask(lambda m: m[:1] if m.ndim > 3 else m)),
    ),
    Mistake(
        "used the mask of the first head for all",
        "A mask may have a page for every head: let it broadcast as it is.",
        module(weigh=with_mask(lambda m: m[..., :1, :, :])),
    ),
    Mistake(
        "mask=None is not expected: ~None",
        "Without a mask everyone sees everything: ask `if mask is not None` first.",
        module(weigh=lambda s, m: masked_softmax(s, ~~m)),
    ),
    Mistake(
        "mask=None is not expected: mask == 0",
        "Without a mask everyone sees everything: ask `if mask is not None` first.",
        module(weigh=lambda s, m: masked_softmax(s, m) if m is not None else s.masked_fill(m == 0, -torch.inf)),
    ),
    # results
    Mistake(
        "averaged the weights over the heads",
        "Each head's map is worth looking at: return all of them.",
        module(result=lambda o, w: (o, w.mean(-3))),
    ),
    Mistake("returned the weights first", "The order is output, weights.", module(result=lambda o, w: (w, o))),
    Mistake(
        "returned the output alone",
        "Two results are asked: `return output, weights`.",
        module(result=lambda o, w: o),
    ),
    Mistake(
        "lost the batch axes",
        "Any number of axes may come before the tokens: use negative axes, -1, -2, -3.",
        Flattened,
    ),
    # parameters
    Mistake(
        "the argument bias changes nothing", "Hand it on to every Linear: bias=bias.", linears(lambda bias: (True,) * 4)
    ),
    Mistake(
        "made all layers without biases",
        "With bias=True, the default, every Linear has one: bias=bias.",
        linears(lambda bias: (False,) * 4),
    ),
    Mistake(
        "gave W_o a bias whatever was asked",
        "bias holds for all four layers, W_o included.",
        linears(lambda bias: (bias, bias, bias, True)),
    ),
    Mistake(
        "never gave W_o a bias",
        "bias holds for all four layers, W_o included.",
        linears(lambda bias: (bias, bias, bias, False)),
    ),
    Mistake(
        "made projections of one head's width",
        "Each layer serves all heads at once, side by side: from d_model to d_model.",
        with_layers(
            lambda d, h, bias: {
                n: torch.nn.Linear(d, d // h, bias=bias) if n != "W_o" else torch.nn.Linear(d, d, bias=bias)
                for n in PROJECTIONS
            }
        ),
    ),
    Mistake(
        "accepted a number of heads that does not divide the width",
        "Ask in __init__ whether d_model % n_heads is 0, and raise a ValueError if not.",
        NoCheck,
    ),
    Mistake(
        "did not check that n_heads is at least 1",
        "d_model % n_heads fails for 0 and lets -2 through: ask `n_heads < 1` before it.",
        OnlyModulo,
    ),
)
