# %% [markdown]
# # Unit 8 · What changed since 2017
#
# The Transformer you built is the one of 2017. Open the code of a model of today and you find the same attention, with five pieces exchanged. In this
# unit you write each of the five, next to the piece it replaces, and measure what was gained. At the end you read the attention half of a current
# open model line by line, and know every line of it. (Its other half, the feed-forward network with a gate, and the model as a whole are unit 9.)
#
# | you will write | in the place of | because | minutes |
# |---|---|---|---|
# | `rms_norm` | layer norm (unit 5) | two of its steps turned out not to matter | 10 |
# | `apply_rotary` | sines and cosines added (unit 3) | what matters is how far apart two tokens are | 25 |
# | `cached_attention_step` | reading everything again (as in unit 6) | generating a text repeated the same work for every token | 15 |
# | `grouped_query_attention` | as many heads of $K$ and $V$ as of $Q$ (unit 4) | what is kept for every token had become larger than the model | 20 |
# | `online_softmax_attention` | the softmax of a whole row (unit 2) | $n \times n$ scores no longer fit into memory | 35 |
# | `what_it_costs` | | in your own words: how time and memory grow | 15 |
#
# Everything is torch. In the picture, pieces that replace each other have one colour; read it from the bottom.

# %% nbgrader={"grade": false, "grade_id": "u8_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math
import time

import torch

from helpers import check, hint, plots
from helpers.memory import Peak
from helpers.plots import u8_modern_attention as figures
from helpers.reference.u3_positional_encoding import sinusoidal_encoding
from helpers.reference.u6_masked_decoder import causal_mask, masked_attention

torch.set_num_threads(1)  # one thread gives steadier clocks for the measurements below

# %%
plots.show(figures.then_and_now())

# %% [markdown]
# ## 1 · RMS norm, in the place of layer norm
#
# Layer norm (unit 5) takes a token, subtracts its mean, divides by its standard deviation, then multiplies by $\gamma$ and adds $\beta$. Biao Zhang
# and Rico Sennrich asked in 2019 which of these steps does the work, and left out the mean and the $\beta$. Training went as well as before. What is
# needed is the **size**:
#
# $$\text{rms}(x) = \sqrt{\frac{1}{d}\sum_{i} x_i^2} \qquad\qquad y = \text{weight} \cdot \frac{x}{\sqrt{\frac{1}{d}\sum_i x_i^2 + \epsilon}}$$
#
# Read the name from back to front: **s**quare, **m**ean, **r**oot. By hand, with weight 1 and without $\epsilon$:
#
# | token | layer norm | RMS norm |
# |---|---|---|
# | $(1, 7)$ | mean 4, standard deviation 3: $(-1, 1)$ | $\sqrt{(1 + 49)/2} = 5$: $(0.2, 1.4)$ |
# | $(2, 14)$, twice as long | $(-1, 1)$ | $\sqrt{200/2} = 10$: $(0.2, 1.4)$ |
# | $(5, 9)$, another token | mean 7, standard deviation 2: $(-1, 1)$ | $\sqrt{106/2} = 7.28$: $(0.69, 1.24)$ |
#
# Both forget how long a token is. Layer norm also forgets where its middle is; with two features nothing but a sign is left. (In the picture the
# colour is the direction of a token, and the circle has the radius $\sqrt2$: two features, mean square 1.)

# %%
plots.show(figures.norm_clouds())

# %% [markdown]
# ### `rms_norm` · exercise, 2 points
# *Core, about 10 minutes.*
#
# Every token by itself, any number of batch axes. $\epsilon$ is **inside** the root; a token of zeros gives
# zeros. torch's own `rms_norm` is closed.


# %% nbgrader={"grade": false, "grade_id": "rms_norm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rms_norm(x, weight, eps=1e-6):
    """Bring every token to root mean square 1: y = weight · x / √(mean(x²) + eps).

    Args:
        x: tokens, (..., d).
        weight: one factor for each feature, (d,).
        eps: added to the mean of the squares.

    Returns:
        y, (..., d).
    """
    ### BEGIN SOLUTION
    mean_square = x.pow(2).mean(dim=-1, keepdim=True)  # (..., 1)
    return weight * x * torch.rsqrt(mean_square + eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_rms_norm", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(rms_norm)
### BEGIN HIDDEN TESTS
check(rms_norm, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **What was gained.** Both norms in plain torch operations, on 2,048 tokens of width 1,024. Layer norm walks over all the numbers seven times, RMS
# norm about four. (Other programs disturb a clock: run the cell again if the bars look odd.) The paper reports 7 % to 64 % less time for whole models. There are also half as many parameters: no $\beta$.


# %%
def layer_norm(x, gamma, beta, eps=1e-5):  # unit 5, in torch
    centred = x - x.mean(dim=-1, keepdim=True)
    return gamma * centred * torch.rsqrt(centred.pow(2).mean(dim=-1, keepdim=True) + eps) + beta


def milliseconds(function, *args, repeats=15):
    """The shortest of several runs: the one that other programs disturbed least."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function(*args)
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


if plots.drawing():
    x, ones, zeros = torch.randn(2048, 1024), torch.ones(1024), torch.zeros(1024)
    with plots.demonstration("rms_norm"):
        measured = {
            "layer norm": milliseconds(layer_norm, x, ones, zeros),
            "your RMS norm": milliseconds(rms_norm, x, ones),
        }
        plots.show(figures.norm_times(measured))

# %% [markdown]
# ## 2 · Rotary positions, in the place of added sines and cosines
#
# Unit 3 added a position vector to each token. Leave $W_q$ and $W_k$ out for a moment, so that a query is its token with its position. The score of
# a query at position $i$ and a key at position $j$ is then
#
# $$(q + p_i) \cdot (k + p_j) = q \cdot k + q \cdot p_j + p_i \cdot k + p_i \cdot p_j .$$
#
# The first part knows no position. Of the others only the last depends on $i - j$ alone, and with $W_q$ and $W_k$ not even that one. But language is about distance: *the word before me* means the same at the start of a book as on
# its last page. In 2021 Jianlin Su and others found a way to get exactly that: do not add the position, **turn by it**.
#
# Unit 3 ended with the key to it: a step of the clock is a rotation. So take the features in pairs, see each pair as a point in the plane, and turn
# it by an angle that is proportional to the position. The simplest case has one pair, one radian a token, and $q = k = (1, 0)$:
#
# - query at position 3: $(\cos 3, \sin 3)$; key at position 1: $(\cos 1, \sin 1)$,
# - score: $\cos 3 \cos 1 + \sin 3 \sin 1 = \cos(3 - 1) = \cos 2 \approx -0.42$.
# - Both moved on by 1,000, to positions 1,003 and 1,001: $\cos 2$ again. The places have gone, the distance is left.
#
# A query and a key of width $d$ have $d/2$ pairs. Pair $i$ turns at the speed $\text{base}^{-2i/d}$ radians a token, the frequencies of unit 3: the
# first pair is a second hand, the last hardly moves in a whole paragraph. Move the slider:

# %%
plots.explore(
    figures.turning,
    start={"position": 3},
    position=[0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100],
)

# %% [markdown]
# A pair $(e, o)$, the **e**ven and the **o**dd feature, turned by the angle $a = \text{position} \cdot \text{base}^{-2i/d}$ becomes
#
# $$(e \cos a - o \sin a, \;\; e \sin a + o \cos a).$$
#
# Which features form a pair? Here, as in the paper, **neighbours**: 0 and 1, 2 and 3, ... Much published code pairs feature $i$ with feature
# $i + d/2$ instead. Nothing is lost by that, as long as queries and keys agree; but weights trained for one order give nonsense in the other, without any
# error.

# %%
plots.show(figures.neighbours_or_halves())

# %% [markdown]
# ### `apply_rotary` · exercise, 4 points
# *Core, about 25 minutes.*
#
# The positions are an argument, because a text is not always given from its beginning: in section 3 only the newest token comes, and it may stand at
# position 11, not at 0. An odd width is a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "apply_rotary", "locked": false, "schema_version": 3, "solution": true, "task": false}
def apply_rotary(x, positions, base=10000.0):
    """Turn each pair of neighbouring features by an angle that grows with the position.

    The pair (x[2i], x[2i+1]) of the token at position p turns by the angle p · base^(-2i/d).

    Args:
        x: queries or keys, (..., n, d).
        positions: position of each of the n tokens, a tensor of integers (n,).
        base: the larger, the more slowly the last pairs turn.

    Returns:
        the turned x, (..., n, d).

    Raises:
        ValueError: d is odd.
    """
    ### BEGIN SOLUTION
    d = x.shape[-1]
    if d % 2:
        raise ValueError(f"pairs need an even width; x has shape {tuple(x.shape)}")
    speeds = base ** (-torch.arange(0, d, 2) / d)  # (d/2,)
    angles = positions[:, None] * speeds  # (n, d/2)
    cos, sin = angles.cos(), angles.sin()
    e, o = x[..., 0::2], x[..., 1::2]  # (..., n, d/2) each
    return torch.stack([e * cos - o * sin, e * sin + o * cos], dim=-1).flatten(-2)  # (..., n, d)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_apply_rotary", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(apply_rotary)
### BEGIN HIDDEN TESTS
check(apply_rotary, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **What was gained.** One query and one key, the same two vectors put at every pair of positions. With added sines and cosines each place has a score
# of its own. With your rotation all scores along a diagonal, that is at one distance, are equal.

# %%
if plots.drawing():
    torch.manual_seed(1)
    q, k = torch.randn(32), torch.randn(32)
    places = torch.arange(24)
    clock = torch.from_numpy(sinusoidal_encoding(24, 32)).float()
    with plots.demonstration("apply_rotary"):
        turned = apply_rotary(q.expand(24, 32), places) @ apply_rotary(k.expand(24, 32), places).T
        plots.show(figures.offset_maps(((q + clock) @ (k + clock).T).numpy(), turned.numpy()))

# %% [markdown]
# And far out? The same query and key around positions 50, 500 and 5,000. The curve is the same: the model can use at position 5,000 what it learned
# at 50.

# %%
if plots.drawing():
    offsets = torch.arange(-40, 41)
    with plots.demonstration("apply_rotary"):
        curves = {}
        for key_at in (50, 500, 5000):
            queries = apply_rotary(q.expand(81, 32), key_at + offsets)
            key = apply_rotary(k[None], torch.tensor([key_at]))
            curves[key_at] = (queries @ key.T)[:, 0].tolist()
        plots.show(figures.scores_by_offset(offsets.tolist(), curves))
        largest = max(abs(a - b) for a, b in zip(curves[50], curves[5000]))
        print(f"largest difference between the curves: {largest:.4f}")

# %% [markdown]
# Three more things came with it. The length of a vector stays as it is, so the scores do not grow. The **values** are not turned: where a token
# stands decides who looks at it, not what it says. And there is no table that ends: an angle can be computed for any position. That a model *works* at positions
# far beyond those it was trained on does not follow. Its slow pairs then stand at angles that they never had in training, which is why a published configuration still names a
# longest text (section 6), and why long-context models raise `base` and go on training.

# %% [markdown]
# ## 3 · The key-value cache, in the place of reading everything again
#
# In unit 6 you generated token by token: append one, run the whole text through the decoder, take the last row, append, run again. Look at what is
# computed when the sixth token comes in. The mask lets no token look ahead. So the earlier rows come out exactly as they did before, in every layer, and all
# that work is done again for nothing.

# %%
plots.show(figures.recomputed("the cat sat on the mat".split()))

# %% [markdown]
# What does the newest token need from the others? Its query meets their **keys**, and the weights mix their **values**. Their queries have been
# answered and are of no more use. So keep $K$ and $V$, and for each new token compute one query, one key, one value:
#
# 1. put the new key behind the cached ones, and the new value likewise: $t$ rows become $t + 1$, oldest first;
# 2. attend with the one query to all $t + 1$ keys. Nothing later exists, so there is nothing to mask.
#
# | step | cache before | $K$ after | scores |
# |---|---|---|---|
# | *the* | `None` | $k_0$ | 1 |
# | *cat* | $k_0$ | $k_0, k_1$ | 2 |
# | *sat* | $k_0, k_1$ | $k_0, k_1, k_2$ | 3 |
#
# Someone may want to go on from one cache twice, as in trying out two different next words. So the caller's pair stays as it was, and you return a
# new one. Neither it nor the output shares memory with `k` and `v`.
#
# ### `cached_attention_step` · exercise, 4 points
# *Core, about 15 minutes.*
#
# One token at a time, this must give row by row what causal attention over the whole text gives. torch's ready-made `scaled_dot_product_attention` is closed, here and
# in the exercises below.


# %% nbgrader={"grade": false, "grade_id": "cached_attention_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cached_attention_step(q, k, v, cache):
    """Scaled attention of the newest token over itself and all before it.

    Args:
        q, k: query and key of the new token, (..., 1, d_k).
        v: its value, (..., 1, d_v).
        cache: None before the first token, else the pair (K, V) of the t tokens so far,
            (..., t, d_k) and (..., t, d_v).

    Returns:
        output, (..., 1, d_v), and the new pair (K, V), (..., t+1, d_k) and (..., t+1, d_v),
        in the order of time.
    """
    ### BEGIN SOLUTION
    K = torch.cat([k] if cache is None else [cache[0], k], dim=-2)  # (..., t+1, d_k)
    V = torch.cat([v] if cache is None else [cache[1], v], dim=-2)  # (..., t+1, d_v)
    weights = torch.softmax(q @ K.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)  # (..., 1, t+1)
    return weights @ V, (K, V)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_cached_attention_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(cached_attention_step)
### BEGIN HIDDEN TESTS
check(cached_attention_step, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **What was gained.** Two layers of attention of width 256 write 400 tokens, once with your cache and once without. The text is the same; look at the
# clock. Without a cache each token costs more than the one before it, with a cache it hardly does. Count the scores: without a cache the $t$-th token
# takes about $t^2$ of them, with one $t$. What does that make for all $n$ tokens together?

# %%
if plots.drawing():
    torch.manual_seed(0)
    n_tokens, d = 400, 256
    layers = [[torch.randn(d, d) / math.sqrt(d) for _ in range(3)] for _ in range(2)]

    def as_token(x):
        return x / x.pow(2).mean().sqrt()

    def next_token(text):
        """Without a cache: the whole text through both layers, of which the last row is wanted."""
        x = text
        for W_q, W_k, W_v in layers:
            x = x + masked_attention(x @ W_q, x @ W_k, x @ W_v, causal_mask(len(x)))[0]
        return as_token(x[-1:])

    def next_token_cached(token, caches):
        """With a cache for each layer: only the newest token goes through."""
        x = token
        for layer, (W_q, W_k, W_v) in enumerate(layers):
            output, caches[layer] = cached_attention_step(x @ W_q, x @ W_k, x @ W_v, caches[layer])
            x = x + output
        return as_token(x)

    def write(n_tokens):
        """Write a text both ways; the seconds that each token took with and without a cache."""
        text, caches, cached, without = as_token(torch.randn(1, d)), [None, None], [], []
        for _ in range(n_tokens):
            started = time.perf_counter()
            token = next_token_cached(text[-1:], caches)
            cached.append(time.perf_counter() - started)
            text = torch.cat([text, token])
        for t in range(1, n_tokens + 1):
            started = time.perf_counter()
            token = next_token(text[:t])
            without.append(time.perf_counter() - started)
            differences.append((token - text[t]).abs().max().item())
        return cached, without

    differences = []
    with plots.demonstration("cached_attention_step"):
        write(8)  # warm up
        cached, without = (list(map(min, *runs)) for runs in zip(write(n_tokens), write(n_tokens)))
        plots.show(figures.generation(without, cached))
        faster = sum(without) / sum(cached)
        print(f"{faster:.0f} times as fast; the two texts differ by at most {max(differences):.0e}")

# %% [markdown]
# Where do the rotary positions go? The new token at step $t$ has position $t$, and its key is turned **before** it enters the cache, once and for
# all. Counting from 0 again at each step is the classic bug: nothing crashes, and the model forgets what order it read things in.

# %% [markdown]
# ## 4 · Grouped queries, in the place of keys and values for every head
#
# The cache bought time with memory. How much? For every token, in every layer, for every head, a key and a value:
#
# $$\text{bytes} = 2 \cdot \text{layers} \cdot h_{kv} \cdot d_{\text{head}} \cdot n \cdot \text{bytes per number}$$
#
# A model of 36 layers with 32 heads of width 128, two bytes a number: $2 \cdot 36 \cdot 32 \cdot 128 \cdot 2 = 589{,}824$ bytes **for each token**. A
# text of 32,768 tokens takes 18 GiB, more than the weights of such a model (15 GiB, section 6); and for every new token all of it has to be read once.
#
# Where can we save? Not at the queries, they are not kept. So let several query heads **share** one head of keys and values. In 2019 Noam Shazeer let
# all of them share a single one (*multi-query attention*), which cost some quality. Joshua Ainslie and others took a few in 2023 (*grouped-query
# attention*): close to the quality of full heads, close to the speed of one.

# %%
plots.show(figures.sharing())

# %% [markdown]
# Neighbours share: with $h$ query heads and $h_{kv}$ heads of keys and values, query head $i$ uses head $i // (h / h_{kv})$. For 6 and 2:
#
# | query head $i$ | 0 | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|---|
# | $i // 3$ | 0 | 0 | 0 | 1 | 1 | 1 |
#
# The order 0, 1, 0, 1, 0, 1 would be another model, and weights trained for one are useless in the other. Everything else is as in units 4 and 6: scores
# divided by $\sqrt{d_k}$ of one head, a mask with True = may attend that broadcasts to $(\ldots, h, n_q, n_k)$, and a query that may see nothing
# gives zeros and leaves the gradients finite. You may call `masked_attention` of unit 6, which the first cell imports.
#
# ### `grouped_query_attention` · exercise, 3 points
# *Core, about 20 minutes.*
#
# Heads that do not divide are a `ValueError`. The output alone is returned.


# %% nbgrader={"grade": false, "grade_id": "grouped_query_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def grouped_query_attention(Q, K, V, mask=None):
    """Attention in which several query heads share one head of keys and values.

    Args:
        Q: queries, (..., h, n_q, d_k).
        K: keys, (..., h_kv, n_k, d_k).
        V: values, (..., h_kv, n_k, d_v).
        mask: boolean, True = may attend, broadcasts to (..., h, n_q, n_k);
            None lets everyone see everything.

    Returns:
        output, (..., h, n_q, d_v); zeros for a query that may see nothing.

    Raises:
        ValueError: h_kv does not divide h.
    """
    ### BEGIN SOLUTION
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h % h_kv:
        raise ValueError(f"{h} query heads cannot share {h_kv} heads of keys and values evenly")
    K = K.repeat_interleave(h // h_kv, dim=-3)  # (..., h, n_k, d_k)
    V = V.repeat_interleave(h // h_kv, dim=-3)  # (..., h, n_k, d_v)
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])  # (..., h, n_q, n_k)
    if mask is None:
        return torch.softmax(scores, dim=-1) @ V
    weights = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=-1)
    return weights.masked_fill(~mask, 0.0) @ V  # (..., h, n_q, d_v)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_grouped_query_attention", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(grouped_query_attention)
### BEGIN HIDDEN TESTS
check(grouped_query_attention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **What was gained.** The cache of such a model (36 layers, heads of width 128, two bytes a number) with 32, 8 and 1 heads of keys and values. `Peak`
# measures the bytes of one layer's tensors as they are made; there are 36 of them.

# %%
if plots.drawing():
    lengths = [0, 8192, 16384, 24576, 32768]
    gigabytes = {}
    for heads in (32, 8, 1):
        gigabytes[heads] = []
        for n in lengths:
            with Peak() as peak:
                K, V = torch.empty(2, heads, n, 128, dtype=torch.bfloat16)
            gigabytes[heads].append(36 * peak.bytes / 2**30)
            del K, V
    plots.show(figures.cache_sizes(lengths, gigabytes, weights=15.3))
    with plots.demonstration("grouped_query_attention"):
        Q = torch.randn(32, 1, 128)
        for heads in (32, 8, 1):
            K, V = torch.randn(2, heads, 1024, 128)
            output = grouped_query_attention(Q, K, V)
            print(f"heads of keys and values: {heads:2d}, shape of your output: {tuple(output.shape)}")

# %% [markdown]
# The output keeps its 32 heads each time, and so does the arithmetic: every query still meets every key. What shrinks is what is kept and read.

# %% [markdown]
# ## 5 · The online softmax, in the place of the whole row
#
# One large thing is left: the $n \times n$ scores. For $n = 16{,}384$ one head of one layer has 268 million of them, 1 GiB in float32, and the
# softmax makes another GiB. Yet the output has only $n \times d$ numbers. Can we read the keys block by block, use each block's scores, and
# throw them away?
#
# The sum is no trouble, sums can grow bit by bit. The trouble is the **maximum**. The stable softmax (unit 2) subtracts the largest score of the row
# before `exp`, and after the first block you do not know it yet. So work with the largest **so far**, and put right what you have when a larger one
# turns up. (Maxim Milakov and Natalia Gimelshein published this *online softmax* in 2018; Markus Rabe and Charles Staats wrote attention in this way
# in 2021.) One query carries three things from block to block:
#
# - $m$, the largest score so far,
# - $l = \sum_j e^{s_j - m}$, the sum so far, measured from $m$,
# - $o = \sum_j e^{s_j - m}\, v_j$, the output so far, not yet divided.
#
# By hand: four keys in two blocks of two. The scores are logarithms, so that $e^s$ is 1, 2, 4, 1; the values are 8, 4, 2, 16.

# %%
plots.show(figures.blocks_by_hand())

# %% [markdown]
# Check it in one go: $(1 \cdot 8 + 2 \cdot 4 + 4 \cdot 2 + 1 \cdot 16) / 8 = 40/8 = 5$. The same number, and at no time were more than two scores on
# the table.
#
# Where does the factor $\frac12$ come from? What you carry was measured from $\ln 2$ and has to be measured from $\ln 4$ now. Both $l$ and $o$ are
# sums of $e^{s - m}$, so one factor puts all of it right. Find it for any two maxima, old and new, before you write code. What should it be in the
# very first block, when nothing is carried?
#
# ### `online_softmax_attention` · exercise, 5 points
# *Extra, about 35 minutes: the hardest of the unit, and no later unit needs it.*
#
# Equal to scaled attention without a mask, any number of batch axes. The check measures your
# memory: at no time may you hold half of $n_q \times n_k$ new numbers (three quarters where a few queries meet thousands of keys). The last block may be smaller than the others. A `block_size` below 1 is a
# `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "online_softmax_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def online_softmax_attention(Q, K, V, block_size):
    """Scaled dot-product attention, block by block: it never holds all scores.

    Args:
        Q: queries, (..., n_q, d_k).
        K: keys, (..., n_k, d_k).
        V: values, (..., n_k, d_v).
        block_size: keys read at one time.

    Returns:
        output, (..., n_q, d_v), equal to softmax(Q Kᵀ / √d_k) V.

    Raises:
        ValueError: block_size is below 1.
    """
    ### BEGIN SOLUTION
    if block_size < 1:
        raise ValueError(f"a block has at least one key; block_size is {block_size}")
    Q = Q / math.sqrt(Q.shape[-1])
    largest = Q.new_full((*Q.shape[:-1], 1), -math.inf)  # (..., n_q, 1)
    total, output = 0.0, 0.0
    for start in range(0, K.shape[-2], block_size):
        scores = Q @ K[..., start : start + block_size, :].transpose(-2, -1)  # (..., n_q, b)
        new_largest = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
        weights = torch.exp(scores - new_largest)  # (..., n_q, b)
        fade = torch.exp(largest - new_largest)  # exp(-inf) = 0 in the first block
        total = fade * total + weights.sum(dim=-1, keepdim=True)  # (..., n_q, 1)
        output = fade * output + weights @ V[..., start : start + block_size, :]  # (..., n_q, d_v)
        largest = new_largest
    return output / total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_online_softmax_attention", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(online_softmax_attention)
### BEGIN HIDDEN TESTS
check(online_softmax_attention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of `online_softmax_attention`. One block is plain attention: cut the keys into several, into blocks that do not
# come out even; let the largest score stand in the last block, then in the first; and try a `block_size` that makes no sense.

# %%
from helpers import catch

catch("online_softmax_attention", torch.randn(3, 4), torch.randn(4, 4), torch.randn(4, 5), 4)  # block_size = 4

# %% [markdown]
# **What was gained.** Full and blocked attention of one head of width 32, for $n$ from 1,024 to 16,384 queries and keys. Both get a budget of 1 GiB:
# `Peak` follows every tensor they make and stops them when they hold more. The third line is your blocked attention once more, but with gradients on, as in training.
# Before you run it: by which factor does each line rise when $n$ doubles? *(This takes some seconds.)*


# %%
def full_attention(Q, K, V):
    return torch.softmax((Q / math.sqrt(Q.shape[-1])) @ K.transpose(-2, -1), dim=-1) @ V


def blocked_attention(Q, K, V):
    return online_softmax_attention(Q, K, V, 128)


def peak_mib(attention, n, gradients=False):
    """Most new memory held at one time, in MiB, or None if the budget did not suffice."""
    X = torch.randn(n, 32, requires_grad=gradients)
    try:
        with torch.set_grad_enabled(gradients), Peak(budget=2**30) as peak:
            attention(X, X, X)
    except MemoryError:
        return None
    return peak.bytes / 2**20


if plots.drawing():
    lengths = [1024, 2048, 4096, 8192, 16384]
    full, blocked, training = [peak_mib(full_attention, n) for n in lengths], [], []
    with plots.demonstration("online_softmax_attention"):
        blocked = [peak_mib(blocked_attention, n) for n in lengths]
        training = [peak_mib(blocked_attention, n, gradients=True) for n in lengths]
    plots.show(figures.memory(lengths, full, blocked, budget=1024, training=training))
    print("MiB:     n    full" + ("  blocked  blocked, with gradients" if training else ""))
    for n, *measured in zip(lengths, full, *((blocked, training) if training else ())):
        print(f"{n:10,}" + "".join(f"{'-' if mib is None else f'{mib:.0f}':>8}" for mib in measured))

# %% [markdown]
# Memory that grows like $n$ instead of $n^2$ is why contexts of 100,000 tokens exist. The time is another matter: every query still meets every key.
# That the kernels built on this idea (*FlashAttention*, Tri Dao and others, 2022) are several times **faster** as well comes from the hardware:
# blocks fit into the small fast memory of a GPU, and the scores never travel to the large slow one.
#
# **And in training?** The third line rises like the first: at $n = 4{,}096$ the function of the solution holds about 148 MiB with gradients and 9 without. For the way back torch keeps the weights of
# every block, and together they are the $n \times n$ matrix again. So the published kernels bring a way back of their own: they keep nothing but $m$ and $l$ of each row, and compute each
# block a second time. Memory like $n$ in training is bought with more arithmetic.

# %% [markdown] nbgrader={"grade": true, "grade_id": "what_it_costs", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `what_it_costs` · question, 2 points
# *Core, about 15 minutes.*
#
# A text has $n$ tokens, $h$ query heads, $h_{kv}$ heads of keys and values. Begin with **full** attention, as in units 4 and 6: how do **time** and
# **memory** grow with $n$, for reading the text once, and for generating it token by token? Then say what **grouped**, **cached** and **blocked**
# attention each change about that: how the time grows, how the memory grows, or a constant factor only. Tell apart the most that is held at one moment
# and what is kept for the next token. (Without gradients, as when a model is used.)
#
# ### BEGIN SOLUTION
# *Model answer.*
#
# | | time | memory |
# |---|---|---|
# | full | $n^2$: every query meets every key. To generate $n$ tokens, the text is read again for each: $n^3$ in all | $n^2$ scores for each head |
# | grouped | $n^2$, as before: all $h$ query heads have scores | $n^2$ scores as before; keys and values smaller by the factor $h_{kv}/h$, still like $n$ |
# | cached | a new token costs $n$ instead of $n^2$, a text of $n$ tokens $n^2$ instead of $n^3$ | a cache that grows like $n$; the scores of one row, $n$ |
# | blocked | $n^2$, as before (even slightly more arithmetic; faster on a GPU because less is moved) | $n$ times the block size instead of $n^2$ |
#
# So the cache changes how time grows, and pays with memory; blocks change how memory grows, and leave the time; groups change a constant factor of
# the cache that the model needs all the same. They are used together.
#
# *Marking guide.* 2 points: one for time (all of: full $n^2$; grouped and blocked leave it $n^2$; the cache takes a new token from $n^2$ to $n$, or a
# text from $n^3$ to $n^2$), one for memory (full $n^2$; blocked linear in $n$; the cache linear in $n$; groups save the factor $h_{kv}/h$ of the
# cache, not of the scores). Half a point off a part for one slip. Counting the projections ($n\,d^2$) as well is fine. "Blocked attention is faster"
# without "on a GPU" or "less memory traffic" is a slip; "the cache saves memory" loses the point for memory.
# ### END SOLUTION

# %% [markdown]
# ## 6 · Reading a model of today
#
# ### Where has the encoder gone?
#
# First something that no single line of code shows. Your translator has two halves, because it has two texts: the encoder reads the source, the decoder writes the target and looks across. The
# models that people talk to today have **a decoder only**, as the first GPT had (Alec Radford and others, 2018); an encoder alone, such as BERT (Jacob
# Devlin and others, 2019), reads and does not write. What you ask and what they answer are one text, in which each token sees itself and what came before. So there is no memory
# and no cross attention, and one kind of attention is left: the causal self-attention of unit 6.

# %%
plots.show(figures.three_families())

# %% [markdown]
# What is lost is the look ahead in what was read: in the third grid *we* does not see *eat*. What is won is simplicity. Any text at all is an exercise in writing its next token, without a
# pair of source and target, and every one of its tokens teaches; and one cache serves for question and answer alike. **Unit 9, a language model,** builds and trains one.
#
# ### The configuration
#
# Here is the published configuration of Qwen3-8B-Base, an open decoder-only model of 2025, written down as data. Read it before you go on: you know what nearly every
# entry stands for.

# %%
config = {
    "hidden_size": 4096,  # d_model
    "num_hidden_layers": 36,  # n_layers
    "num_attention_heads": 32,  # h
    "num_key_value_heads": 8,  # h_kv
    "head_dim": 128,  # d_k = d_v
    "rms_norm_eps": 1e-6,  # the eps of section 1
    "rope_theta": 1_000_000,  # the base of the rotary positions
    "attention_bias": False,  # W_q, W_k, W_v, W_o alone, nothing is added
    "max_position_embeddings": 32_768,  # the longest text it was trained for
    "intermediate_size": 12_288,  # d_ff
    "vocab_size": 151_936,
    "tie_word_embeddings": False,  # one table for ids in, another matrix for logits out
    "torch_dtype": "bfloat16",  # two bytes a number
}

c = config
queries = c["num_attention_heads"] * c["head_dim"]
shared = c["num_key_value_heads"] * c["head_dim"]
attention = c["hidden_size"] * (queries + 2 * shared + queries)  # W_q, W_k, W_v, W_o
# The feed-forward net has three matrices, one more than in unit 5: a gate, which unit 9 explains.
feed_forward = 3 * c["hidden_size"] * c["intermediate_size"]
layers = c["num_hidden_layers"] * (attention + feed_forward)
everything = layers + 2 * c["vocab_size"] * c["hidden_size"]
per_token = 2 * c["num_hidden_layers"] * shared * 2
longest = c["max_position_embeddings"]
of_k_and_v = 2 * c["hidden_size"] * shared
print(f"attention, one layer: {attention / 1e6:.1f} million weights, {of_k_and_v / 1e6:.1f} of them for K and V")
print(f"all weights:          {everything / 1e9:.2f} billion, {2 * everything / 2**30:.1f} GiB")
print(
    f"cache:                {per_token:,} bytes a token, {per_token * longest / 2**30:.1f} GiB for {longest:,} tokens"
)

# %% [markdown]
# And this is the first half of each of its 36 layers, written with the functions of this course. The names of the weights are those of the published
# file.


# %%
def attention_half(x, weights, config, positions, mask):
    h, h_kv, d = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    eps, base = config["rms_norm_eps"], config["rope_theta"]
    y = rms_norm(x, weights["input_layernorm"], eps).to(x)  # 1: .to(x) is "in x's number type"
    q = (y @ weights["q_proj"].T).unflatten(-1, (h, d)).transpose(-3, -2)  # 2
    k = (y @ weights["k_proj"].T).unflatten(-1, (h_kv, d)).transpose(-3, -2)  # 3
    v = (y @ weights["v_proj"].T).unflatten(-1, (h_kv, d)).transpose(-3, -2)  # 4
    q, k = rms_norm(q, weights["q_norm"], eps), rms_norm(k, weights["k_norm"], eps)  # 5
    q, k = apply_rotary(q, positions, base).to(x), apply_rotary(k, positions, base).to(x)  # 6
    # 7: while generating, k and v join the cache here; line 8 then gets all keys and values
    output = grouped_query_attention(q, k, v, mask).to(x)  # 8
    output = output.transpose(-3, -2).flatten(-2)  # 9
    return x + output @ weights["o_proj"].T  # 10


# %% [markdown]
# | line | what it does | where you met it |
# |---|---|---|
# | 1 | normalise **before** the sublayer; RMS instead of layer norm | pre-norm: unit 5; RMS: here, 1 |
# | 2 | queries: $X W_q$ (`nn.Linear` stores the transpose), split into 32 heads of 128 | unit 1; heads: unit 4 |
# | 3, 4 | keys and values: 8 heads each, so these two matrices are a quarter as tall | unit 1; fewer heads: here, 4 |
# | 5 | normalise each query and key by itself, so that no score can explode; new since 2017, and made of a function you have | here, 1; why large scores hurt: unit 2 |
# | 6 | positions, as turns of queries and keys; the values stay | clocks and shifts: unit 3; turns: here, 2 |
# | 7 | the cache, already normalised and turned | here, 3 |
# | 8 | scores, scale, causal mask, softmax, weighted sum; on a GPU computed in blocks | units 1, 2 and 6; groups and blocks: here, 4 and 5 |
# | 9, 10 | concatenate the heads, one linear layer $W_o$ without bias, the residual road | unit 4; residual: unit 5 |
#
# The other half of the layer is the feed-forward net of unit 5 with a gate in it, after a norm of its own. That gate you have not written yet; it comes in unit 9. The published code pairs features $i$ and
# $i + 64$ in line 6 (the halves of the picture above), so for your function the rows of its `q_proj` and `k_proj`, head by head, and the entries of `q_norm` and `k_norm` would have to be put in another order.
#
# Does it run? A small one, with random weights and four query heads to each shared one as there, against torch's own norm and attention:

# %%
if plots.drawing():
    torch.manual_seed(0)
    small = config | {"hidden_size": 64, "head_dim": 16, "num_attention_heads": 8, "num_key_value_heads": 2}
    shapes = {
        "q_proj": (128, 64),
        "k_proj": (32, 64),
        "v_proj": (32, 64),
        "o_proj": (64, 128),
        "input_layernorm": (64,),
        "q_norm": (16,),
        "k_norm": (16,),
    }
    weights = {name: torch.randn(shape) / math.sqrt(shape[-1]) for name, shape in shapes.items()}
    x, positions = torch.randn(2, 10, 64), torch.arange(10)
    with plots.demonstration("rms_norm", "apply_rotary", "grouped_query_attention"):
        yours = attention_half(x, weights, small, positions, causal_mask(10))
        norm = torch.nn.functional.rms_norm
        y = norm(x, (64,), weights["input_layernorm"], 1e-6)
        q, k, v = ((y @ weights[f"{name}_proj"].T).unflatten(-1, (-1, 16)).transpose(1, 2) for name in "qkv")
        q = apply_rotary(norm(q, (16,), weights["q_norm"], 1e-6), positions, 1e6).to(v)
        k = apply_rotary(norm(k, (16,), weights["k_norm"], 1e-6), positions, 1e6).to(v)
        theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        theirs = x + theirs.transpose(1, 2).flatten(-2) @ weights["o_proj"].T
        gap = (yours - theirs).abs().max()
        print(f"shape {tuple(yours.shape)}, largest difference from torch: {gap:.0e}")

# %% [markdown]
# ## What you have now
#
# - RMS norm divides by the size and leaves the mean alone: less work, the same effect.
# - Rotary positions turn pairs of features; scores then depend on the distance alone.
# - The cache keeps keys and values, so that a new token costs one row and not the whole square.
# - Grouped queries make that cache smaller, by the number of query heads that share.
# - The online softmax reads keys in blocks and puts right what it carries: memory like $n$, not $n^2$.
# - Most models of today are decoders alone: one text, causal attention, nothing to look across to.
# - The rest of such a model you have built in units 1 to 7, except for the gate in its feed-forward network, which comes in unit 9.
#
# **Next, unit 9:** you put these pieces together to a language model, train it, and let it write.
#
# **Where to go from here.** Take any open model's configuration and repeat section 6 with it: which base, how many shared heads, is there a sliding
# window (`local_attention` of unit 2)? You can read it now.
#
# **Hand in.** Save the notebook, run *Validate*, and submit it as unit 0 shows.
#
# ### Sources
#
# - Biao Zhang and Rico Sennrich, 2019, *Root Mean Square Layer Normalization*.
# - Jianlin Su and others, 2021, *RoFormer: Enhanced Transformer with Rotary Position Embedding*.
# - Noam Shazeer, 2019, *Fast Transformer Decoding: One Write-Head is All You Need*: what the cache costs, and one head of keys and values for all.
# - Joshua Ainslie and others, 2023, *GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints*.
# - Maxim Milakov and Natalia Gimelshein, 2018, *Online normalizer calculation for softmax*.
# - Markus Rabe and Charles Staats, 2021, *Self-attention Does Not Need O(n²) Memory*.
# - Tri Dao and others, 2022, *FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness*.
# - Alec Radford and others, 2018, *Improving Language Understanding by Generative Pre-Training*: the first of the GPT models, a decoder alone.
# - Jacob Devlin and others, 2019, *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*: an encoder alone.
# - An Yang and others, 2025, *Qwen3 Technical Report*: the model of section 6.

# %%
from helpers import progress

progress("u8")
