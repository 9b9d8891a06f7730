# %% [markdown]
# # Unit 4 · Multi-head attention: several looks at one sentence
#
# The attention of unit 2 gives every word one look around: one softmax, one set of weights, one mixture. In this unit a word gets several looks at
# once, each for something else, with as many parameters and multiplications as one head of the same width. (It does take more memory. Section 5 has the
# bill.)
#
# | you write | what it is for | points |
# |---|---|---|
# | `split_heads` | cut the width into slices, one for each head | 3 |
# | `merge_heads` | put the slices back | 2 |
# | `multi_head_attention` | queries, keys and values cut into slices, the attention of unit 2 in each, in NumPy | 4 |
# | `count_parameters` | how much there is to learn | 1 |
# | `one_head_or_many` | in your own words: what several heads can do that one cannot | 2 |
# | `MultiHeadAttention` | the same as a torch module, with biases, masks and everything that can be trained | 5 |
# | `convert_torch_weights` | proves your module right: it takes over the weights of torch's own and gives the same numbers | 3 |
#
# About two and a half hours. You need the attention of unit 2, which is imported below in case yours is not finished.
# **The unit changes from NumPy to torch half-way, on purpose:** first you see every number move, then you build the part that units 5 to 7 stack into a
# Transformer and train.

# %% nbgrader={"grade": false, "grade_id": "u4_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from helpers import check, hint, plots
from helpers.plots import u4_multi_head as figures
from helpers.reference.u2_softmax_scaling import scaled_dot_product_attention

# %% [markdown]
# ## 1 · One look is not enough
#
# *The cat drank milk because it was thirsty.* What does *it* have to find out? **Who** is meant: the cat. And **what** is told of it: thirsty.
#
# A softmax hands out exactly 100 %. Asked both questions at once, one head has to share: half of its look goes to *cat*, half to *thirsty*, and what
# comes out is a mixture of the two in which nobody can tell who was meant and what was told. Two heads ask one question each, and each spends its whole
# 100 % on it. Follow the framed row of *it*: yellow is all of the look, grey is half of it. (Queries and keys are set by hand here. In section 7 you train
# some.)

# %%
plots.show(
    figures.two_heads(),
)

# %% [markdown]
# ### Children and toys
#
# Ann, Ben and Cem look at the same shelf of toys. Ann watches the bear, Ben the train, Cem the ball and the drum. Each tells what happened to the
# favourite; laid side by side and told by one who has heard all three, it becomes one story, richer than any child alone could tell it.
#
# The toys are the tokens, each child is a **head**, and the one who tells the story is a last matrix, $W_o$.

# %%
plots.show(
    figures.story(),
)

# %% [markdown]
# ### Heads are like filters
#
# If you know convolutions, you know the idea. A layer never has a single filter: one finds horizontal lines, another vertical ones, and every filter makes a
# picture of its own from the same image. A head makes a picture of its own from the same sentence. Which thing each looks for is nobody's choice; filters
# and heads start out at random and **learn** to divide the work. (The heads below are made by hand, so that you can see what each wants.)

# %%
plots.show(
    figures.filters(),
)

# %% [markdown]
# ### A bridge built from both ends
#
# Where does the room for several heads come from? From the width of the tokens. Take 200 dimensions: instead of one team that works on all 200, two teams
# take 100 each. They work at the same time and do not talk, like two teams that build one bridge from both ends. In the middle the halves are joined (the
# 100 columns of one next to the 100 of the other, **concatenated**), and the road laid over both is one linear layer, $W_o$, from 200 to 200.
#
# The paper (*Attention Is All You Need*) has 512 dimensions and eight teams: $512 = 8 \times 64$.
#
# Narrow teams have smaller scores, too. For random vectors, as you measured in unit 2, the typical size of a dot product is the root of the number of
# products it adds: about $\sqrt{200} \approx 14$ for one team of 200, $\sqrt{100} = 10$ for a team of 100. So every team divides by the root of **its own**
# width.

# %%
plots.show(
    figures.bridge(),
)

# %% [markdown]
# ## 2 · Split
#
# Take two tokens of width 4 and two heads:
#
# $$X = \begin{pmatrix} 1 & 2 & 3 & 4 \\ 5 & 6 & 7 & 8 \end{pmatrix}
# \qquad\Rightarrow\qquad
# \text{head } 0 = \begin{pmatrix} 1 & 2 \\ 5 & 6 \end{pmatrix}, \quad
# \text{head } 1 = \begin{pmatrix} 3 & 4 \\ 7 & 8 \end{pmatrix}$$
#
# Each head keeps **all tokens** and gets a slice of **neighbouring columns**. In the picture, token $t$ holds the number $10t + c$ in column $c$, so every
# number tells you where it came from: 23 is token 2, column 3. There are two steps. The width is cut, $(n, d) \to (n, h, d/h)$, and then the
# axis of the heads moves in front of that of the tokens.

# %%
plots.show(
    figures.split_picture(),
)

# %% [markdown]
# Why not in one step? `X.reshape(2, 4, 3)` has the right shape too, and raises no error. But a reshape moves nothing: it reads the numbers row
# after row and breaks the line elsewhere.

# %%
places = 10 * np.arange(4)[:, None] + np.arange(6)
print("head 0 of a bare reshape:")
print(places.reshape(2, 4, 3)[0])

# %%
plots.show(
    figures.bare_reshape(),
)

# %% [markdown]
# A network with this mistake still trains, and its loss falls, only not as far as it should: the row called *cat* is really the second half of *the*. No error
# message ever tells.
#
# ### `split_heads` · exercise, 3 points
#
# *Core, about 15 minutes.*
#
# $(\dots, n, d) \to (\dots, h, n, d/h)$, head $i$ takes the columns from $i \cdot d/h$ up to, but without, $(i+1) \cdot d/h$.
#
# * The dots stand for any number of batch axes, or none. Count axes from the end, and the batch axes take care of themselves: `np.swapaxes(A, -2, -3)`
#   exchanges two axes whatever stands before them, and `(*X.shape[:-1], 7, 8)` is the shape of `X` with its last axis replaced by two.
# * If `n_heads` is below 1 or does not divide the width, raise a `ValueError`.
# * A reshape and a swap of axes look at the **same memory** as `X`. Return an array of your own: end with `.copy()`.


# %% nbgrader={"grade": false, "grade_id": "split_heads", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_heads(X, n_heads):
    """Cut the width into heads and put the heads before the tokens.

    Args:
        X: tokens, (..., n, d).
        n_heads: h, a divisor of d.

    Returns:
        H, (..., h, n, d / h), with H[..., i, :, :] the i-th slice of neighbouring columns.
    """
    ### BEGIN SOLUTION
    d = X.shape[-1]
    if n_heads < 1 or d % n_heads:
        raise ValueError(f"a width of {d} cannot be cut into {n_heads} heads")
    H = X.reshape(*X.shape[:-1], n_heads, d // n_heads)  # (..., n, h, d/h)
    return np.swapaxes(H, -2, -3).copy()  # (..., h, n, d/h)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_split_heads", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(split_heads)
### BEGIN HIDDEN TESTS
check(split_heads, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Merge
#
# After attention, the slices are put side by side again, and a token is as wide as before. It is the same way backwards: the tokens come in
# front of the heads, then the last two axes become one. Skip the first step, and every row is patched together from two tokens:

# %%
plots.show(
    figures.merge_picture(),
)

# %% [markdown]
# ### `merge_heads` · exercise, 2 points
#
# *Core, about 10 minutes.*
#
# $(\dots, h, n, d/h) \to (\dots, n, d)$, so that `merge_heads(split_heads(X, h))` is `X` again, number by number. The result is an array of its own here
# too. (With a single head or a single token, a reshape has nothing to move and hands back the input's memory; `.copy()` settles that.)


# %% nbgrader={"grade": false, "grade_id": "merge_heads", "locked": false, "schema_version": 3, "solution": true, "task": false}
def merge_heads(H):
    """Put the slices of all heads side by side: the inverse of split_heads.

    Args:
        H: heads, (..., h, n, d / h).

    Returns:
        X, (..., n, d).
    """
    ### BEGIN SOLUTION
    X = np.swapaxes(H, -2, -3)  # (..., n, h, d/h)
    return X.reshape(*X.shape[:-2], X.shape[-2] * X.shape[-1]).copy()  # (..., n, d)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_merge_heads", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(merge_heads)
### BEGIN HIDDEN TESTS
check(merge_heads, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of `merge_heads`. With one head there is nothing to mix up, and most of them look right: what do two heads show?
# And as many heads as tokens, or two sentences?

# %%
from helpers import catch

catch("merge_heads", np.arange(6.0).reshape(1, 3, 2))  # 1 head, 3 tokens, 2 features

# %% [markdown]
# ## 4 · Attention in every head
#
# Now the whole of it:
#
# $$\text{head}_i = \text{softmax}\!\left(\frac{Q_i K_i^\top}{\sqrt{d_k}}\right) V_i, \qquad d_k = \frac{d_{\text{model}}}{h},
# \qquad \text{output} = [\text{head}_0 \,|\, \text{head}_1 \,|\, \dots \,|\, \text{head}_{h-1}]\; W_o$$
#
# $Q = X W_q$, $K = X W_k$ and $V = X W_v$ are computed at full width as in unit 1, and *then* split. So $W_q$ holds the projections of all heads side by
# side; head $i$ owns a slice of its columns. So every head reads the **whole** token: each column of $Q$ is made from all columns of $X$. What is cut are
# $Q$, $K$ and $V$, never $X$.
#
# **By hand.** Take $X = \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}$, two tokens, two heads of width 1, and all four matrices the identity, so
# $Q = K = V = X$ and $\sqrt{d_k} = 1$:
#
# | | head 0 | head 1 |
# |---|---|---|
# | $Q_i = K_i = V_i$ | $\begin{pmatrix} 1 \\ 0 \end{pmatrix}$ | $\begin{pmatrix} 0 \\ 1 \end{pmatrix}$ |
# | scores | $\begin{pmatrix} 1 & 0 \\ 0 & 0 \end{pmatrix}$ | $\begin{pmatrix} 0 & 0 \\ 0 & 1 \end{pmatrix}$ |
# | weights | $\begin{pmatrix} 0.73 & 0.27 \\ 0.5 & 0.5 \end{pmatrix}$ | $\begin{pmatrix} 0.5 & 0.5 \\ 0.27 & 0.73 \end{pmatrix}$ |
# | weights · $V_i$ | $\begin{pmatrix} 0.73 \\ 0.5 \end{pmatrix}$ | $\begin{pmatrix} 0.5 \\ 0.73 \end{pmatrix}$ |
#
# Side by side: $\begin{pmatrix} 0.73 & 0.5 \\ 0.5 & 0.73 \end{pmatrix}$, and $W_o$, here the identity, changes nothing. Two softmaxes made two different
# tables of weights from one $X$.
#
# ### `multi_head_attention` · exercise, 4 points
#
# *Core, about 15 minutes.*
#
# Return the output $(\dots, n, d_{\text{model}})$ **and** the weights of all heads $(\dots, h, n, n)$. Any number of batch axes may come first, and
# large scores must not overflow. The `scaled_dot_product_attention` of unit 2, imported above, takes any number of axes in front; to it, heads are just
# one more. Your `split_heads` and `merge_heads` fit around it; a loop over slices of columns is as good.


# %% nbgrader={"grade": false, "grade_id": "multi_head_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads):
    """Self-attention in h heads: concat(head_0, ..., head_{h-1}) W_o, head_i = softmax(Q_i K_i^T / sqrt(d_k)) V_i.

    Args:
        X: tokens, (..., n, d_model).
        W_q, W_k, W_v: projections of all heads side by side, each (d_model, d_model); used as X @ W.
        W_o: the projection back, (d_model, d_model).
        n_heads: h, a divisor of d_model; otherwise a ValueError.

    Returns:
        output, (..., n, d_model), and weights, (..., h, n, n).
    """
    ### BEGIN SOLUTION
    Q, K, V = (split_heads(X @ W, n_heads) for W in (W_q, W_k, W_v))  # (..., h, n, d_k)
    heads, weights = scaled_dot_product_attention(Q, K, V)  # (..., h, n, d_k), (..., h, n, n)
    return merge_heads(heads) @ W_o, weights  # (..., n, d_model)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_multi_head_attention", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(multi_head_attention)
### BEGIN HIDDEN TESTS
check(multi_head_attention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ### Look through eight heads
#
# The sentence below has 9 tokens of width 64, and the weights are made by hand so that each of the 8 heads has a favourite. Your function computes the
# maps; choose one head after the other, and guess its favourite before you read the answer below.

# %%
tokens, X, projections = figures.example_layer()  # 9 words, (9, 64), four matrices (64, 64)
with plots.demonstration("multi_head_attention"):
    output, weights = multi_head_attention(X, *projections, n_heads=8)
    if np.shape(weights) == (8, 9, 9):
        plots.explore(
            lambda head: figures.one_head(weights, tokens, head),
            head={f"head {head}": head for head in range(8)},
        )
    else:
        print(f"For 8 heads and 9 words the weights should have the shape (8, 9, 9); yours have {np.shape(weights)}.")

# %% [markdown]
# <details><summary>The favourites</summary>
#
# 0: the word before · 1: the word after · 2: itself · 3: the first word · 4: the same word (look at both *the*) · 5: the animals · 6: what was done
# (*saw*, *ran*) · 7: everything alike.
#
# Head 0 has a difficulty with the first word, which has none before it, and head 1 with the last. Heads 0 to 2 find places with the clock hands of unit 3:
# turned back by one step, turned on by one, and not turned.
#
# </details>

# %% [markdown]
# ### Heads add up
#
# *Side by side, then times $W_o$* can be read in another way. The columns from $i \cdot d_k$ up to, but without, $(i+1) \cdot d_k$ of what is laid side by
# side meet the rows of $W_o$ with the same numbers. Call these
# rows $W_o^{(i)}$, a slice $(d_k, d_{\text{model}})$ for each head, and
#
# $$[\text{head}_0 \,|\, \dots \,|\, \text{head}_{h-1}]\; W_o = \sum_i \text{head}_i\, W_o^{(i)} .$$
#
# So every head writes its finding at the full width, and the findings are **added**. The cell below does it with the eight heads from above. Remember the
# sum: in unit 5 one more thing is added to it, the
# token itself.

# %%
with plots.demonstration("multi_head_attention"):
    output, weights = multi_head_attention(X, *projections, n_heads=8)
    _, _, W_v, W_o = projections
    slices = [slice(8 * i, 8 * i + 8) for i in range(8)]
    added = sum(weights[i] @ (X @ W_v)[:, part] @ W_o[part] for i, part in enumerate(slices))  # (9, 64)
    print(f"your output and the sum of the heads differ by at most {np.abs(output - added).max():.0e}")

# %% [markdown]
# ## 5 · One head or eight: what it costs
#
# Self-attention with one head and multi-head attention, step by step: what each computes, with its shape, and how many multiplications that is.

# %%
plots.show(
    figures.side_by_side(),
)

# %% [markdown]
# | | self-attention, one head of 512 | multi-head attention, 8 heads of 64 |
# |---|---|---|
# | what it computes for a token | one mixture of all tokens, then $W_o$ | eight mixtures, each of other slices by other weights, then $W_o$ over all |
# | dot products for the scores | $n^2$ of width 512 | $8 n^2$ of width 64 |
# | scale | $\sqrt{512} \approx 22.6$ | $\sqrt{64} = 8$ |
# | multiplications | $4 n d^2 + 2 n^2 d$ | $4 n d^2 + 2 n^2 d$ |
# | softmaxes | $n$ rows | $8 n$ rows |
# | memory for the maps (the attention weights) | $n^2$ numbers | $8 n^2$ numbers |
#
# ### `count_parameters` · exercise, 1 point
#
# *Extra, about 5 minutes.*
#
# How many numbers does the whole layer learn: $W_q$, $W_k$, $W_v$ and $W_o$, and, if `bias` is True, the biases of all four?
#
# Start with one head. From a token of width $d_{\text{model}}$ it makes queries of width $d_k = d_{\text{model}}/h$, so its own slice of
# $W_q$ has $d_{\text{model}} \cdot d_k$ numbers, and $d_k$ biases. Then all $h$ heads, then all four layers. For $d_{\text{model}} = 4$ and two heads
# without biases the four layers have 64 numbers.


# %% nbgrader={"grade": false, "grade_id": "count_parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_parameters(d_model, n_heads, bias):
    """Trainable numbers of a multi-head layer.

    Args:
        d_model: width of the tokens.
        n_heads: number of heads, a divisor of d_model.
        bias: whether W_q, W_k, W_v and W_o have biases.

    Returns:
        the count, an int.
    """
    ### BEGIN SOLUTION
    d_k = d_model // n_heads
    one_layer = n_heads * (d_model * d_k + (d_k if bias else 0))
    return 4 * one_layer
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_count_parameters", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check(count_parameters)
### BEGIN HIDDEN TESTS
check(count_parameters, hidden=True)
### END HIDDEN TESTS

# %%
plots.show(
    figures.costs(),
)

# %% [markdown]
# Parameters and multiplications are the same. What grows is what belongs to the maps: eight times the exponentials, and eight tables of $n^2$ weights in
# memory instead of one. At 50 words
# that is nothing. At 4,096 words one table has 67 MB (4 bytes a number), and eight have 537 MB, for one layer and one sentence. Unit 8 shows how to do
# without the
# table.
#
# And this is what it buys: below are **the same** $X$, $W_q$ and $W_k$ twice. In the framed map the 64 products of
# a query with a key are added up to one score, as one head does; in the others they are added up in eight groups of 8, as eight heads do. So one head adds
# the eight wishes up **before** the softmax, and two that agree, *itself* and *the same word*, drown the others: a word gives itself 0.84 on average, and
# little is left of the other wishes.

# %%
plots.show(
    figures.one_picture_or_eight(),
)

# %% [markdown]
# Then why not 512 heads of width 1? Because a narrow head is a poor judge. Its scores $Q_i K_i^\top$ are made of $d_k$ products only; a table of such scores
# has a **rank** of $d_k$ at most, however many tokens
# there are. In the extreme, $d_k = 1$, a score is one number times one number, $S_{ij} = q_i k_j$. Then a query with $q_i > 0$ likes the key with the largest
# $k_j$ best, and one with
# $q_i < 0$ the key with the smallest. No query can prefer any of the keys between, so *the word before* is beyond such a head. Widths of 64 and 128 are usual.

# %% [markdown] nbgrader={"grade": true, "grade_id": "one_head_or_many", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `one_head_or_many` · question, 2 points
#
# *Core, about 10 minutes.*
#
# One head of 512 has as many parameters as eight heads of 64, and needs as many multiplications. What can the eight do that the one cannot?
# Think of what a softmax hands out, and of what happens to the values. Three or four sentences. (You may come back to it after section 7.)
#
# ### BEGIN SOLUTION
# *Model answer.* A head has one softmax, so a word has one set of weights that sum to 1. If it needs two things at once, as *it* needs *cat* and *thirsty*,
# it has to share the 100 % between them. Eight heads have eight sets of weights, so the same word can look at eight different places with full weight in
# each. They also keep apart what they find: one head mixes all 512 columns of the values by the same weights, so what came from where is lost in the
# mixture; eight heads mix 64 columns each by weights of their own, lay the results side by side, and $W_o$ can combine them knowing which head said what.
#
# *Marking guide.* 2 points: one for several softmaxes or sets of weights, so that a word can look for several things at once without sharing one budget; one
# for the values: the findings stay apart in columns of their own (not averaged into one mixture) until $W_o$ combines them. "More parameters" or "more
# computing" is wrong and costs the point in which it is given as the reason.
# ### END SOLUTION

# %% [markdown]
# ## 6 · From NumPy to torch
#
# So far you have moved every number yourself. From here on the matrices are to be **trained**, and for that torch keeps track of how every result came
# about. The thoughts stay the same, only the names change:
#
# | NumPy | torch | |
# |---|---|---|
# | `X @ W_q` | `self.W_q(x)`, with `self.W_q = nn.Linear(d_model, d_model)` | a `Linear` holds a matrix and a bias, and computes $x W^\top + b$ |
# | `np.swapaxes(A, -2, -3)` | `A.transpose(-2, -3)` | exchanges two axes |
# | `A.reshape(...)` | `A.reshape(...)`, `A.unflatten(-1, (h, d_k))`, `A.flatten(-2)` | cuts an axis in two, joins two in one |
# | your softmax | `torch.softmax(scores, dim=-1)` | allowed here, you have written yours |
#
# Copies are no longer a worry: a torch module may hand on views inside, as long as it does not write into its inputs.

# %% nbgrader={"grade": false, "grade_id": "u4_torch", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import torch
from torch import nn

# %% [markdown]
# Here is the whole module as a flow chart. Compare it with figure 2 of *Attention Is All You Need*. New is that query, key
# and value may
# come from **different sequences**: $n_q$ query tokens ask $n_k$ key tokens. In unit 6 that will be one language asking another.

# %%
plots.show(
    figures.flow_chart(d_model=512, n_heads=8),
)

# %% [markdown]
# ### Masks
#
# Sometimes a query must not see every key: in unit 6 the future, and often the **padding**, filling words (`<pad>`) behind a short sentence that shares a
# batch with a longer one. A **mask** is an array of booleans, a row
# for each query, a column for each key, and in this course
#
# > **True = may attend.**
#
# Torch's `scaled_dot_product_attention` has it the same way. Torch's `nn.MultiheadAttention` uses **the opposite**: there, True forbids. Code copied from one
# to the other runs without an error, and looks exactly where it should not.

# %%
plots.show(
    figures.masks(),
)

# %% [markdown]
# What is hidden must not take part in the softmax **at all**: zeros put in afterwards leave rows that do not sum to 1. So its *score* is replaced before
# the softmax by something whose exponential is 0. By what? Three tries; in the first two, only the first of three keys may be seen:

# %%
scores = torch.tensor([-30.0, 2.0, 1.0])
mask = torch.tensor([True, False, False])
torch.set_printoptions(precision=3, sci_mode=False)
print("filled with -20:                  ", torch.softmax(scores.masked_fill(~mask, -20.0), dim=-1))
print("filled with -inf:                 ", torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1))
print("filled with -inf, nothing is seen:", torch.softmax(torch.full((3,), -torch.inf), dim=-1))

# %% [markdown]
# * **-20 leaks.** The one score that counts is lower still, so nearly all the weight goes to hidden keys. A fill has to be lower than any real score.
# * **-inf is right,** as long as something may be seen.
# * **A row that sees nothing** becomes 0/0, NaN, and one NaN spoils all training, for its gradient is NaN too. Such a row has to have **zero weights** (so only
#   the bias of $W_o$ is left in its output) and finite gradients. One way: fill with the lowest *finite* number, `torch.finfo(scores.dtype).min`, and
#   after the softmax set what is hidden to 0 once more.
#
# `masked_fill` returns a new tensor. A line `scores.masked_fill(~mask, ...)` alone throws it away.
#
# ### `MultiHeadAttention` · exercise, 5 points
#
# *Core, about 30 minutes.*
#
# * Four layers called `W_q`, `W_k`, `W_v`, `W_o`, each `nn.Linear(d_model, d_model)`; `bias` holds for all four. No other parameters or
#   buffers; plain numbers such as `self.n_heads` are fine.
# * `n_heads` below 1 or not dividing `d_model` is a `ValueError`, raised when the module is made.
# * `forward` returns the output $(\dots, n_q, d_{\text{model}})$ and the weights of all heads $(\dots, h, n_q, n_k)$. Any number of batch axes
#   may come first, or none.
# * `mask` is None (everyone sees everything) or an array that fits $(\dots, h, n_q, n_k)$ without your help, because torch, like NumPy, stretches axes of
#   length 1 and puts missing ones in front (**broadcasting**): $(n_q, n_k)$ for all alike, $(b, 1, 1, n_k)$ for padding, $(b, h, n_q, n_k)$ with a page for
#   every head.
# * Torch's own `nn.MultiheadAttention` and `scaled_dot_product_attention` are closed here.


# %% nbgrader={"grade": false, "grade_id": "MultiHeadAttention", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MultiHeadAttention(nn.Module):
    """concat(head_0, ..., head_{h-1}) W_o, with head_i = softmax(Q_i K_i^T / sqrt(d_k)) V_i and d_k = d_model / n_heads.

    Args:
        d_model: width of the tokens, in and out.
        n_heads: number of heads, a divisor of d_model; otherwise a ValueError.
        bias: whether the four linear layers W_q, W_k, W_v, W_o have biases.
    """

    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        ### BEGIN SOLUTION
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"a width of {d_model} cannot be cut into {n_heads} heads")
        self.n_heads = n_heads
        self.d_k = d_model // n_heads
        self.W_q = nn.Linear(d_model, d_model, bias=bias)
        self.W_k = nn.Linear(d_model, d_model, bias=bias)
        self.W_v = nn.Linear(d_model, d_model, bias=bias)
        self.W_o = nn.Linear(d_model, d_model, bias=bias)
        ### END SOLUTION

    def forward(self, query, key, value, mask=None):
        """Let every query token attend to every key token it may see.

        Args:
            query: (..., n_q, d_model).
            key, value: (..., n_k, d_model).
            mask: boolean, True = may attend, broadcasts to (..., h, n_q, n_k); or None.

        Returns:
            output, (..., n_q, d_model), and weights, (..., h, n_q, n_k).
        """
        ### BEGIN SOLUTION
        Q, K, V = (
            layer(x).unflatten(-1, (self.n_heads, self.d_k)).transpose(-2, -3)  # (..., h, n, d_k)
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        scores = Q @ K.transpose(-1, -2) / math.sqrt(self.d_k)  # (..., h, n_q, n_k)
        if mask is not None:
            # Finite, so that a row that sees nothing has no NaN, neither here nor in its gradient.
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        heads = weights @ V  # (..., h, n_q, d_k)
        return self.W_o(heads.transpose(-2, -3).flatten(-2)), weights  # (..., n_q, d_model)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_MultiHeadAttention", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(MultiHeadAttention)
### BEGIN HIDDEN TESTS
check(MultiHeadAttention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 7 · Train some heads
#
# The heads of section 4 were made by hand. Will heads **learn** to divide the work? Here is a task that needs two looks. Six tokens each carry two keys, one
# of kind A
# and one of kind B (both are numbers from 0 to 5, and each comes once), and a value from 0 to 5. The question names an A and a B; wanted are **both** values.
#
# | token | 0 | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|---|
# | A | 3 | 0 | 5 | 1 | 4 | 2 |
# | B | 1 | 4 | 0 | 2 | 5 | 3 |
# | value | 2 | 2 | 5 | 0 | 1 | 4 |
#
# *A is 5 and B is 2* is answered by 5 (token 2) and 0 (token 3). The model is one layer of **your** attention, with width 32: the question asks, the six
# tokens answer, and one linear layer reads
# the two values off. Only the number of heads differs. Each model has the same 5,580 parameters.


# %%
def draw_sentences(count):
    A, B = torch.rand(2, count, 6).argsort(-1)  # two keys for each token, (count, 6)
    values = torch.randint(6, (count, 6))
    a, b = torch.randint(6, (2, count))  # what the question names
    wanted = torch.stack([values[A == a[:, None]], values[B == b[:, None]]], dim=-1)  # (count, 2)
    return (A, B, values, a, b), wanted


class TwoQuestions(nn.Module):
    def __init__(self, n_heads):
        super().__init__()
        self.A, self.B, self.value, self.ask_A, self.ask_B = (nn.Embedding(6, 32) for _ in range(5))
        self.attention = MultiHeadAttention(32, n_heads)
        self.read_out = nn.Linear(32, 2 * 6)

    def forward(self, A, B, values, a, b):
        tokens = self.A(A) + self.B(B) + self.value(values)  # (count, 6, 32)
        question = (self.ask_A(a) + self.ask_B(b))[:, None]  # (count, 1, 32)
        found, weights = self.attention(question, tokens, tokens)  # (count, 1, 32), (count, h, 1, 6)
        return self.read_out(found[:, 0]).unflatten(-1, (2, 6)), weights


def train_heads(n_heads, steps=300):
    torch.manual_seed(0)
    model = TwoQuestions(n_heads)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    right = []
    for _ in range(steps):
        sentences, wanted = draw_sentences(64)
        guess, _ = model(*sentences)  # (64, 2, 6)
        loss = nn.functional.cross_entropy(guess.flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right.append((guess.argmax(-1) == wanted).all(-1).float().mean().item())
    return model, right


if plots.drawing():  # a minute or two on a slow computer, and nothing to grade
    with plots.demonstration("MultiHeadAttention"):
        trained = {n_heads: train_heads(n_heads) for n_heads in (1, 2, 4)}
        A, B = torch.tensor([[3, 0, 5, 1, 4, 2]]), torch.tensor([[1, 4, 0, 2, 5, 3]])
        example = A, B, torch.tensor([[2, 2, 5, 0, 1, 4]]), torch.tensor([5]), torch.tensor([2])  # A is 5 and B is 2
        plots.show(
            figures.trained_heads(
                {n_heads: right for n_heads, (_, right) in trained.items()},
                {n_heads: model(*example)[1][0, :, 0].detach().numpy() for n_heads, (model, _) in trained.items()},
                [f"A{a} B{b}" for a, b in zip(A[0].tolist(), B[0].tolist())],
                sought=(2, 3),
            )
        )
        sentences, wanted = draw_sentences(2000)
        first, second = (trained[1][0](*sentences)[0].argmax(-1) == wanted).float().mean(0)
        print(f"one head alone: first answer right {first:.0%}, second answer right {second:.0%}")

# %% [markdown]
# One head stays at about a third. With two and with four nearly every answer is right, and on the right you see how: nobody told them, but one head went for
# A and another for B. The single head has
# one set of weights. Whatever it does with them, the values it looks at are mixed before anybody reads them; so it learned to answer one question well (the
# second, 98 % right), and gives the
# same answer to the first. That is right when the two values happen to be equal: one time in six both keys belong to the same token, and else two values
# agree one time in
# six, together $\tfrac16 + \tfrac56 \cdot \tfrac16 = 0.31$. (With another seed it may prefer the first question.)
#
# Is more always better? Try `train_heads(32)`, heads of width 1: `_, right = train_heads(32)`, then `print(sum(right[-50:]) / 50)`. (In our runs they ended
# between 0.91 and 0.95. A head of width 1 still prefers the largest or the smallest of its keys, but which key that is differs from head to head, and $W_o$
# combines 32 of them.)

# %% [markdown]
# ## 8 · The proof: torch's weights in your module
#
# Torch has this module ready-made, `nn.MultiheadAttention`. If yours computes the same, it must give the same numbers with the same weights. The weights
# are only packed differently: torch stacks the matrices of query, key and value **below each other** in one, in this order.

# %%
torch.manual_seed(0)
theirs = nn.MultiheadAttention(6, num_heads=2, batch_first=True)
for name, value in theirs.state_dict().items():
    print(f"{name:16} {tuple(value.shape)}")

# %%
plots.show(
    figures.stacked_weights(),
)

# %% [markdown]
# Rows, not columns, because a `Linear` keeps its matrix as (out, in) and computes $x W^\top$. Torch's layer does the same with its own matrices, so on the
# way from one to the other nothing is transposed.
#
# ### `convert_torch_weights` · exercise, 3 points
#
# *Extra, about 15 minutes.*
#
# From a state dict of `nn.MultiheadAttention` make one with **exactly** the keys of your module: `W_q.weight`, `W_k.weight`, `W_v.weight`, `W_o.weight` and,
# if there are biases, `W_q.bias`, `W_k.bias`, `W_v.bias`, `W_o.bias`. `in_proj_bias` is stacked like `in_proj_weight`. A layer made with `bias=False` has
# neither `in_proj_bias` nor `out_proj.bias`; then there are four keys. Views of the given tensors are fine here.


# %% nbgrader={"grade": false, "grade_id": "convert_torch_weights", "locked": false, "schema_version": 3, "solution": true, "task": false}
def convert_torch_weights(state):
    """The weights of an nn.MultiheadAttention under the names of MultiHeadAttention.

    Args:
        state: tensors by name: in_proj_weight (3·d_model, d_model), out_proj.weight (d_model, d_model) and, with biases,
            in_proj_bias (3·d_model,), out_proj.bias (d_model,).

    Returns:
        a dict of tensors by name: W_q.weight, W_k.weight, W_v.weight, W_o.weight, and with biases W_q.bias, ..., W_o.bias.
    """
    ### BEGIN SOLUTION
    converted = {}
    for kind in ("weight", "bias"):
        if f"in_proj_{kind}" in state:
            for name, part in zip(("W_q", "W_k", "W_v"), state[f"in_proj_{kind}"].chunk(3)):
                converted[f"{name}.{kind}"] = part  # (d_model, d_model) or (d_model,)
            converted[f"W_o.{kind}"] = state[f"out_proj.{kind}"]
    return converted
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_convert_torch_weights", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(convert_torch_weights)
### BEGIN HIDDEN TESTS
check(convert_torch_weights, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Now the proof. Three sentences at once; in each, four query tokens ask five key tokens. Of the five, 5, 3 and 1 are words, the rest is padding. Your mask
# says what may be seen; torch's `key_padding_mask` is turned around with `~`.

# %%
query, key, value = torch.randn(3, 4, 6), torch.randn(3, 5, 6), torch.randn(3, 5, 6)
is_word = torch.arange(5) < torch.tensor([5, 3, 1])[:, None]  # (3, 5)
with plots.demonstration("MultiHeadAttention", "convert_torch_weights"):
    yours = MultiHeadAttention(6, 2)
    yours.load_state_dict(convert_torch_weights(theirs.state_dict()))
    your_output, your_weights = yours(query, key, value, mask=is_word[:, None, None, :])
    their_output, their_weights = theirs(query, key, value, key_padding_mask=~is_word, average_attn_weights=False)
    print(f"outputs differ by at most {(your_output - their_output).abs().max().item():.0e}")
    print(f"weights differ by at most {(your_weights - their_weights).abs().max().item():.0e}")

# %% [markdown]
# $10^{-7}$ or less is what single precision leaves over: the two are the same.
#
# ## What you have now
#
# * A head reads the whole token and attends in its own slice of $Q$, $K$ and $V$. Several heads ask several questions of one sentence, with the parameters
#   and multiplications of one, and with a table of weights for each.
# * Split: cut the width, then bring the heads before the tokens. Merge: the same way back. A bare reshape mixes the tokens and tells nobody.
# * Every head divides by the root of its own width, $\sqrt{d_{\text{model}}/h}$, and has its own softmax. $W_o$ combines what they found.
# * A mask hides scores before the softmax. True = may attend; a row that sees nothing has zero weights.
# * Your `MultiHeadAttention` is torch's, number by number.
#
# **Sources.** Vaswani and others, 2017, *Attention Is All You Need*, section 3.2.2 and figure 2 (several heads). Bhojanapalli and others, 2020, *Low-Rank
# Bottleneck in Multi-head Attention
# Models* (what narrow heads cannot do). Michel, Levy and Neubig, 2019, *Are Sixteen Heads Really Better than One?* (how many of them a trained model needs).
# LeCun and
# others, 1998, *Gradient-Based Learning Applied to Document Recognition* (filters that are learned).
#
# **Next:** unit 5 puts a residual road and a normalisation around this module, adds a small network behind it, and stacks the result: the encoder.
#
# **Hand in.** Save the notebook, run *Validate*, and submit it as unit 0 shows.

# %%
from helpers import progress

progress("u4")
