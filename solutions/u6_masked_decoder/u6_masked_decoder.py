# %% [markdown]
# # Unit 6 · Not looking ahead, looking across, predicting
#
# The encoder of unit 5 reads a sentence that is already there. The **decoder** writes one that is not: word by word, and while it learns, it must not
# peek at the word it is about to write. In this unit you build everything the decoder has that the encoder has not.
#
# | you will write | what it is for | minutes |
# |---|---|---|
# | `causal_mask`, `padding_mask` | say who may look where: not ahead, not at padding | 20 |
# | `masked_attention` | attention that obeys them | 15 |
# | `DecoderLayer` | looks at its own words, then across to the encoder's | 20 |
# | `where_queries_come_from` | in your own words: who asks and who answers in the three attentions | 10 |
# | `shift_right`, `cross_entropy` | how a decoder is taught: what it reads, and what its guesses cost | 25 |
# | `greedy_decode` | how it writes when nobody tells it the answer | 15 |
#
# In unit 7 these pieces become a whole Transformer that translates.
#
# All that you write here is torch. `MultiHeadAttention` of unit 4 and `FeedForward` of unit 5 are imported below, in case yours are not finished.

# %% nbgrader={"grade": false, "grade_id": "u6_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from helpers import check, hint, plots
from helpers.plots import u6_masked_decoder as figures
from helpers.reference.u4_multi_head import MultiHeadAttention
from helpers.reference.u5_add_and_norm import FeedForward

torch.set_num_threads(1)  # our tensors are tiny: a second thread would only wait for the first

# %% [markdown]
# ## 1 · What can each word see?
#
# A decoder is trained on finished sentences: at *eat* it has to guess *a*, at *a* it has to guess *burger*. All of these guesses are made at once, in one
# pass over the sentence. So the answer to every guess lies right there, one place to the right, and attention reaches every place. Someone has to hold a
# hand over it: **each word sees itself and what came before, and nothing that comes after.**

# %%
words = "tonight we eat a burger".split()
plots.show(figures.views(words))

# %% [markdown]
# Written down, this is a **mask**: a table of booleans with a row for each word that looks (a query) and a column for each word that may be looked at (a
# key). For three words:
#
# | query ↓ key → | tonight | we | eat |
# |---|---|---|---|
# | tonight | **True** | False | False |
# | we | **True** | **True** | False |
# | eat | **True** | **True** | **True** |
#
# `True` means **may attend**, everywhere in this course, as in `torch.nn.functional.scaled_dot_product_attention`. (Take care when you read other code:
# in `nn.MultiheadAttention` True means the opposite, *forbidden*.) This one is called the **causal mask**, because no effect comes before its cause.
#
# Sometimes only the end of a sentence asks. While writing, the decoder has $n_k$ words but wants the outputs of the newest $n_q$ only. The rows of such a
# mask are the **last** rows of the whole one: the very last query still sees everything. (In the
# pictures, blue with a dot is True.)

# %%
plots.show(figures.last_words(words, 2))

# %% [markdown]
# ### `causal_mask` · exercise, 2 points
# *Core, about 10 minutes.*
#
# Return the mask for `n_queries` words that look at `n_keys` words; without `n_keys` there are as many keys as
# queries. More queries than keys make no sense: raise a `ValueError`.
#
# For your toolbox: `torch.arange(4)` counts 0, 1, 2, 3, and a column compared with a row, as in `a[:, None] < b`, gives a whole table of booleans.


# %% nbgrader={"grade": false, "grade_id": "causal_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def causal_mask(n_queries, n_keys=None):
    """Who may look where without looking ahead: query i may see key j when j is not after it.

    Args:
        n_queries: number of queries, at least 1; they are the last ones of the keys.
        n_keys: number of keys; None means n_queries.

    Returns:
        boolean tensor (n_queries, n_keys), True = may attend.

    Raises:
        ValueError: there are more queries than keys.
    """
    ### BEGIN SOLUTION
    if n_keys is None:
        n_keys = n_queries
    if n_queries > n_keys:
        raise ValueError(f"{n_queries} queries cannot be the last tokens of {n_keys} keys")
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_causal_mask", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(causal_mask)
### BEGIN HIDDEN TESTS
check(causal_mask, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Padding is not a word
#
# Sentences in a batch have different lengths, and a tensor has only one. So the short ones are filled up with a token `<pad>` that means nothing:
#
# | sentence | 0 | 1 | 2 | 3 | length |
# |---|---|---|---|---|---|
# | 0 | we | eat | a | burger | 4 |
# | 1 | we | eat | `<pad>` | `<pad>` | 2 |
#
# Nobody may look at `<pad>`, so it is **keys** that have to be hidden. Position $j$ of sentence $b$ is a real word when $j <$ `lengths[b]`:
#
# | position $j$ | 0 | 1 | 2 | 3 |
# |---|---|---|---|---|
# | $j < 4$ | True | True | True | True |
# | $j < 2$ | True | True | False | False |
#
# The scores that this has to fit are `(batch, h, n_q, n_k)`: a number for each sentence, head, query and key. The mask is the same for all heads and all
# queries, so it gets the shape **`(batch, 1, 1, n_keys)`**, and broadcasting does the rest. Without the two axes of length 1, torch would line up the batch
# with the queries: an error if you are lucky, the wrong words hidden if both numbers happen to be equal.
#
# ### `padding_mask` · exercise, 2 points
# *Core, about 10 minutes.*
#
# Return that mask for a batch of sentences. A length below 0 or above `n_keys` is a `ValueError`; a length of 0 is allowed (an empty sentence).


# %% nbgrader={"grade": false, "grade_id": "padding_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def padding_mask(lengths, n_keys):
    """Hide the padding: key j of sentence b may be seen when j < lengths[b].

    Args:
        lengths: tensor of whole numbers (batch,), the number of real words in each sentence.
        n_keys: width of the padded batch.

    Returns:
        boolean tensor (batch, 1, 1, n_keys), True = may attend.

    Raises:
        ValueError: a length is below 0 or above n_keys.
    """
    ### BEGIN SOLUTION
    if ((lengths < 0) | (lengths > n_keys)).any():
        raise ValueError(f"the lengths {lengths.tolist()} are not all between 0 and {n_keys}")
    return torch.arange(n_keys) < lengths[:, None, None, None]  # (batch, 1, 1, n_keys)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_padding_mask", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(padding_mask)
### BEGIN HIDDEN TESTS
check(padding_mask, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# A decoder that works on a padded batch needs both: look only where the causal mask **and** the padding mask allow it. For booleans that is `&`, and the
# shapes broadcast: `(n_q, n_k)` with `(batch, 1, 1, n_k)` gives `(batch, 1, n_q, n_k)`. Here for the short sentence,
# with the one row of its padding mask drawn for each query:

# %%
plots.show(figures.both_masks(["we", "eat", "<pad>", "<pad>"], 2))

# %% [markdown]
# The rows of `<pad>` still look at something. That is harmless: what comes out of them is never used, and section 6 leaves them out of the loss.
#
# The next cell shows what *your* two masks make together, for both sentences.

# %%
with plots.demonstration("causal_mask", "padding_mask"):
    both = causal_mask(4) & padding_mask(torch.tensor([4, 2]), 4)
    print("shape:", tuple(both.shape))
    sentences = ["we eat a burger".split(), ["we", "eat", "<pad>", "<pad>"]]
    plots.show(
        figures.masks(
            [(mask[0], s, s, f"your masks, sentence {b}") for b, (mask, s) in enumerate(zip(both, sentences))]
        )
    )

# %% [markdown]
# ## 3 · Attention that obeys
#
# The mask has to act on the **scores**, before the softmax. A score of $-\infty$ becomes $e^{-\infty} = 0$, so the word gets no weight, and the softmax
# shares the whole weight of 1 among the words that are left. Say *eat* has the scores 1, 0, 2, 1.5, 3 and may see only the first three:
#
# | key | tonight | we | eat | a | burger | sum |
# |---|---|---|---|---|---|---|
# | score | 1 | 0 | 2 | −∞ | −∞ | |
# | $e^{\text{score}}$ | 2.718 | 1 | 7.389 | 0 | 0 | 11.107 |
# | weight | 0.245 | 0.090 | 0.665 | 0 | 0 | 1 |

# %%
plots.show(figures.one_row(words, [1, 0, 2, 1.5, 3], [True, True, True, False, False], "eat"))

# %% [markdown]
# Two things go wrong in practice.
#
# **A fill that is not low enough.** Many programs write a large negative number instead of $-\infty$. But a softmax only compares: if the visible words
# score lower than the fill, the hidden one wins. −20 is a score that a trained model reaches. $-10^9$ is safe in float32, and so are $-\infty$ and the
# most negative number there is, `torch.finfo(scores.dtype).min`.

# %%
plots.show(figures.leaking_fills())

# %% [markdown]
# **A row in which everything is hidden**, as with an empty sentence. With $-\infty$ everywhere the softmax divides 0 by 0 and gives NaN, which spreads
# through the whole network. With $-10^9$ everywhere all scores are equal, and the row attends to everything alike, padding too. Neither is right:
# **who may see nothing has zero weights**, and so a zero output. Its gradients must be no NaN either. They are when $-\infty$ is *added* to the scores,
# even if the NaN is repaired after the softmax: the way back goes through it all the same. (Filling in $-\infty$ with `masked_fill` happens to cut that way.)
# It is safer never to make a NaN.
#
# ### `masked_attention` · exercise, 3 points
# *Core, about 15 minutes.*
#
# Scaled dot-product attention as in unit 2, with a mask. `torch.softmax` is welcome, torch's ready-made `scaled_dot_product_attention` is not. From unit 4
# you know `scores.masked_fill(where, number)`: a new tensor with the number wherever `where` is True; `~mask` turns a mask around.


# %% nbgrader={"grade": false, "grade_id": "masked_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_attention(Q, K, V, mask):
    """softmax(Q Kᵀ / √d_k, hidden scores at -∞) V.

    Args:
        Q: queries, tensor (..., n_q, d_k).
        K: keys, tensor (..., n_k, d_k).
        V: values, tensor (..., n_k, d_v).
        mask: boolean tensor that broadcasts to (..., n_q, n_k), True = may attend.

    Returns:
        output (..., n_q, d_v) and weights (..., n_q, n_k); a query that may see nothing has zero weights.
    """
    ### BEGIN SOLUTION
    scores = Q @ K.transpose(-2, -1) / Q.shape[-1] ** 0.5  # (..., n_q, n_k)
    # A finite fill keeps an empty row free of NaN, on the way back too; the second fill makes its weights zero.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1).masked_fill(~mask, 0.0)
    return weights @ V, weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_masked_attention", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(masked_attention)
### BEGIN HIDDEN TESTS
check(masked_attention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of `masked_attention`. A mask that hides nothing tells little: hide something, hide it for one query only, hide a
# whole row, give two sentences masks of their own, let a hidden word score much higher than the visible ones.

# %%
from helpers import catch

catch(
    "masked_attention",
    torch.randn(2, 4),  # Q: 2 queries
    torch.randn(3, 4),  # K: 3 keys
    torch.randn(3, 5),  # V
    torch.ones(2, 3, dtype=torch.bool),  # the mask
)

# %% [markdown]
# ## 4 · What a leak does
#
# Is it so bad to mask *after* the softmax, by setting the hidden weights to 0? Take one attention, change one word, and see which outputs move. What
# moves above the orange line has seen its future. (Words and projections are random numbers, the same in all three pictures.)

# %%
plots.show(figures.leaks(words))

# %% [markdown]
# The late mask leaks through the **sum**: the softmax has divided by a total that includes the hidden words, so how much weight is *left* tells something
# about them. That looks like little. Training finds it.
#
# The next cell trains three small decoders that differ in nothing but the mask. Their sentences count up, `3 4 5 6 ...` (after 9 comes 0), but every
# fourth step or so slips to a random digit, which nobody can foresee. The **loss** (section 6) is low where the right next digit was given a high probability. Because of the slips, and
# because the first digit may be any, there is a loss that no honest model can beat: the dotted line.

# %%
models = figures.train_cheaters()  # a few seconds
plots.show(None if models is None else figures.cheaters(models))

# %% [markdown]
# The two cheaters look far better in training. They have learned one thing: *read the answer from the next place*. When they write on their own there is
# no next place, and they are lost, although the rule is as easy as counting. You can see the habit in their weights:

# %%
plots.show(None if models is None else figures.cheaters_look(models))

# %% [markdown]
# Without a mask each place looks straight at the digit that it has to say. (Only the last place cannot: its digit is not among the inputs.) With the late mask the hidden weights are 0 as they
# should be, and yet the answer comes through. How?
# Almost all of the weight that is left lies on `<s>`, in the first column, and the rows no longer sum to 1. `<s>` says the same thing in every sentence, so it carries no news; **how much**
# weight is left on it does. The softmax divided by a total in which the digit to be said took part, and each head gives each digit a share of its own. The last panel shows it for $d_4$: two heads
# leave two numbers on `<s>`, and from that pair the next layer can read which digit comes. (The dots are means over many sentences. From sentence to sentence the two numbers vary, and the digit
# decides about 95 % of their variance.)
#
# Keep this for your own work: **a training loss that is too good is a reason to look at the mask**, and "change a later word, nothing earlier may move" is
# a test that you can run on any model.

# %% [markdown]
# ## 5 · Looking across
#
# A translator has a second thing to look at: the source sentence. The encoder has turned it into one vector for each source word, the **memory**. So a
# decoder layer has two attentions.
#
# * **Masked self-attention**: queries, keys and values all come from the decoder's own words below.
# * **Cross attention**: the **queries come from below**, from the decoder; the **keys and values come from the encoder's memory**.
#
# Unit 1 had the rule for this: whoever is to be renewed asks. The decoder's word is renewed, so it supplies the query. The encoder's words answer.

# %%
plots.show(figures.three_attentions())

# %% [markdown]
# The two sentences need not be equally long: with $n_t$ words written and $n_s$ source words, the weights of the cross attention are $(n_t, n_s)$. There is
# no causal mask here, for the source is finished and may be read to its end; only its padding is hidden.
#
# A toy example, with four features that can be read as *person*, *action*, *article* and *thing*. We set the keys and queries by hand: the keys describe the source words, and each
# target word asks for what has to be written next. After *mangeons* that is an article, *un*. Whether it is *un* or *une* depends on the thing, so *mangeons* asks a little for that too:

# %%
source, target = ["we", "eat", "a", "burger"], ["<s>", "nous", "mangeons"]
K = torch.tensor([[4.0, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 1], [0, 0, 1, 4]])  # (4, 4): keys of the source words
Q = torch.tensor(
    [[2.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 1]]
)  # (3, 4): person? action? article, and a little of thing?
weights = torch.softmax(Q @ K.T / 4**0.5, dim=-1)  # (3, 4)
plots.show(
    figures.across(weights.numpy(), target, source, "Each target word looks at the source word that it needs next")
)

# %% [markdown]
# Together with the feed-forward net that makes three sublayers, each with the add & norm of unit 5, after the sum (post-norm) or before the sublayer
# (pre-norm):

# %%
plots.show(figures.decoder_layers())

# %% [markdown]
# ### `DecoderLayer` · exercise, 4 points
# *Core, about 20 minutes.*
#
# Give the parts exactly these names: `self_attention` and `cross_attention` (`MultiHeadAttention(d_model, n_heads)`, which has biases),
# `feed_forward` (`FeedForward(d_model, d_ff)`), `norm_1`, `norm_2`, `norm_3` (`nn.LayerNorm(d_model)`). No dropout. A `MultiHeadAttention` is called with
# `(query, key, value, mask)` and returns two results, `output, weights`. The memory is never normalised here.


# %% nbgrader={"grade": false, "grade_id": "DecoderLayer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DecoderLayer(nn.Module):
    """Masked self-attention, cross attention to the memory, feed-forward net, each with add & norm.

    Post-norm: x = norm(x + sublayer(x)). Pre-norm (norm_first): x = x + sublayer(norm(x)).
    """

    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__()
        ### BEGIN SOLUTION
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1 = nn.LayerNorm(d_model)
        self.norm_2 = nn.LayerNorm(d_model)
        self.norm_3 = nn.LayerNorm(d_model)
        ### END SOLUTION

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        """x (..., n_t, d_model), memory (..., n_s, d_model), masks for the two attentions -> x (..., n_t, d_model)."""
        ### BEGIN SOLUTION
        if self.norm_first:
            y = self.norm_1(x)
            x = x + self.self_attention(y, y, y, self_mask)[0]
            x = x + self.cross_attention(self.norm_2(x), memory, memory, memory_mask)[0]
            return x + self.feed_forward(self.norm_3(x))
        x = self.norm_1(x + self.self_attention(x, x, x, self_mask)[0])
        x = self.norm_2(x + self.cross_attention(x, memory, memory, memory_mask)[0])
        return self.norm_3(x + self.feed_forward(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_DecoderLayer", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(DecoderLayer)
### BEGIN HIDDEN TESTS
check(DecoderLayer, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Now the test of section 4 on your own layer: five words, of which the one at place 3 is changed. Places 0 to 2 may not move.

# %%
with plots.demonstration("causal_mask", "DecoderLayer"):
    torch.manual_seed(0)
    layer = DecoderLayer(8, 2, 16)
    x, memory = torch.randn(5, 8), torch.randn(3, 8)
    changed = x.clone()
    changed[3] = torch.randn(8)
    with torch.no_grad():
        before, after = layer(x, memory, causal_mask(5)), layer(changed, memory, causal_mask(5))
    for word, moved in zip(words, (after - before).abs().amax(-1).tolist()):
        print(f"{word:>8} {'(changed)' if word == words[3] else '':9} output moved by {moved:.2f}")

# %% [markdown] nbgrader={"grade": true, "grade_id": "where_queries_come_from", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `where_queries_come_from` · question, 2 points
# *Core, about 10 minutes.*
#
# A Transformer has three kinds of attention: in the encoder, masked in the decoder, and across. Where do Q, K and V come from in
# each of them? And why would it make no sense to take the queries of the cross attention from the encoder, and its keys and values from the decoder?
#
# ### BEGIN SOLUTION
# *Model answer.* In the encoder's self-attention Q, K and V are all made from the source words, from the layer below in the encoder. In the decoder's
# masked self-attention all three are made from the target words written so far, from the layer below in the decoder; the mask hides later words. In the
# cross attention Q is made from the decoder's words, and K and V from the encoder's output, the memory.
#
# The output of an attention has one row for each query: whoever asks is renewed. The decoder wants its own words renewed with what the source says, one
# vector for each target word, to which the residual is added and from which the next word is predicted. With the roles exchanged the result would have one
# row for each source word: of the wrong length for the residual, with nothing to predict the next target word from, and the source would be rewritten by a
# translation that does not exist yet.
#
# *Marking guide.* 2 points: one for the three sources (encoder: all from the source; masked: all from the target so far; cross: Q from the decoder, K and V
# from the encoder); half of it when one of the three is wrong. One for the reason: the query is what gets renewed, so the output has one row for each
# query, and that must be the decoder's words. "The shapes would not fit" alone earns half of this point.
# ### END SOLUTION

# %% [markdown]
# ## 6 · Guessing the next word
#
# What leaves the last decoder layer is a vector for each place, of width $d_{\text{model}}$. Three steps make a guess of it.
#
# 1. **A final linear layer** with one column for each word of the vocabulary: the dot product of $x$ with each column. That gives each word one score, its **logit**.
# 2. **A softmax** turns the logits into probabilities.
# 3. **The cross entropy** says how bad that guess was, once we know the right word.
#
# Nothing in this belongs to language: with ten columns, one for each digit, the same three steps tell handwritten digits apart. You will do both in unit 7.

# %%
vocabulary = ["</s>", "nous", "mangeons", "un", "burger"]
x = np.array([1.0, -0.5, 2.0])  # one decoder output, d_model = 3, after "<s> nous mangeons"
W = np.array(
    [[0.2, -1.0, 0.4, 1.0, 0.6], [0.6, 1.2, 1.0, -0.8, 0.2], [-0.6, 0.1, -0.9, 0.8, 0.5]]
)  # (d_model, vocabulary)
plots.show(figures.final_layer(x, W, vocabulary))

# %% [markdown]
# ### Teacher forcing: the shift by one
#
# While it learns, the decoder does not read its own guesses, which are nonsense at first. It reads the **right** words, as if a teacher corrected each
# guess before the next one: *teacher forcing*. To predict word $i$ it reads the words before $i$. So its input is the target, moved one place to the
# right, with a token `<s>` (*begin of sentence*, bos) to start from, and the last target is `</s>` (*end of sentence*, eos):
#
# | place | 0 | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|---|
# | **input**: reads | `<s>` | nous | mangeons | un | burger |
# | **target**: should say | nous | mangeons | un | burger | `</s>` |

# %%
targets = ["nous", "mangeons", "un", "burger", "</s>"]
plots.show(figures.teacher_forcing(["<s>", *targets[:4]], targets))

# %% [markdown]
# Shift and causal mask belong together. Without the shift, place $i$ would *read* the word it has to say; shifted twice, it would have to say the word
# after next.
#
# ### `shift_right` · exercise, 1 point
# *Core, about 5 minutes.*
#
# For the ids of the targets return the ids of the input: `[7, 8, 9, 4]` with bos 1 becomes `[1, 7, 8, 9]`, and a batch
# of sentences likewise. Leave `targets` as it is. (`torch.cat([a, b], dim=-1)` puts tensors side by side; `torch.full_like(a, 7)` has the shape and the type of
# `a`, and is full of sevens.)


# %% nbgrader={"grade": false, "grade_id": "shift_right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shift_right(targets, bos_id):
    """What the decoder reads while it is taught the targets: bos, then all targets but the last.

    Args:
        targets: tensor of whole numbers (..., n).
        bos_id: the id of <s>.

    Returns:
        new tensor of whole numbers (..., n).
    """
    ### BEGIN SOLUTION
    begin = torch.full_like(targets[..., :1], bos_id)  # (..., 1)
    return torch.cat([begin, targets[..., :-1]], dim=-1)  # (..., n)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_shift_right", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check(shift_right)
### BEGIN HIDDEN TESTS
check(shift_right, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ### Cross entropy by hand
#
# How bad was a guess? Look at the probability $p$ that it gave to the right word, and take $-\log p$, the **surprise**: 0 when the model was sure of the
# right word, and larger the less it believed in it. Three words, the logits 0, 2, 1, and the right word is *burger*:
#
# | word | nous | un | **burger** | sum |
# |---|---|---|---|---|
# | logit | 0 | 2 | **1** | |
# | $e^{\text{logit}}$ | 1 | 7.389 | **2.718** | 11.107 |
# | probability | 0.090 | 0.665 | **0.245** | 1 |
# | surprise $-\log p$ | | | **1.408** | |
#
# (0.245 is rounded; the surprise is that of 0.24473.)

# %%
plots.show(figures.surprise(["nous", "un", "burger"], [0, 2, 1], 2))

# %% [markdown]
# The loss is the **mean** surprise over all places whose target counts. Padding does not count: its target is a special id, `ignore_index`, and the place
# is left out of the sum **and** out of the number that the sum is divided by.
#
# | place | target | surprise | counts? |
# |---|---|---|---|
# | 0 | burger | 1.408 | yes |
# | 1 | `</s>` | 0.693 | yes |
# | 2 | `<pad>` | 5.2 | no |
#
# Loss: $(1.408 + 0.693) / 2 = 1.050$. For orientation: a model that knows nothing and finds all words of the vocabulary equally probable has the loss
# $\log(\text{vocabulary})$, with ten words 2.303.
#
# One trap: a probability can be too small for a float. Then it becomes 0, and $\log 0 = -\infty$. Take logarithm and softmax in one step,
# $\log p_i = x_i - \log \sum_j e^{x_j}$; `torch.log_softmax` does it safely, and so does `torch.logsumexp`.
#
# ### `cross_entropy` · exercise, 3 points
# *Core, about 20 minutes.*
#
# The loss as one number, for any number of batch axes. When every target is ignored it is 0, and so are its gradients: a 0 computed from the logits, not a new `torch.tensor(0.0)`. torch's own
# `cross_entropy` and `nll_loss` are closed; `log_softmax` is open. To take entry number `i[0]` from the first row of a table `a`, `i[1]` from the second, and
# so on: `a[torch.arange(len(i)), i]`, or `a.gather(-1, i[..., None])` with any number of axes in front. Mind that -100 is no place in a row: what is ignored must not be looked up as it is.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(logits, targets, ignore_index=-100):
    """Mean of -log softmax(logits)[target] over the targets that are not ignore_index.

    Args:
        logits: tensor (..., vocab).
        targets: tensor of whole numbers (...).
        ignore_index: targets of this id do not count.

    Returns:
        the loss, a scalar tensor; 0 when no target counts.
    """
    ### BEGIN SOLUTION
    keep = targets != ignore_index
    log_p = torch.log_softmax(logits, dim=-1)  # (..., vocab)
    # An ignored target may be no index at all, so it looks up entry 0, and what it finds is not counted.
    surprise = -log_p.gather(-1, targets.masked_fill(~keep, 0).unsqueeze(-1)).squeeze(-1)  # (...)
    return surprise.masked_fill(~keep, 0.0).sum() / keep.sum().clamp(min=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_cross_entropy", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(cross_entropy)
### BEGIN HIDDEN TESTS
check(cross_entropy, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 7 · Writing, one word at a time
#
# When the model is used there is no teacher, and no target to shift. It has to read its own words:
#
# 1. Begin with `<s>`.
# 2. Ask the model for the logits of the next word, given **everything so far**.
# 3. Take the most probable word. If it is `</s>`, stop; if not, append it and go on at 2.
#
# Always taking the most probable word is called **greedy**. Here is a model that is small enough to print: its logits depend on the last word alone. (A real
# model looks at all words, so this one, too, is given them all.)

# %%
vocabulary = ["<s>", "</s>", "nous", "mangeons", "un", "burger"]
BOS, EOS = 0, 1
table = torch.tensor(
    [  # <s>  </s>  nous  mang.  un  burger      after:
        [-9.0, -2.0, 3.0, 0.0, 1.5, 0.0],  # <s>
        [-9.0, 3.0, 0.0, 0.0, 0.0, 0.0],  # </s>
        [-9.0, 0.0, -1.0, 2.5, 0.5, 0.0],  # nous
        [-9.0, 1.0, -1.0, -1.0, 2.0, 1.2],  # mangeons
        [-9.0, -1.0, -1.0, 0.5, -2.0, 3.0],  # un
        [-9.0, 2.5, 0.0, -1.0, 0.5, -1.0],  # burger
    ]
)


def toy_model(ids):
    """Logits (6,) of the next word after a list of ids that begins with BOS."""
    return table[ids[-1]]


prefixes = [[0], [0, 2], [0, 2, 3], [0, 2, 3, 4], [0, 2, 3, 4, 5]]
plots.show(
    figures.steps(
        [[vocabulary[i] for i in ids] for ids in prefixes],
        [torch.softmax(toy_model(ids), dim=-1).numpy() for ids in prefixes],
        vocabulary,
        "What is taken in one step is read in the next, until it is </s>",
    )
)

# %% [markdown]
# The sentence that was written is *nous mangeons un burger*, the ids `[2, 3, 4, 5]`. Neither `<s>` nor `</s>` is a part of it: one was given, the other says
# that it is over. A model that never says `</s>` would write forever, so there is a second way to stop: at most `max_length` words.
#
# ### `greedy_decode` · exercise, 3 points
# *Core, about 15 minutes.*
#
# `next_logits` is the model. It wants a plain list of whole numbers that begins with bos, and gives a tensor
# `(vocab,)`. Of equally probable words take the one with the lowest id, as `torch.argmax` does; `.item()` makes a plain number of its result.


# %% nbgrader={"grade": false, "grade_id": "greedy_decode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def greedy_decode(next_logits, bos_id, eos_id, max_length):
    """Write a sentence by taking the most probable next word again and again.

    Args:
        next_logits: the model, called as next_logits(ids) with a list of whole numbers that begins with bos_id;
            it returns the logits of the next word, a tensor (vocab,).
        bos_id: the id of <s>.
        eos_id: the id of </s>.
        max_length: the most ids to write; 0 writes none.

    Returns:
        list of the ids written, without bos and eos.
    """
    ### BEGIN SOLUTION
    written = []
    while len(written) < max_length:
        token = int(torch.argmax(next_logits([bos_id, *written])))
        if token == eos_id:
            break
        written.append(token)
    return written
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_greedy_decode", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(greedy_decode)
### BEGIN HIDDEN TESTS
check(greedy_decode, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Your decoder at work, on the same model with two logits changed: after *mangeons* it now prefers *burger*, and after *burger* it asks for *un*. What will
# it write? Think first, then run the cell. It draws the questions that your function asks, the first seven of them.

# %%
with plots.demonstration("greedy_decode"):
    other = table.clone()
    other[3, 5] = 2.6  # after mangeons: burger rather than un
    other[5, 4] = 2.7  # after burger: un rather than </s>
    asked = []

    def recorded(ids):
        asked.append((list(ids), torch.softmax(other[ids[-1]], dim=-1).numpy()))
        return other[ids[-1]]

    ids = greedy_decode(recorded, BOS, EOS, max_length=6)
    print("written:", " ".join(vocabulary[i] for i in ids))
    plots.show(
        figures.steps(
            [[vocabulary[i] for i in ids] for ids, _ in asked[:7]],
            [p for _, p in asked[:7]],
            vocabulary,
            "Your greedy_decode, step by step",
        )
    )

# %% [markdown]
# Greedy is not always best. It takes the best *next word*, not the best *sentence*. If *un* has the probability 0.6 and its best continuation 0.4, while
# *le* has 0.4 and its best continuation 0.9, then greedy ends with $0.6 \cdot 0.4 = 0.24$ and misses $0.4 \cdot 0.9 = 0.36$. Larger systems keep several
# sentences in the race (*beam search*), or draw the next word at random by its probability. For numbers and short sentences greedy does well, and that is
# all unit 7 needs.
#
# ## What you have now
#
# * A mask says who may look where, **True = may attend**. The causal mask hides the future, the padding mask hides what is no word, and `&` joins them.
# * It acts on the scores, before the softmax. If the mask is missing, or comes after the softmax, the model learns to read the answer off, and its loss looks wonderful.
# * Cross attention: Q from the decoder below, K and V from the encoder. Whoever asks is renewed.
# * Teaching: the input is the target shifted right by one, all places at once; the loss is the mean surprise, without padding.
# * Writing: one word at a time, each read before the next, until `</s>`.
#
# Teaching does all places of a sentence in one pass; writing needs one pass for each word. How to make those passes cheap is a question for unit 8.
#
# **Next:** unit 7 stacks encoder and decoder to a whole Transformer, trains it on your CPU, and looks at what it has learned.
#
# **Hand in.** Save the notebook, run *Validate*, and submit it as unit 0 shows.
#
# ### Sources
#
# * Ashish Vaswani and others, 2017, *Attention Is All You Need*: the decoder, its mask, and cross attention in this form.
# * Dzmitry Bahdanau, Kyunghyun Cho and Yoshua Bengio, 2015, *Neural Machine Translation by Jointly Learning to Align and Translate*: a decoder that looks across at its source, before there
#   were Transformers.
# * Ronald Williams and David Zipser, 1989, *A Learning Algorithm for Continually Running Fully Recurrent Neural Networks*: teacher forcing.
# * Claude Shannon, 1948, *A Mathematical Theory of Communication*: $-\log p$ and its mean, the entropy; the name *surprise* is younger.

# %%
from helpers import progress

progress("u6")
