# %% [markdown]
# # Unit 9 · A language model of your own
#
# In unit 7 a machine read a sentence and wrote another one. In unit 8 you exchanged five of its pieces. Today the
# pieces meet: you build what today's models are, a **decoder alone** that continues a text, train it on this computer,
# and let it write.
#
# | you will write | what it is | points | |
# |---|---|---|---|
# | `GatedFeedForward` | the feed-forward net with a gate | 2 | core, 10 minutes |
# | `DecoderBlock` | one layer, with turned queries, shared keys and a cache | 5 | core, 45 minutes |
# | `LanguageModel` | the whole model, in pieces or at once; you train it | 4 | core, 30 minutes |
# | `next_probabilities` | temperature, top-k, top-p | 3 | core, 25 minutes |
# | `generate` | one pass over the prompt, then one token a pass | 2 | core, 15 minutes |
# | `sliding_window_mask` | what a model sees that may not see everything | 2 | core, 10 minutes |
# | `what_was_left_out` | in your own words | 2 | core, 15 minutes |
#
# Cells called *extra* have no points, and nothing after them needs them.
#
# Training takes about two minutes in all on an ordinary processor, and uses a graphics card if there is one. You can
# stop it with the ■ button and run the cell again to go on. What was learned is saved beside this notebook in
# `weights.safetensors`: **hand that file in together with the notebook**. Grading never trains.

# %% nbgrader={"grade": false, "grade_id": "u9_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math
import re
import time
from collections import Counter

import torch
import torch.nn.functional as F
from torch import nn

from helpers import check, hint, plots, text
from helpers.memory import Peak
from helpers.plots import u9_language_model as figures
from helpers.reference.u6_masked_decoder import causal_mask
from helpers.reference.u8_modern_attention import (
    apply_rotary,
    grouped_query_attention,
    online_softmax_attention,
    rms_norm,
)
from helpers.training import Training, device

SEED = 0

# %% [markdown]
# The pieces of units 6 and 8 come from the course's own implementations, so that nothing here hangs on an exercise you
# have not finished. If you would rather use yours, paste them into a cell below this one; their names and arguments are
# the same.
#
# ## 1 · What goes, and what stays
#
# The machine of unit 7 had two halves because it had two texts: one to read, one to write. A model that only
# **continues** has one text. What it has read and what it has written are the same thing, so one half is enough.

# %%
plots.show(figures.flow_charts())

# %% [markdown]
# | goes | comes in its place |
# |---|---|
# | the encoder and cross attention | nothing: the prompt is simply the beginning of the text |
# | sines and cosines, added once | queries and keys turned in every layer (unit 8) |
# | layer norm after each half | RMS norm before each half (units 5 and 8) |
# | biases in all linear layers | nothing: they turned out not to matter |
# | the feed-forward net with ReLU | one with a gate, section 3 |
#
# What stays is the heart: masked self-attention, the residual roads, and cross entropy on the next token.

# %% [markdown]
# ## 2 · A text, and its tokens
#
# Every Python ships the texts behind its `help()`. The course takes their prose: full sentences about assignments,
# exceptions and classes. That is about 190,000 characters to learn from. Some topics are **held out**: the model never
# reads them, and is measured on them.

# %%
library = text.library()
print(f"{len(library.learned):,} characters to learn from, {len(library.held_out):,} held out\n")
print("\n".join(library.learned.splitlines()[20:23]))

# %% [markdown]
# **A token is a character** here: the line break and the 95 characters of an English keyboard, 96 in all. The id is the
# place in `text.CHARACTERS`. A character that is not among them is read as a question mark.

# %%
print(text.ids_of("Hello, you!"))
print(repr(text.text_of([41, 70, 77, 77, 80])))

# %% [markdown]
# **Why real models cut words.** A thousand characters are a thousand passes when writing, and attention compares every
# two of them. So tokens are made longer: begin with characters, find the two neighbours that occur most often, glue
# them into one token, and repeat. This is *byte-pair encoding*. Here are its first 200 glueings on our text:


# %%
def learn_pairs(words, count):
    """Glue the most frequent neighbours, again and again: the list of pairs in order."""
    table = {tuple(word): number for word, number in Counter(words).items()}
    pairs = []
    for _ in range(count):
        seen = Counter()
        for parts, number in table.items():
            for pair in zip(parts, parts[1:]):
                seen[pair] += number
        best = max(seen, key=lambda pair: (seen[pair], pair))
        pairs.append(best)
        table = {glue(parts, best): number for parts, number in table.items()}
    return pairs


def glue(parts, pair):
    out = []
    for part in parts:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return tuple(out)


def cut(sentence, pairs):
    tokens = []
    for word in re.findall(r" ?\S+", sentence):
        parts = tuple(word)
        for pair in pairs:
            parts = glue(parts, pair)
        tokens += parts
    return tokens


if plots.drawing():
    pairs = learn_pairs(re.findall(r" ?\S+", library.learned), 200)
    sentence = "The function returns an assignment object."
    print("first pairs:", "  ".join(repr(a + b) for a, b in pairs[:10]))
    print(f"{len(sentence)} characters become {len(cut(sentence, pairs))} tokens:")
    print(" | ".join(cut(sentence, pairs)))

# %% [markdown]
# Frequent words have become one token; rare ones are spelled in parts. Real models do 50,000 to 250,000 such steps.
# Ours keeps its 96 characters: nothing in the model below would change, except the number `vocab`.

# %% [markdown]
# ## 3 · A feed-forward net with a gate
#
# The net of unit 5 was: widen, bend with ReLU, narrow. In 2020 Noam Shazeer tried to let a second layer decide **how
# much** of each wide feature gets through:
#
# $$y = W_{\text{down}} \, \big( \text{silu}(W_{\text{gate}} x) \cdot W_{\text{up}} x \big) \qquad\qquad \text{silu}(z) = z \cdot \text{sigmoid}(z) = \frac{z}{1 + e^{-z}}$$
#
# The dot between the two is entry by entry. By hand, for one feature: $W_{\text{gate}} x = 0$ gives silu 0, so nothing
# passes. $W_{\text{gate}} x = 4$ gives $4 \cdot 0.98 = 3.93$, so $W_{\text{up}} x = 2$ becomes $7.86$.

# %%
plots.show(figures.gate())

# %% [markdown]
# ### `GatedFeedForward` · exercise, 2 points
#
# *Core, about 10 minutes.*
#
# Three linear layers without bias, `nn.Linear(..., bias=False)`, and one line that joins
# them. `F.silu` is ready-made.


# %% nbgrader={"grade": false, "grade_id": "GatedFeedForward", "locked": false, "schema_version": 3, "solution": true, "task": false}
class GatedFeedForward(nn.Module):
    """Two layers with a gate: y = down(silu(gate(x)) · up(x)), entry by entry.

    Args:
        d_model: width of a token.
        d_ff: width in between.

    Attributes:
        gate, up: linear layers from d_model to d_ff, without bias.
        down: a linear layer from d_ff to d_model, without bias.
    """

    def __init__(self, d_model, d_ff):
        super().__init__()
        ### BEGIN SOLUTION
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)
        ### END SOLUTION

    def forward(self, x):
        """Args: x, (..., d_model). Returns: (..., d_model)."""
        ### BEGIN SOLUTION
        return self.down(F.silu(self.gate(x)) * self.up(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_GatedFeedForward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(GatedFeedForward)
### BEGIN HIDDEN TESTS
check(GatedFeedForward, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Nobody knows well why it works better; the paper thanks "divine benevolence". With three matrices instead of two,
# `d_ff` is usually made a third smaller, so that the number of weights stays.

# %% [markdown]
# ## 4 · The block
#
# The norm of unit 8 as a module, which you may use as it is:


# %%
class RMSNorm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x):
        return rms_norm(x, self.weight, eps=1e-6)


# %% [markdown]
# A block has two halves, each with a norm in front and a residual road around it:
#
# $$x \leftarrow x + \text{attention}(\text{norm}_1(x)) \qquad\qquad x \leftarrow x + \text{feed\_forward}(\text{norm}_2(x))$$
#
# The attention does nine things, in this order. For $n$ new tokens after $t$ tokens in the cache, $h$ query heads,
# $h_{kv}$ heads of keys and values, and $d_k = d_{\text{model}} / h$:
#
# | step | shape |
# |---|---|
# | 1 project with `W_q`, `W_k`, `W_v` | $(\dots, n, d_{\text{model}})$, and twice $(\dots, n, h_{kv} d_k)$ |
# | 2 cut into heads | $(\dots, h, n, d_k)$, and twice $(\dots, h_{kv}, n, d_k)$ |
# | 3 turn queries and keys by their `positions`; values stay | the same |
# | 4 put the new keys and values **behind** those of the cache | $(\dots, h_{kv}, t + n, d_k)$ |
# | 5 keep that pair: it is the new cache | |
# | 6 attend, heads shared, with the mask | $(\dots, h, n, d_k)$ |
# | 7, 8 swap the axes back, glue the heads | $(\dots, n, d_{\text{model}})$ |
# | 9 `W_o` | $(\dots, n, d_{\text{model}})$ |
#
# Two orders matter. **Turn, then keep:** a key is turned once, by the position of its own token. **Keep, then share:**
# the cache holds $h_{kv}$ heads; if you repeated them first, nothing would be saved.
#
# **By hand.** Three tokens are in the cache, two are new. Which positions do the new ones have, and what shape has the
# causal mask?
#
# <details><summary>Compare</summary>
#
# Positions 3 and 4. The mask has 2 rows and 5 columns: the first new token sees 4 keys, the second 5.
# `causal_mask(2, 5)` makes it; unit 6 had this case in store.
#
# </details>
#
# ### `DecoderBlock` · exercise, 5 points
#
# *Core, about 45 minutes.*
#
# Two classes. `GroupedAttention` does the nine steps; `DecoderBlock` puts it, as
# `self.attention`, between norms and roads. (If you would rather cut it differently, do: what counts are the names
# `norm_1`, `attention.W_q` and so on.) Heads that do not divide are a `ValueError`: `n_heads` must divide `d_model`,
# `n_kv_heads` must divide `n_heads`, and neither is below 1. `apply_rotary(x, positions)` and
# `grouped_query_attention(Q, K, V, mask)` do steps 3 and 6. The `attention_half` at the end of unit 8 is close to what
# you need.
#
# `mask=None` hides nothing: who may look where is the caller's business. The caller's cache stays as it was.


# %% nbgrader={"grade": false, "grade_id": "DecoderBlock", "locked": false, "schema_version": 3, "solution": true, "task": false}
class GroupedAttention(nn.Module):
    """Attention with turned queries and keys, shared heads of keys and values, and a cache.

    Attributes:
        W_q, W_o: linear layers from d_model to d_model, without bias.
        W_k, W_v: linear layers from d_model to n_kv_heads · d_k, without bias.
    """

    def __init__(self, d_model, n_heads, n_kv_heads):
        super().__init__()
        ### BEGIN SOLUTION
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"a width of {d_model} cannot be cut into {n_heads} heads")
        if n_kv_heads < 1 or n_heads % n_kv_heads:
            raise ValueError(f"{n_heads} query heads cannot share {n_kv_heads} heads of keys and values")
        self.d_k = d_model // n_heads
        self.W_q = nn.Linear(d_model, d_model, bias=False)
        self.W_k = nn.Linear(d_model, n_kv_heads * self.d_k, bias=False)
        self.W_v = nn.Linear(d_model, n_kv_heads * self.d_k, bias=False)
        self.W_o = nn.Linear(d_model, d_model, bias=False)
        ### END SOLUTION

    def forward(self, x, positions, mask=None, cache=None):
        """Steps 1 to 9. Returns: (..., n, d_model), and the new pair (K, V)."""

        ### BEGIN SOLUTION
        def heads(y):
            return y.unflatten(-1, (-1, self.d_k)).transpose(-3, -2)  # (..., heads, n, d_k)

        q = apply_rotary(heads(self.W_q(x)), positions)  # (..., h, n, d_k)
        K = apply_rotary(heads(self.W_k(x)), positions)  # (..., h_kv, n, d_k)
        V = heads(self.W_v(x))  # (..., h_kv, n, d_k)
        if cache is not None:
            K = torch.cat([cache[0], K], dim=-2)  # (..., h_kv, t + n, d_k)
            V = torch.cat([cache[1], V], dim=-2)
        output = grouped_query_attention(q, K, V, mask)  # (..., h, n, d_k)
        return self.W_o(output.transpose(-3, -2).flatten(-2)), (K, V)
        ### END SOLUTION


class DecoderBlock(nn.Module):
    """One layer of a decoder alone: x + attention(norm_1(x)), then x + feed_forward(norm_2(x)).

    Args:
        d_model: width of a token.
        n_heads: heads of queries, each d_k = d_model / n_heads wide.
        n_kv_heads: heads of keys and of values.
        d_ff: width inside the feed-forward net.

    Attributes:
        norm_1, norm_2: RMSNorm.
        attention: has the linear layers W_q, W_k, W_v, W_o, without bias.
        feed_forward: GatedFeedForward.

    Raises:
        ValueError: n_heads is below 1 or does not divide d_model, or n_kv_heads is below 1 or does not divide n_heads.
    """

    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        ### BEGIN SOLUTION
        self.norm_1 = RMSNorm(d_model)
        self.attention = GroupedAttention(d_model, n_heads, n_kv_heads)
        self.norm_2 = RMSNorm(d_model)
        self.feed_forward = GatedFeedForward(d_model, d_ff)
        ### END SOLUTION

    def forward(self, x, positions, mask=None, cache=None):
        """Pass n new tokens through the layer.

        Args:
            x: the new tokens, (..., n, d_model).
            positions: where each of them stands in the text, integers (n,).
            mask: boolean, True = may attend, broadcasts to (..., n_heads, n, t + n); None hides nothing.
            cache: None, or the pair (K, V) of the t tokens before, each (..., n_kv_heads, t, d_k).

        Returns:
            x, (..., n, d_model), and the new pair (K, V), each (..., n_kv_heads, t + n, d_k).
        """
        ### BEGIN SOLUTION
        seen, cache = self.attention(self.norm_1(x), positions, mask, cache)
        x = x + seen
        return x + self.feed_forward(self.norm_2(x)), cache
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_DecoderBlock", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(DecoderBlock)
### BEGIN HIDDEN TESTS
check(DecoderBlock, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · The model
#
# Around the blocks there is little left: a table that turns ids into vectors, a last norm (a pre-norm stack needs one,
# unit 5), and a linear layer to one logit for each token of the vocabulary. The model decides who may look where, and
# which positions the new tokens have.
#
# The same model is called in three ways, and all three must give **the same logits**:
#
# - *at once*, in training: all $n$ tokens, no cache;
# - *in pieces*: a long prompt is read 500 tokens at a time, each piece with the cache of those before (*chunked
#   prefill*);
# - *token by token*, in writing.
#
# So in `forward` count the tokens in the cache first: $t$ is the length of the cached keys, 0 if there is no cache. The
# $n$ new tokens have the positions $t, \dots, t + n - 1$ and the mask `causal_mask(n, t + n)`. Each layer gets its own
# pair out of the cache, and hands back a longer one.
#
# ### `LanguageModel` · exercise, 4 points
#
# *Core, about 30 minutes.*
#
# What the cache looks like is up to you: a list with one pair for each layer does. Begin a
# **new** list in every call, because a caller may go on from one cache twice. The layers go into an `nn.ModuleList`,
# each made anew; the `head` has no bias. Make positions where the ids are, `device=ids.device`, and move the mask there
# with `.to(ids.device)`; then a graphics card works too.


# %% nbgrader={"grade": false, "grade_id": "LanguageModel", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LanguageModel(nn.Module):
    """A decoder alone, which predicts the next token at every place of a text.

    Args:
        vocab: number of tokens.
        d_model, n_heads, n_kv_heads, d_ff: of the blocks.
        n_layers: number of blocks.

    Attributes:
        embedding: nn.Embedding(vocab, d_model).
        layers: nn.ModuleList of DecoderBlocks.
        norm: RMSNorm.
        head: a linear layer from d_model to vocab, without bias.
    """

    def __init__(self, vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff):
        super().__init__()
        ### BEGIN SOLUTION
        self.embedding = nn.Embedding(vocab, d_model)
        self.layers = nn.ModuleList(DecoderBlock(d_model, n_heads, n_kv_heads, d_ff) for _ in range(n_layers))
        self.norm = RMSNorm(d_model)
        self.head = nn.Linear(d_model, vocab, bias=False)
        ### END SOLUTION

    def forward(self, ids, cache=None):
        """Read n tokens that come after those in the cache.

        Args:
            ids: integers, (b, n).
            cache: None at the beginning of a text, else what the call before returned.

        Returns:
            logits, (b, n, vocab): those at place i are for the token after ids[:, i] and depend on nothing later;
            and the cache of all tokens so far.
        """
        ### BEGIN SOLUTION
        t = 0 if cache is None else cache[0][0].shape[-2]
        n = ids.shape[-1]
        positions = torch.arange(t, t + n, device=ids.device)
        mask = causal_mask(n, t + n).to(ids.device)  # (n, t + n)
        x, kept = self.embedding(ids), []  # (b, n, d_model)
        for i, layer in enumerate(self.layers):
            x, pair = layer(x, positions, mask, None if cache is None else cache[i])
            kept.append(pair)
        return self.head(self.norm(x)), kept  # (b, n, vocab)
        ### END SOLUTION


# %% [markdown]
# Its check comes after the training, because it measures the trained model too. First a look at whether it runs: an
# untrained model has not learned anything, so each of the 96 characters has about the same probability.

# %%
with plots.demonstration("LanguageModel"):
    torch.manual_seed(0)
    fresh = LanguageModel(**text.LANGUAGE_MODEL)
    logits, cache = fresh(torch.tensor([text.ids_of("The class ")]))
    print(text.LANGUAGE_MODEL)
    print(f"{sum(p.numel() for p in fresh.parameters()):,} weights; logits of shape {tuple(logits.shape)}")

# %% [markdown]
# ### What a good model is: bits
#
# Cross entropy (unit 6) is the mean of $-\ln p$, where $p$ is what the model gave to the character that really came.
# With $-\log_2 p$ it is counted in **bits**: the length of the shortest code in which the model could store the text.
#
# **By hand.** How many bits does a character cost if all 96 are equally likely? And one to which the model gave
# $p = \frac14$?
#
# <details><summary>Compare</summary>
#
# $\log_2 96 = 6.58$, so training begins near a loss of $\ln 96 = 4.56$ (a little above, the start is not quite even).
# And $\log_2 4 = 2$ bits.
#
# </details>
#
# A rival is at hand: **zlib**, the compressor inside every `.zip` file, also exploits what it has seen. It may read all
# our text first, and then it needs so many bits for a held-out character:

# %%
print(f"zlib: {text.zlib_bits():.2f} bits for a character of the held-out text")

# %% [markdown]
# **That is the line to beat.** Your trained model has to need fewer. The course's own model needs 1.84, 1.83, 1.83,
# 1.85 and 1.82 bits with the seeds 0 to 4, where zlib needs 2.44. (The text differs a little from one version of Python
# to the next, and so do these numbers.)
#
# ### Training it
#
# A batch is 16 pieces of the text with 128 characters each. At **every** place the model predicts the character after
# it: 2,048 predictions in one step, all computed side by side, because the mask lets none of them see its answer.


# %%
def language_step(model, optimizer, rng):
    ids, targets = (torch.from_numpy(part).to(device()) for part in text.windows(rng, 16))
    model.train()
    logits, _ = model(ids)  # (16, 128, 96)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def slow_sample(model, prompt, n_new, seed=0):
    """Write by reading everything again for each character; section 6 does it better."""
    torch.manual_seed(seed)
    model.eval()
    ids = text.ids_of(prompt)
    for _ in range(n_new):
        logits, _ = model(torch.tensor([ids[-text.CONTEXT :]], device=device()))
        probabilities = torch.softmax(logits[0, -1] / 0.8, dim=-1)
        ids.append(int(torch.multinomial(probabilities.cpu(), 1)))
    return text.text_of(ids[-n_new:])


def samples(model):
    return [("The object ", "", slow_sample(model, "The object ", 70))]


def make():
    return LanguageModel(**text.LANGUAGE_MODEL)


run = Training(make, language_step, steps=600, rate=5e-3, seed=SEED, samples=samples)

# %% [markdown]
# Watch the samples: first noise, then spaces at the right distance, then words, then something like a sentence. *(About
# a minute and a half.)*

# %%
run.go()
run.save("language_model")

# %% [markdown]
# A run goes on where it stopped when you run the cell again. To begin anew, as after a change to a class, first run the
# cell that makes `run`. `save` overwrites no better weights. After a restart of the kernel you need not train again:
# write `run.load("language_model")` into a new cell and run it in the place of the training. Play with the sizes if you
# like, but hand in weights for these: grading builds `LanguageModel(**text.LANGUAGE_MODEL)`.
#
# The check puts your class together from cases of its own, at once and in pieces; then it loads the saved weights and
# measures the bits on pieces of the held-out text. (It also looks whether the model peeks ahead, and whether it has
# read what was held out. The characters get other ids for it, and the rows of `embedding` and `head` the order that goes
# with them: to your model nothing has changed, but a table of the text would find nothing.)

# %% nbgrader={"grade": true, "grade_id": "test_LanguageModel", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(LanguageModel)
### BEGIN HIDDEN TESTS
check(LanguageModel, hidden=True)
### END HIDDEN TESTS


# %%
@torch.no_grad()
def bits_of(model, length=text.CONTEXT):
    """Bits for a character of the held-out text, of which each is read after at least half a piece."""
    ids = torch.from_numpy(text.ids()[1].copy()).to(device())
    starts = range(0, len(ids) - length, length // 2)
    pieces = torch.stack([ids[s : s + length + 1] for s in starts])
    model.eval()
    logits = torch.cat([model(part)[0] for part in pieces[:, :-1].split(16)])
    losses = F.cross_entropy(logits.transpose(1, 2), pieces[:, 1:], reduction="none")
    return losses[:, length // 2 :].mean().item() / math.log(2)


if run.model is not None:
    with plots.demonstration("LanguageModel"):
        share = Counter(library.learned)
        frequent = [-math.log2((share[c] + 1) / (len(library.learned) + 96)) for c in library.held_out]
        measured = {
            "all 96 alike": math.log2(96),
            "by how frequent each is": sum(frequent) / len(frequent),
            "zlib, after reading the text": text.zlib_bits(),
            "your model": bits_of(run.model),
        }
        plots.show(figures.bits(measured))

# %% [markdown]
# Where do the missing bits come from? zlib finds only what it has seen letter by letter. Your model has never seen the
# held-out sentences, but it has learned what English words look like, and which follow which.

# %% [markdown]
# ## 6 · Writing
#
# A model gives probabilities. Which token is written is a **choice**. Always the most probable one gives text that goes
# round in circles; drawing as the model says gives a slip every few words, because thousands of bad tokens with a tiny
# probability each add up. So the distribution is cut before drawing:
#
# 1. **Temperature** $T$: divide the logits by $T$, then softmax. Below 1 it sharpens, above 1 it flattens.
# 2. **Top-k**: only the $k$ most probable stay.
# 3. **Top-p**: of these, only the smallest set of most probable ones whose share **reaches** $p$.
#
# After each cut, what stays is divided by its sum, so that it adds up to 1 again.
#
# **By hand.** The probabilities are 0.4, 0.3, 0.2, 0.1. What does top-p = 0.6 leave? And top-k = 3 followed by top-p =
# 0.6?
#
# <details><summary>Compare</summary>
#
# 0.4 does not reach 0.6; 0.4 + 0.3 does. Two stay, and become 0.571 and 0.429. Top-k = 3 leaves 0.444, 0.333, 0.222;
# the first two reach 0.6 again, so the answer is the same. But with top-p = 0.75 it would be 3 tokens without top-k and
# 2 after it.
#
# </details>
#
# The token that crosses the line stays. So at least one always stays, even for $p = 0.01$: a set that can be empty
# would be a division by zero.
#
# ### `next_probabilities` · exercise, 3 points
#
# *Core, about 25 minutes.*
#
# `temperature=0` is a case of its own: everything on the largest logit, and on the first of
# them if several are largest. Bad values are a `ValueError`, whatever the other arguments are: a temperature below 0, a
# `top_k` below 1, a `top_p` outside 0 to 1. A `top_k` larger than the vocabulary cuts nothing. Which of several equally
# probable tokens at the edge stay is up to you.
#
# Useful: `torch.sort(p, dim=-1, descending=True)` gives the sorted numbers and their old places; `cumsum` adds up;
# `torch.zeros_like(p).scatter(-1, places, numbers)` brings them back.


# %% nbgrader={"grade": false, "grade_id": "next_probabilities", "locked": false, "schema_version": 3, "solution": true, "task": false}
def next_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    """Turn logits into the probabilities that the next token is drawn from: temperature, then top-k, then top-p.

    Args:
        logits: (..., vocab).
        temperature: at least 0; 0 puts all on the first of the largest.
        top_k: how many stay; None leaves all.
        top_p: the share that those who stay have to reach; None leaves all. One always stays.

    Returns:
        probabilities, (..., vocab), that add up to 1.

    Raises:
        ValueError: temperature is below 0, top_k below 1, or top_p outside 0 to 1.
    """
    ### BEGIN SOLUTION
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise ValueError(f"temperature {temperature}, top_k {top_k}, top_p {top_p} make no sense")
    logits = logits.float()
    if temperature == 0:
        largest = logits == logits.amax(dim=-1, keepdim=True)
        return (largest & (largest.cumsum(dim=-1) == 1)).float()  # the first of the largest
    p, places = torch.softmax(logits / temperature, dim=-1).sort(dim=-1, descending=True)
    ranks = torch.arange(p.shape[-1], device=p.device)
    if top_k is not None:
        p = torch.where(ranks < top_k, p, 0.0)
        p = p / p.sum(dim=-1, keepdim=True)
    if top_p is not None:
        before = p.cumsum(dim=-1) - p  # the share of those before this one
        p = torch.where((before < top_p) | (ranks == 0), p, 0.0)
        p = p / p.sum(dim=-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, places, p)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_next_probabilities", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(next_probabilities)
### BEGIN HIDDEN TESTS
check(next_probabilities, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of `next_probabilities`. At its defaults it is a softmax, and nearly all of them look right. Turn one knob, then two
# at once, and mind the extremes: temperature 0, equal logits, a `top_k` larger than the vocabulary.

# %%
from helpers import catch

catch("next_probabilities", torch.tensor([2.0, 1.0, 0.0]))

# %% [markdown]
# One distribution of your model, and the knife at work:

# %%
if run.model is not None:
    with plots.demonstration("next_probabilities"):
        prompt = "If the argument is a "
        with torch.no_grad():
            row = run.model(torch.tensor([text.ids_of(prompt)], device=device()))[0][0, -1].cpu()
        settings = {
            "as it is": {},
            "temperature 0.5": {"temperature": 0.5},
            "top-k 5": {"top_k": 5},
            "top-p 0.6": {"top_p": 0.6},
        }
        steps = {name: next_probabilities(row, **setting).numpy() for name, setting in settings.items()}
        plots.show(figures.cutting(steps, text.CHARACTERS, prompt))

# %% [markdown]
# ### Reading once
#
# `slow_sample` above reads the whole text again for every character. You have a cache, so do it as every model in use
# does it:
#
# - **Prefill**: one pass reads the whole prompt, side by side. Its last row of logits predicts the first new token.
# - **Decode**: each further pass gets **one** token, the newest, and the cache.
#
# | pass | ids that go in | cache before | predicts |
# |---|---|---|---|
# | 1 | the prompt, 5 ids | none | new token 1 |
# | 2 | new token 1 | 5 tokens | new token 2 |
# | 3 | new token 2 | 6 tokens | new token 3 |
#
# ### `generate` · exercise, 2 points
#
# *Core, about 15 minutes.*
#
# A model reads a batch, so one text is a batch of one, `torch.tensor([ids])`, on the device
# where the model is: `next(model.parameters()).device`. `choose` is given a distribution over the vocabulary,
# `(vocab,)`, and returns an id. Put the model into evaluation mode; no gradients are needed. Return the new ids alone.


# %% nbgrader={"grade": false, "grade_id": "generate", "locked": false, "schema_version": 3, "solution": true, "task": false}
@torch.no_grad()
def generate(model, ids, n_new, choose):
    """Continue a text: one pass over the prompt, then one token a pass, with the cache.

    Args:
        model: a LanguageModel.
        ids: list of the ids of the prompt, at least one.
        n_new: how many ids to write.
        choose: receives the probabilities of the next token, (vocab,), and returns its id.

    Returns:
        list of the n_new new ids, without those of the prompt.
    """
    ### BEGIN SOLUTION
    model.eval()
    where = next(model.parameters()).device
    new, unread, cache = [], list(ids), None
    for _ in range(n_new):
        logits, cache = model(torch.tensor([unread], device=where), cache)  # (1, n, vocab)
        unread = [int(choose(next_probabilities(logits[0, -1])))]
        new += unread
    return new
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_generate", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(generate)
### BEGIN HIDDEN TESTS
check(generate, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# The same prompt at four settings. `choose` cuts the distribution and draws. (The logarithm of probabilities are logits
# again, up to a constant.)


# %%
def chooser(seed=0, **setting):
    """A choose that cuts with these settings and draws from the rest."""
    dice = torch.Generator().manual_seed(seed)

    def choose(probabilities):
        cut_down = next_probabilities(probabilities.cpu().log(), **setting)
        return int(torch.multinomial(cut_down, 1, generator=dice))

    return choose


if run.model is not None:
    with plots.demonstration("generate", "next_probabilities"):
        prompt = "The function "
        for setting in ({"temperature": 0}, {"temperature": 0.7}, {"top_p": 0.9}, {"temperature": 1.5}):
            written = generate(run.model, text.ids_of(prompt), 110, chooser(**setting))
            told = ", ".join(f"{name} = {value}" for name, value in setting.items())
            print(f"[{told}]\n{prompt}{text.text_of(written)}\n")

# %% [markdown]
# At 0 it soon repeats itself; at 1.5 words fall apart; in between it is at its best. Remember that this model has read
# less than a short novel, and for a minute and a half.
#
# What did the cache gain? The clock, for each character:

# %%
if run.model is not None:
    with plots.demonstration("LanguageModel"):

        def seconds(step, count):
            times = []
            for place in range(count):
                started = time.perf_counter()
                step(place)
                times.append(time.perf_counter() - started)
            return times

        ids = text.ids_of(library.held_out[:400])
        place = device()
        with torch.no_grad():
            _, cache = run.model(torch.tensor([ids[:1]], device=place))
            state = {"cache": cache}

            def again(t):
                run.model(torch.tensor([ids[: t + 2]], device=place))

            def cached(t):
                state["cache"] = run.model(torch.tensor([[ids[t + 1]]], device=place), state["cache"])[1]

            slow, quick = seconds(again, 350), seconds(cached, 350)
        plots.show(figures.clocks(slow, quick))
        print(f"350 characters: {sum(slow):.2f} s without, {sum(quick):.2f} s with the cache")

# %% [markdown]
# **Chunked prefill.** A prompt of 100,000 tokens cannot be read in one pass, the scores alone would not fit. In pieces
# it can: each piece is $n$ queries against $t + n$ keys, which is what `causal_mask(n, t + n)` was built for in unit 6.
# The logits must not change:

# %%
if run.model is not None:
    with plots.demonstration("LanguageModel"), torch.no_grad():
        ids = torch.tensor([text.ids_of(library.held_out[:120])], device=device())
        whole, _ = run.model(ids)
        for size in (120, 50, 7, 1):
            cache, rows = None, []
            for piece in ids.split(size, dim=1):
                logits, cache = run.model(piece, cache)
                rows.append(logits)
            gap = (torch.cat(rows, dim=1) - whole).abs().max()
            largest = f"{size} x {ids.shape[1]}"
            print(f"pieces of {size:3d}: largest matrix of scores {largest:>9}, largest difference {gap:.0e}")

# %% [markdown]
# ## 7 · Longer than it has learned: a window
#
# Your model was trained on texts of 128 characters. Its rotary positions have no last entry; will it go on at character
# 500?
#
# Distances beyond 128 were never seen, and scores at such distances are noise. A way out is to let each token see no
# further than a **window**: itself and the `window - 1` tokens before. Then no distance is ever new. It is cheaper,
# too: a row has at most `window` scores, and the cache stops growing. Information still travels far: in each layer by
# one window.

# %%
plots.show(
    figures.windows(torch.ones(8, 8).tril().numpy(), (torch.ones(8, 8).tril() - torch.ones(8, 8).tril(-3)).numpy(), 3)
)

# %% [markdown]
# By hand: in a window of 3 the token at position 5 sees 3, 4 and 5. At position 1 there are only 0 and 1 to see.
#
# ### `sliding_window_mask` · exercise, 2 points
#
# *Core, about 10 minutes.*
#
# Causal, and no further back than `window - 1`. With fewer queries than keys the queries are
# the last tokens, as in `causal_mask`. A `window` below 1, or more queries than keys, is a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "sliding_window_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sliding_window_mask(n_queries, n_keys, window):
    """Let every token see itself and the window - 1 tokens before it.

    Args:
        n_queries: number of queries; they are the last tokens of the n_keys.
        n_keys: number of keys.
        window: how many tokens a token sees, itself included.

    Returns:
        mask, boolean (n_queries, n_keys), True = may attend.

    Raises:
        ValueError: window is below 1, or there are more queries than keys.
    """
    ### BEGIN SOLUTION
    if window < 1 or n_queries > n_keys:
        raise ValueError(f"no window of {window} for {n_queries} queries and {n_keys} keys")
    i = torch.arange(n_keys - n_queries, n_keys)[:, None]  # positions of the queries
    j = torch.arange(n_keys)  # positions of the keys
    return (j <= i) & (j > i - window)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_sliding_window_mask", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(sliding_window_mask)
### BEGIN HIDDEN TESTS
check(sliding_window_mask, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Now let your model read 512 characters of held-out text, four times as many as it was trained on: seeing all of them,
# through a window of 64, and through the same window with the first four characters always in view.


# %%
@torch.no_grad()
def bits_by_place(model, mask, n=512, step=64):
    """Mean bits for a character, for each step of places, over 24 pieces of held-out text."""
    ids = torch.from_numpy(text.ids()[1].copy()).to(device())
    starts = torch.linspace(0, len(ids) - n - 2, 24).long()
    pieces = torch.stack([ids[s : s + n + 1] for s in starts])
    x, positions = model.embedding(pieces[:, :-1]), torch.arange(n, device=ids.device)
    for layer in model.layers:
        x, _ = layer(x, positions, mask.to(ids.device))
    losses = F.cross_entropy(model.head(model.norm(x)).transpose(1, 2), pieces[:, 1:], reduction="none")
    return [part.mean().item() / math.log(2) for part in losses.split(step, dim=1)]


if run.model is not None:
    with plots.demonstration("sliding_window_mask", "DecoderBlock"):
        near = sliding_window_mask(512, 512, 64)
        first_four = causal_mask(512) & (torch.arange(512) < 4)
        curves = {
            "sees everything": bits_by_place(run.model, causal_mask(512)),
            "a window of 64": bits_by_place(run.model, near),
            "the window and the first 4": bits_by_place(run.model, near | first_four),
        }
        plots.show(figures.bits_by_place(curves, 64, text.CONTEXT))

# %% [markdown]
# Seeing everything, your model falls apart beyond 128; with the window it goes on as if nothing were.
#
# **Attention sinks.** Large models behave otherwise. Guangxuan Xiao and others found in 2023 that they fall apart as
# soon as the window leaves the **first tokens** behind, and recover when the first four stay in view. The reason is the
# softmax: weights must add up to 1, and a head that finds nothing worth looking at has to put them somewhere. The first
# token is always there, so heads learn to pour their weight into it, like water into a sink. Without it, the water
# floods everything else.
#
# Your model has no such sink, as the curve shows: it learned from pieces cut out anywhere, and has only three layers.
# There the first four even do harm, because they are seen from distances that it was never trained for. (The paper
# counts positions inside the cache to avoid that.) How much weight does each head give to the first token? Count:

# %%
if run.model is not None:
    with plots.demonstration("LanguageModel"):
        ids = torch.tensor([text.ids_of(library.held_out[:100])], device=device())
        for number, layer in enumerate(figures.weights_of(run.model, ids)):
            shares = ", ".join(f"head {h}: {figures.habits(one)['the first']:.0%}" for h, one in enumerate(layer))
            print(f"layer {number}, weight on the first of 100 characters: {shares}")

# %% [markdown]
# ## 8 · Looking inside
#
# Each map is a head of your model over a line: the row asks, the columns are looked at. The title says what the head
# prefers: itself, the character one back, or the first of the line. Type a sentence of your own.

# %%
if run.model is not None:

    def look(sentence, layer):
        line = text.plain(sentence).replace("\n", " ")[:40]
        if len(line) < 3:
            return "Type at least three characters and press Enter."
        ids = torch.tensor([text.ids_of(line)], device=device())
        weights = figures.weights_of(run.model, ids)[layer]
        return figures.heads(weights, line, f"Layer {layer}: what each head looks at")

    with plots.demonstration("LanguageModel"):
        last = len(run.model.layers) - 1
        plots.explore(look, start={"layer": last}, sentence="An exception is raised.", layer=range(last + 1))

# %% [markdown]
# **And without positions?** The same blocks, but every token stands at position 0, so nothing is turned. Before you run
# it: can it still tell *dog* from *god*? *(Half a minute: 200 steps, a third of what your model had.)*


# %%
def make_nowhere():
    class Nowhere(DecoderBlock):
        """A block for which all tokens stand at one place."""

        def forward(self, x, positions, mask=None, cache=None):
            return super().forward(x, torch.zeros_like(positions), mask, cache)

    model = LanguageModel(**text.LANGUAGE_MODEL)
    sizes = [text.LANGUAGE_MODEL[name] for name in ("d_model", "n_heads", "n_kv_heads", "d_ff")]
    model.layers = nn.ModuleList(Nowhere(*sizes) for _ in model.layers)
    return model


without = Training(make_nowhere, language_step, steps=200, rate=5e-3, seed=SEED)
without.go()

# %%
if without.model is not None and len(run.losses) >= 200:
    with plots.demonstration("LanguageModel"):
        share = Counter(zip(library.learned, library.learned[1:]))
        first = Counter(library.learned)
        pairs_seen = zip(library.held_out, library.held_out[1:])
        costs = [-math.log2((share[a, b] + 0.1) / (first[a] + 9.6)) for a, b in pairs_seen]
        for name, losses in {"with positions": run.losses, "without positions": without.losses}.items():
            print(f"{name:18} steps 150 to 200: {sum(losses[150:200]) / 50 / math.log(2):.2f} bits for a character")
        print(f"without positions  held out:         {bits_of(without.model):.2f}")
        print(f"a table of pairs   held out:         {sum(costs) / len(costs):.2f}")

# %% [markdown]
# Without positions it gets hardly further than the last line: a table that knows which character follows which. The
# newest character it knows, because that one asks; all before it are a bag of characters in which *dog* and *god* are
# the same. Large models trained for long do learn without positions, because the **mask** gives order away: the first
# token sees one key, the second two (Kazemnejad and others, 2023). In 200 steps nothing of that is found.

# %% [markdown]
# ## 9 · What it costs, and what was tried since
#
# **Latent attention.** Grouped queries keep fewer heads. DeepSeek-V2 (2024) keeps **one short vector** for each token
# instead, from which the keys and values of all heads are made when they are needed. The cache for the model of unit 8
# (36 layers, width 128 a head, two bytes a number), with 512 numbers for the vector and 64 for one turned key that all
# heads share:

# %%
if plots.drawing():
    lengths = [0, 8192, 16384, 24576, 32768]
    kept = {"32 heads": 2 * 32 * 128, "8 heads": 2 * 8 * 128, "1 head": 2 * 128, "latent, 512 + 64": 576}
    plots.show(
        figures.caches(lengths, {name: [36 * size * 2 * n / 2**30 for n in lengths] for name, size in kept.items()})
    )

# %% [markdown]
# *Extra.* Latent attention in ten lines, without its turned part. Read them: `c` is all that is kept. The trick is that
# keys need not be made at all: $q \cdot (W_k c) = (W_k^\top q) \cdot c$, so the query can be brought to the latent side
# instead.

# %%
if plots.drawing():
    torch.manual_seed(0)
    n, d_model, h, d_k, r = 10, 64, 8, 8, 12
    x = torch.randn(n, d_model)
    W_down, W_q = torch.randn(d_model, r) / 8, torch.randn(h, d_model, d_k) / 8
    W_k, W_v = torch.randn(h, r, d_k) / 3, torch.randn(h, r, d_k) / 3
    c = x @ W_down  # (n, r): the cache
    q = x @ W_q  # (h, n, d_k)
    mask = causal_mask(n)
    made = F.scaled_dot_product_attention(q, c @ W_k, c @ W_v, attn_mask=mask)  # keys and values made for all heads
    scores = (q @ W_k.transpose(1, 2)) @ c.T / math.sqrt(d_k)  # (h, n, n), straight from c
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    absorbed = (weights @ c) @ W_v  # (h, n, d_k)
    print(
        f"kept for a token: {r} numbers instead of {2 * h * d_k}; largest difference {(made - absorbed).abs().max():.0e}"
    )

# %% [markdown]
# **Blocked attention needs a way back of its own.** In unit 8 `online_softmax_attention` never held the $n \times n$
# scores. But when gradients are recorded, torch keeps what each block made, because the way back needs it, and all
# blocks together are $n \times n$ again. FlashAttention throws the blocks away and **computes them a second time**. It
# needs one number for each query to do so: the logarithm of the softmax's denominator.
#
# *Extra.* That is an `autograd.Function`: you say what to keep, and how the gradients are computed from it.


# %%
class Blocked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, Q, K, V, size):
        largest = Q.new_full((len(Q), 1), -math.inf)
        total, output = torch.zeros_like(largest), Q.new_zeros(len(Q), V.shape[-1])
        for start in range(0, len(K), size):
            scores = Q @ K[start : start + size].T / math.sqrt(Q.shape[-1])
            new = torch.maximum(largest, scores.amax(-1, keepdim=True))
            p, fade = torch.exp(scores - new), torch.exp(largest - new)
            total, output, largest = (
                fade * total + p.sum(-1, keepdim=True),
                fade * output + p @ V[start : start + size],
                new,
            )
        ctx.save_for_backward(Q, K, V, output / total, largest + total.log())
        ctx.size = size
        return output / total

    @staticmethod
    def backward(ctx, d_output):
        Q, K, V, output, log_total = ctx.saved_tensors
        scale = 1 / math.sqrt(Q.shape[-1])
        dQ, dK, dV = torch.zeros_like(Q), torch.zeros_like(K), torch.zeros_like(V)
        along = (d_output * output).sum(-1, keepdim=True)  # what the softmax subtracts (unit 2's Jacobian)
        for start in range(0, len(K), ctx.size):
            block = slice(start, start + ctx.size)
            p = torch.exp(Q @ K[block].T * scale - log_total)  # the weights, computed a second time
            d_scores = p * (d_output @ V[block].T - along) * scale
            dV[block], dK[block] = p.T @ d_output, d_scores.T @ Q
            dQ += d_scores @ K[block]
        return dQ, dK, dV, None


def way_there_and_back(attention, n):
    """Peak of new memory in MiB, seconds, and the gradients."""
    torch.manual_seed(0)
    Q, K, V = (torch.randn(n, 32, requires_grad=True) for _ in range(3))
    started = time.perf_counter()
    with Peak() as peak:
        attention(Q, K, V).square().sum().backward()
    return peak.bytes / 2**20, time.perf_counter() - started, Q.grad


if plots.drawing():
    ways = {
        "full": lambda Q, K, V: torch.softmax(Q @ K.T / math.sqrt(32), dim=-1) @ V,
        "blocked, torch's way back": lambda Q, K, V: online_softmax_attention(Q, K, V, 128),
        "blocked, computed again": lambda Q, K, V: Blocked.apply(Q, K, V, 128),
    }
    gradients = []
    for name, way in ways.items():
        mebibytes, took, gradient = way_there_and_back(way, 3000)
        gradients.append(gradient)
        print(f"{name:26} {mebibytes:7.1f} MiB  {took:.2f} s")
    print(f"largest difference of the gradients: {max((g - gradients[0]).abs().max() for g in gradients):.0e}")

# %% [markdown]
# Four more ideas, each in a paragraph.
#
# **Mixture of experts.** Instead of one feed-forward net a layer has many, say 64, and a small linear layer picks a few
# of them for each token. All have to be stored, but only a few are computed: a model with 200 billion weights may use
# 20 billion for a token. It pays when memory is cheaper than arithmetic. The price: tokens must be spread evenly over
# the experts, which needs an extra loss or a correction, and every expert must lie in memory although most rest.
#
# **Linear attention.** Replace the softmax by a product of features, $\phi(q) \cdot \phi(k)$. Then
# $\sum_j \phi(k_j) v_j^\top$ can be summed up once and carried along, a matrix of fixed size: time like $n$, and no
# growing cache. But a fixed size holds a fixed amount, and looking up an exact word far back goes wrong. Mamba and its
# relatives are of this family. Several models of today mix: a few layers of full attention, many of the linear kind.
#
# **Speculative decoding.** A pass over one token uses the processor badly: all weights are read for a single row. So a
# small model guesses the next five tokens, and the large one checks all five in **one** pass, side by side. What it
# would have drawn itself is kept; at the first disagreement it is corrected. By the right rule of acceptance the result
# has exactly the large model's distribution. It gains two to three times when the guesses are good, and nothing when
# they are not.
#
# **Paged caches.** A server writes a hundred texts at once and does not know how long each will be. If it reserves the
# longest for all, most of the memory stands empty. vLLM (2023) cuts the cache into pages of 16 tokens, hands them out
# as they are needed, and lets texts with the same beginning share pages. Nothing about the mathematics changes: it is
# bookkeeping, and it made servers two to four times as productive.

# %% [markdown] nbgrader={"grade": true, "grade_id": "what_was_left_out", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `what_was_left_out` · question, 2 points
#
# *Core, about 15 minutes.*
#
# Name three things that a decoder-only model leaves out of the
# machine of 2017. For each, say what did its work there and what, if anything, does that work now. Then say what the
# decoder alone **pays** for having no encoder: what could the encoder do that it cannot?
#
# ### BEGIN SOLUTION
# *Model answer.* The **encoder** read the source; now the prompt is read by the same layers that write, as the
# beginning of one text. **Cross attention** let each target token look at the source; masked self-attention does that
# too, because the source stands in the same text, before it. The **added sines and cosines** told each token where it
# stands; rotary positions turn queries and keys in every layer, so that scores depend on distances. (Also: **biases**
# and the **mean in the norm**, whose work nobody missed; the **ReLU net**, whose place a gated one takes.) What is
# paid: the mask. In an encoder every source token sees the tokens before **and after** it; in a decoder alone a token
# of the prompt is read before its continuation is known, and its keys and values are never changed afterwards. And
# prompt and answer share one cache and one attention that grows with both, where the encoder's memory was computed
# once. What is gained is one stack that can be trained on any text, at every place, without pairs.
#
# *Marking guide.* 2 points: one for three parts (encoder, cross attention, sines and cosines, biases, layer norm or its
# mean, ReLU net) each with what it did **and** what does that now or why nothing has to; half a point if one of the
# three is missing or its replacement is wrong. One for the price: the prompt is read under a causal mask, so that no
# token sees what comes after it (half a point for "it has to be longer" or "the cache grows" alone). Claiming that a
# decoder alone cannot read the prompt, or that it has no attention to it, loses that point.
# ### END SOLUTION

# %% [markdown]
# ## What you have now
#
# - A language model of today's design, every line of which you have written or could have written, trained by you,
#   better than zlib at knowing what comes next.
# - The cache makes a token cost one row; pieces, the whole and single tokens give the same logits.
# - Temperature, top-k and top-p are three cuts of one distribution, in this order.
# - A window keeps distances small and the cache short.
# - Sinks, latent attention, experts, pages: you can read the papers now.
#
# **How to hand in.** Save the notebook, run *Validate* (it trains nothing, and uses your saved weights), and submit it
# as unit 0 shows. `weights.safetensors` has to lie beside the notebook; submitting takes it along.

# %% [markdown]
# ## Sources
#
# - Vaswani and others (2017): *Attention Is All You Need*.
# - Radford and others (2019): *Language Models are Unsupervised Multitask Learners*. A decoder alone.
# - Touvron and others (2023): *LLaMA: Open and Efficient Foundation Language Models*. This block.
# - Shazeer (2020): *GLU Variants Improve Transformer*. The gate.
# - Sennrich, Haddow and Birch (2016): *Neural Machine Translation of Rare Words with Subword Units*. Byte-pair
#   encoding.
# - Fan, Lewis and Dauphin (2018): *Hierarchical Neural Story Generation*. Top-k.
# - Holtzman and others (2020): *The Curious Case of Neural Text Degeneration*. Top-p.
# - Beltagy, Peters and Cohan (2020): *Longformer: The Long-Document Transformer*. Windows.
# - Xiao and others (2023): *Efficient Streaming Language Models with Attention Sinks*.
# - DeepSeek-AI (2024): *DeepSeek-V2: A Strong, Economical, and Efficient Mixture-of-Experts Language Model*. Latent
#   attention, experts.
# - Dao and others (2022): *FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness*.
# - Katharopoulos and others (2020): *Transformers are RNNs: Fast Autoregressive Transformers with Linear Attention*.
# - Gu and Dao (2023): *Mamba: Linear-Time Sequence Modeling with Selective State Spaces*.
# - Leviathan, Kalman and Matias (2023): *Fast Inference from Transformers via Speculative Decoding*.
# - Kwon and others (2023): *Efficient Memory Management for Large Language Model Serving with PagedAttention*.
# - Kazemnejad and others (2023): *The Impact of Positional Encoding on Length Generalization in Transformers*. A
#   decoder without positions.

# %%
from helpers import progress

progress("u9")
