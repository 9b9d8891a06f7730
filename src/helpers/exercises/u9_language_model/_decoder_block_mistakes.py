"""The known mistakes of `DecoderBlock`, each with a version that makes it."""

from __future__ import annotations

import torch

from helpers.exercise import Mistake
from helpers.reference.u6_masked_decoder import causal_mask
from helpers.reference.u8_modern_attention import apply_rotary, rms_norm

from ._decoder_block_versions import (
    AfterGrouping,
    AfterTheCache,
    BeforeTheHeads,
    Block,
    ForgetsTheCache,
    JoinedTooEarly,
    Remembers,
    TurnedTwice,
    Unchecked,
    WithBiases,
    attention,
    block,
    cut_straight,
    first_road_again,
    fitting,
    in_place,
    layer_norm,
    norm_of_result,
    normed,
    post,
    repeat,
    residual_of_normed,
    scaled,
    turned,
)

MISTAKES = (
    Mistake(
        "turned the values too",
        "Where a token stands decides who looks at it, not what it says: only queries and keys are turned.",
        attention(turn=lambda self, q, k, v, p: (apply_rotary(q, p), apply_rotary(k, p), apply_rotary(v, p))),
    ),
    Mistake(
        "put the keys into the cache before they were turned",
        "A key is turned once, by the position of its own token, and kept so. Turn first, then join the cache.",
        type("DecoderBlock", (Block,), {"attention_class": AfterTheCache}),
    ),
    Mistake(
        "turned the keys of the cache a second time",
        "What comes out of the cache is turned already. Turn the new keys by `positions`, then put them behind the old"
        " ones.",
        type("DecoderBlock", (Block,), {"attention_class": TurnedTwice}),
    ),
    Mistake(
        "turned old and new keys together, by the positions of the new ones",
        "There are n positions, for the n new tokens. Turn the new keys first, then put them behind the old ones.",
        type("DecoderBlock", (Block,), {"attention_class": JoinedTooEarly}),
    ),
    Mistake(
        "counted the positions from 0 instead of using the argument",
        "After a cache of 5 tokens the next one stands at position 5. The argument `positions` says where.",
        turned(lambda positions: torch.arange(len(positions))),
    ),
    Mistake(
        "counted the positions from 1",
        "Use the positions as they are given.",
        attention(turn=lambda self, q, k, v, p: (apply_rotary(q, p + 1), apply_rotary(k, p + 1), v)),
    ),
    Mistake(
        "turned nothing",
        "Without positions the block cannot tell *dog bites man* from *man bites dog*: apply_rotary on q and on k.",
        attention(turn=lambda self, q, k, v, p: (q, k, v)),
    ),
    Mistake(
        "turned the queries and not the keys",
        "Only the difference of two turns is a distance: both have to be turned.",
        attention(turn=lambda self, q, k, v, p: (apply_rotary(q, p), k, v)),
    ),
    Mistake(
        "turned the keys and not the queries",
        "Only the difference of two turns is a distance: both have to be turned.",
        attention(turn=lambda self, q, k, v, p: (q, apply_rotary(k, p), v)),
    ),
    Mistake(
        "turned before cutting into heads",
        "Each head has its own fast and slow pairs: cut into heads of width d_k first, then turn.",
        type("DecoderBlock", (Block,), {"attention_class": BeforeTheHeads}),
    ),
    Mistake(
        "kept keys and values after repeating them for the query heads",
        "Then nothing is saved by sharing. The cache holds n_kv_heads heads; they are repeated on the way to the"
        " scores.",
        type("DecoderBlock", (Block,), {"attention_class": AfterGrouping}),
    ),
    Mistake(
        "changed the caller's cache in place",
        "Someone may go on from one cache twice. Make new tensors: `torch.cat` does.",
        attention(keep=in_place),
    ),
    Mistake(
        "kept only the new keys and values",
        "The cache grows: what was in it comes first, then the new ones.",
        attention(keep=lambda self, K, V, k, v, cache: (k, v)),
    ),
    Mistake(
        "handed back the old cache",
        "The next call needs the new keys and values as well.",
        attention(keep=lambda self, K, V, k, v, cache: (K, V) if cache is None else tuple(x.clone() for x in cache)),
    ),
    Mistake(
        "swapped keys and values in the cache",
        "The pair is (K, V).",
        attention(keep=lambda self, K, V, k, v, cache: (V, K)),
    ),
    Mistake(
        "put the new keys and values in front of the cache",
        "Oldest first: `torch.cat([old, new], dim=-2)`.",
        attention(
            join=lambda self, k, v, cache: (
                (k, v) if cache is None else (torch.cat([k, cache[0]], -2), torch.cat([v, cache[1]], -2))
            )
        ),
    ),
    Mistake(
        "attended to the new tokens only",
        "The new queries meet all keys, those from the cache too.",
        attention(seen=lambda self, K, V, mask, n: (K[..., -n:, :], V[..., -n:, :], fitting(mask, n, K.shape[-2]))),
    ),
    Mistake(
        "keeps the cache on itself, and not with the caller",
        "Two texts may be read in turns. What is remembered comes in as `cache` and goes out as a result.",
        Remembers,
    ),
    Mistake(
        "returned x alone, without the cache",
        "Two results: x, and the pair (K, V) for the next call.",
        ForgetsTheCache,
    ),
    Mistake(
        "put the norms after the sum: post-norm",
        "Here the norm stands at the entrance of each half: x + attention(norm_1(x)).",
        block(post),
    ),
    Mistake(
        "normed what comes out of each half, not what goes in",
        "The norm stands in front: x + attention(norm_1(x)), and not x + norm_1(attention(x)).",
        block(norm_of_result),
    ),
    Mistake(
        "left the norms out",
        "x + attention(norm_1(x)), then x + feed_forward(norm_2(x)).",
        block(lambda self, x, attend, feed: (x := x + attend(x)) + feed(x)),
    ),
    Mistake(
        "used norm_1 twice",
        "Each half has a norm of its own: the second one is norm_2.",
        block(lambda self, x, attend, feed: (x := x + attend(self.norm_1(x))) + feed(self.norm_1(x))),
    ),
    Mistake(
        "took the residual road from the normed x",
        "What goes round each half is x itself, as it came in.",
        block(residual_of_normed),
    ),
    Mistake(
        "left out the residual road around attention",
        "x + attention(norm_1(x)): what came in goes on beside what attention adds.",
        block(lambda self, x, attend, feed: (x := attend(self.norm_1(x))) + feed(self.norm_2(x))),
    ),
    Mistake(
        "left out the residual road around the feed-forward net",
        "The second half has a residual road as well: x + feed_forward(norm_2(x)).",
        block(lambda self, x, attend, feed: feed(self.norm_2(x + attend(self.norm_1(x))))),
    ),
    Mistake(
        "took the block's input for the second residual road",
        "The second half starts from what the first one made: x = x + ..., twice.",
        block(first_road_again),
    ),
    Mistake(
        "ran attention and the feed-forward net side by side",
        "One after the other: the feed-forward net reads what attention has added already.",
        block(lambda self, x, attend, feed: x + attend(self.norm_1(x)) + feed(self.norm_2(x))),
    ),
    Mistake(
        "put the feed-forward net first",
        "First the tokens look at one another, then each works on what it saw.",
        block(lambda self, x, attend, feed: (x := x + feed(self.norm_2(x))) + attend(self.norm_1(x))),
    ),
    Mistake(
        "left the feed-forward net out",
        "The second half is missing: x + feed_forward(norm_2(x)).",
        block(lambda self, x, attend, feed: x + attend(self.norm_1(x))),
    ),
    Mistake(
        "used layer norm instead of RMS norm",
        "No mean is subtracted: unit 8's `rms_norm`.",
        normed(layer_norm),
    ),
    Mistake(
        "used another eps in the norms than 1e-6",
        "1e-5 was layer norm's, and torch's own RMSNorm has another default still: eps=1e-6.",
        normed(lambda x, weight: rms_norm(x, weight, 1e-5)),
    ),
    Mistake(
        "left the weights of the norms out",
        "Each norm has one trained factor for each feature, `weight`.",
        normed(lambda x, weight: rms_norm(x, torch.ones_like(weight))),
    ),
    Mistake(
        "the mask changes nothing",
        "Hand `mask` on to the attention.",
        attention(seen=lambda self, K, V, mask, n: (K, V, None)),
    ),
    Mistake(
        "turned the mask round",
        "True means “may attend”.",
        attention(seen=lambda self, K, V, mask, n: (K, V, None if mask is None else ~mask)),
    ),
    Mistake(
        "always masks causally, whatever the mask says",
        "The block is told by its caller who may look where: use `mask`, and nothing where it is None.",
        attention(seen=lambda self, K, V, mask, n: (K, V, causal_mask(n, K.shape[-2]))),
    ),
    Mistake(
        "masks causally where no mask is given",
        "`mask=None` lets everyone see everything. What is causal is said by the model around the block.",
        attention(seen=lambda self, K, V, mask, n: (K, V, causal_mask(n, K.shape[-2]) if mask is None else mask)),
    ),
    Mistake(
        "cut into heads without moving the token axis",
        "`reshape(b, h, n, d_k)` tears tokens apart: cut the last axis into (h, d_k), then swap n and h.",
        attention(project=cut_straight),
    ),
    Mistake(
        "let heads far apart share, not neighbours",
        "Query head i uses head i // (h / h_kv): `repeat_interleave`, not `repeat`.",
        attention(attend=repeat),
    ),
    Mistake(
        "merged the heads without moving the token axis",
        "Swap n and h back first, then flatten (h, d_k) into d_model.",
        attention(merge=lambda self, output: self.W_o(output.reshape(*output.shape[:-3], output.shape[-2], -1))),
    ),
    Mistake(
        "left W_o out",
        "After the heads are merged, one linear layer mixes them: W_o.",
        attention(merge=lambda self, output: output.transpose(-3, -2).flatten(-2) + 0 * self.W_o.weight.sum()),
    ),
    Mistake(
        "did not scale the scores",
        "Without 1/√d_k the softmax saturates.",
        scaled(lambda q, self: q.shape[-1] ** 0.5),
    ),
    Mistake(
        "scaled by the whole width, not by that of a head",
        "A dot product has d_k = d_model / n_heads terms.",
        scaled(lambda q, self: (q.shape[-1] / self.W_q.weight.shape[-1]) ** 0.5),
    ),
    Mistake(
        "scaled twice",
        "`grouped_query_attention` divides by √d_k already.",
        scaled(lambda q, self: q.shape[-1] ** -0.5),
    ),
    Mistake(
        "gave the attention's layers biases",
        "`nn.Linear` has a bias unless it is told otherwise: `bias=False`.",
        WithBiases,
    ),
    Mistake(
        "takes heads that do not divide",
        "n_heads must divide d_model and n_kv_heads must divide n_heads, and both are at least 1: else a ValueError.",
        Unchecked,
    ),
)
