# %% [markdown]
# # Unit 3 · Where am I? Positions as clock hands
#
# The attention of unit 2 reads *the dog bites the man* and *the man bites the dog* and sees no difference. In this unit you first measure that failure,
# then repair it: every token gets a vector that says where it stands, made of sines and cosines.
#
# | you write | it computes | points |
# |---|---|---|
# | `permutation_gap` | whether attention notices a shuffled sentence | 3 |
# | `why_not_counting` | in your own words: why not simply count the places | 2 |
# | `encoding_by_hand` | one position vector, on paper | 2 |
# | `frequencies` | the speeds of all the clock hands | 3 |
# | `sinusoidal_encoding` | all position vectors | 5 |
# | `add_positions` | word and place in one vector | 2 |
# | `shift_matrix` | a step as a turn: why it had to be sines and cosines | 3 |
#
# NumPy throughout, and about two hours. You need the attention of unit 2, which is imported below in case yours is not finished. The table you
# build here is the one that the Transformer of unit 7 adds to its tokens.

# %% nbgrader={"grade": false, "grade_id": "u3_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from helpers import check, hint, plots
from helpers.plots import u3_positional_encoding as figures
from helpers.reference.u2_softmax_scaling import scaled_dot_product_attention

# %% [markdown]
# ## 1 · Shuffle the words, and nothing notices
#
# Five words, one vector for each. As in any embedding, the same word gets the same vector wherever it stands, so both *the* start out equal. `order`
# puts the words into another order: `order[i]` is the number of the word that moves to place $i$.
#
# | place $i$ | 0 | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|---|
# | `words[i]` | the | dog | bites | the | man |
# | `order[i]` | 3 | 4 | 2 | 0 | 1 |
# | `words[order[i]]` | the | man | bites | the | dog |

# %%
words = "the dog bites the man".split()
order = np.array([3, 4, 2, 0, 1])
shuffled = [words[i] for i in order]

rng = np.random.default_rng(178)
vector_of = {word: rng.normal(size=8) for word in dict.fromkeys(words)}  # one vector for each word
X = np.stack([vector_of[word] for word in words])  # (5, 8)

plain_output, _ = scaled_dot_product_attention(X, X, X)
shuffled_output, _ = scaled_dot_product_attention(X[order], X[order], X[order])

plots.show(
    figures.sentences(
        [plain_output, shuffled_output],
        [words, shuffled],
        ["Who bites whom? Attention's output ...", "... after the shuffle: the same rows"],
        follow="dog",
    ),
)

# %% [markdown]
# The row of *dog* is the same whether the dog bites or is bitten. And inside one sentence the two *the* have the same row, although they stand before
# different words: **the same word in another place gets the same vector.**
#
# It cannot be otherwise. Each output is a sum over all words,
#
# $$y_i = \sum_j w_{ij}\, v_j, \qquad w_{ij} \text{ made from } q_i \cdot k_j \text{ alone,}$$
#
# and neither a dot product of two words nor a sum knows who stood where. To the attention of unit 2 a sentence is a bag of words.

# %% [markdown]
# ### The same with two numbers
#
# Take two tokens of width $d = 1$, `X = [[0], [1]]`, and let them attend with $Q = K = V = X$ (the scale is $\sqrt 1 = 1$).
#
# | token | scores | weights | output |
# |---|---|---|---|
# | 0 | 0, 0 | 0.5, 0.5 | **0.5** |
# | 1 | 0, 1 | 0.269, 0.731 | **0.731** |
#
# Swapped, `[[1], [0]]` gives 0.731 and 0.5: the same outputs, swapped. Compared word with word, the difference is 0.
#
# Now a vector for each *place* is added first: `P = [[0], [1]]`, so place 1 adds 1 to whoever stands there.
#
# | sentence | tokens + places | outputs |
# |---|---|---|
# | in order | 0 + 0, 1 + 1 | token 0: 1, token 1: 1.964 |
# | swapped | 1 + 0, 0 + 1 | token 1: 1, token 0: 1 |
#
# Token 1 had 1.964 and now has 1: a difference of 0.964. With positions, attention notices.

# %% [markdown]
# ### `permutation_gap` · exercise, 3 points
#
# *Core, about 10 minutes.*
#
# Measure this for any sentence. With $A(X)$ the output of scaled self-attention ($Q = K = V = X$; `scaled_dot_product_attention` returns output **and**
# weights, so take the first of the two), return two plain numbers, each the largest absolute difference over all entries:
#
# 1. without positions: `A(X[order])` against `A(X)[order]`,
# 2. with positions: `A(X[order] + P)` against `A(X + P)[order]`.
#
# The output is reordered so that rows of the *same word* meet. `P` belongs to the places, so it is not shuffled. For the example above the answer is 0
# and 0.964.


# %% nbgrader={"grade": false, "grade_id": "permutation_gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def permutation_gap(X, P, order):
    """How much self-attention notices when its tokens change places.

    Args:
        X: tokens, (n, d).
        P: one vector for each place, (n, d).
        order: a permutation of 0 ... n-1, (n,); X[order] is the shuffled sentence.

    Returns:
        without, with_positions: two numbers,
        max |A(X[order]) - A(X)[order]| and max |A(X[order] + P) - A(X + P)[order]|.
    """

    ### BEGIN SOLUTION
    def attend(tokens):
        output, _ = scaled_dot_product_attention(tokens, tokens, tokens)
        return output  # (n, d)

    without = np.abs(attend(X[order]) - attend(X)[order]).max()
    with_positions = np.abs(attend(X[order] + P) - attend(X + P)[order]).max()
    return float(without), float(with_positions)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_permutation_gap", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(permutation_gap)
### BEGIN HIDDEN TESTS
check(permutation_gap, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Now your function on the five words. For `P` any table with a different row for each place will do, here random numbers. Without it the gap is
# rounding noise, with it the shuffle is seen. So the question of this unit is not *whether* to add a position vector but *which*.

# %%
P_random = rng.normal(size=X.shape)
with plots.demonstration("permutation_gap"):
    without, with_positions = permutation_gap(X, P_random, order)
    print(f"without positions: {without:.0e}   with positions: {with_positions:.2f}")

# %% [markdown]
# ## 2 · Two tables that suggest themselves, and fail
#
# **First try: count.** Place 0 adds 0 to every entry of its token, place 1 adds 1, place 29 adds 29. Thirty random words, before and
# after. (Place 0 adds nothing, so its query alone asks as before.)

# %%
plots.show(
    figures.counting(),
)

# %% [markdown]
# **Second try: divide by the length,** so that all numbers lie between 0 and 1. The same four words, at the beginning of a short, a longer and a long
# sentence:

# %%
plots.show(
    figures.fractions(),
)

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_not_counting", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `why_not_counting` · question, 2 points
#
# *Core, about 10 minutes.*
#
# A friend says: "Why the fuss? Add the position 0, 1, 2, ... itself to the word's vector. And if the numbers get too large, divide by the length of the
# sentence."
#
# With the first, what goes wrong in what attention gets to see (look at the right panel)? With the second, what goes wrong for a model that was trained on
# short sentences and reads a long one? A few sentences for each.
#
# ### BEGIN SOLUTION
# *Model answer.* **Counting** has no upper bound. At place 29 the position is about thirty times as large as an entry of the word, so the vector says
# almost nothing about the word any more. A score between the places $p$ and $p'$ is then mostly $d\,p\,p'/\sqrt d$: it is largest for the largest $p'$,
# the softmax saturates, and every query looks at the last token, whatever the words are. A model trained on short sentences also meets numbers it has
# never seen as soon as a sentence is longer.
#
# **Position/n** is bounded, but its step is $1/n$: the distance to the next word is 0.25 in a sentence of four words and 0.0625 in one of sixteen. The
# same number means another place, and "the word before" is another difference in every sentence, so nothing about neighbours can be learned once and
# used at every length. In long sentences the step also becomes too small to be seen beside the word, and $n$ has to be known before the first word is
# read, which it is not while a sentence is being written.
#
# *Marking guide.* 2 points: one for counting (numbers without bound that drown the word *or* saturate the softmax *or* are new to a model trained on
# shorter sentences; one reason explained is enough), one for position/n (the same step or place means different numbers at different lengths; "the
# steps get too small" or "n is not known yet", explained, also counts). "It does not work", or "the numbers are too large" without what follows from
# it, gets no point.
# ### END SOLUTION

# %% [markdown]
# ## 3 · Many clocks tell one time
#
# So there are three wishes for the table $P$:
#
# * every place has a row of its own,
# * no entry grows with the length of the sentence,
# * a step of one place is the same step everywhere, in every sentence.
#
# Binary numbers (with digits enough) meet the first two. Written in bits, every position has another pattern of zeros and ones: the bit of the ones
# flips at each step, that of the twos at every second step, and so on. What they lack is the third: from 3 (one and two) to 4 (four alone) three bits jump, from 4 to 5 only one.
# Waves, each slower than the one before, keep the idea of fast and slow columns and go up and down smoothly. A wave alone does not meet the third wish
# either. It needs a partner, as you will see.

# %%
plots.show(
    figures.digits_and_waves(),
)

# %% [markdown]
# ### One clock
#
# A wave is a clock hand seen from the side. The hand starts at the top and turns clockwise, by the same angle at each position. Two numbers say where
# its tip is: **the sine of the angle is how far right it points, the cosine how far up.** One number would not do: a sine of 0.84 belongs to two hands, one
# that points
# up and to the right (angle 1) and one that points down and to the right (angle 2.14). The cosine tells them apart.

# %%
plots.show(
    figures.reading_a_hand(),
)

# %% [markdown]
# ### Several clocks
#
# One fast clock comes round after 6.28 positions and repeats itself. A second, slower one tells the rounds apart, as the hour hand does for the minute
# hand. A vector of width $d_{\text{model}}$ holds $d_{\text{model}}/2$ clocks, two entries for each, its *pair*. At position $p$ the hand of clock
# $i = 0, 1, 2, \dots$ stands at the angle $p\,\omega_i$ (in radians), and
#
# $$PE[p,\,2i] = \sin(p\,\omega_i), \qquad PE[p,\,2i+1] = \cos(p\,\omega_i), \qquad \omega_i = 10000^{-2i/d_{\text{model}}} .$$
#
# Even entries are sines, odd entries cosines: that is the whole recipe. A vector of width 4 has two clocks, $\omega_0 = 10000^0 = 1$ and
# $\omega_1 = 10000^{-2/4} = 1/\sqrt{10000} = 0.01$:

# %%
plots.show(
    figures.clock_strip(),
)

# %% [markdown]
# ### Position 1 on paper
#
# | | clock 0 | | clock 1 | |
# |---|---|---|---|---|
# | angle $1 \cdot \omega_i$ | $1 \cdot 1 = 1$ | | $1 \cdot 0.01 = 0.01$ | |
# | column | 0 | 1 | 2 | 3 |
# | | $\sin 1$ | $\cos 1$ | $\sin 0.01$ | $\cos 0.01$ |
# | $PE[1]$ | 0.8415 | 0.5403 | 0.0100 | 1.0000 |
#
# And position 0 needs no calculator: all angles are 0, so $PE[0] = (0, 1, 0, 1)$, all hands up.
#
# ### `encoding_by_hand` · exercise, 2 points
#
# *Core, about 5 minutes.*
#
# Do the same for **position 2**, with $d_{\text{model}} = 4$. Use paper and a calculator (set to radians), and write the four numbers down with four
# decimals, as `np.array([..., ..., ..., ...])`.


# %% nbgrader={"grade": false, "grade_id": "encoding_by_hand", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encoding_by_hand():
    """The encoding of position 2 for d_model = 4, worked on paper.

    Returns:
        PE[2], an array (4,), right to 1e-4.
    """
    ### BEGIN SOLUTION
    # The angles are 2 · 1 = 2 and 2 · 0.01 = 0.02.
    return np.array([0.9093, -0.4161, 0.0200, 0.9998])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_encoding_by_hand", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(encoding_by_hand)
### BEGIN HIDDEN TESTS
check(encoding_by_hand, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ### `frequencies` · exercise, 3 points
#
# *Core, about 10 minutes.*
#
# The speeds of all clocks at once:
#
# $$\omega_i = 10000^{-2i/d_{\text{model}}}, \qquad i = 0, 1, \dots, \tfrac{d_{\text{model}}}{2} - 1 .$$
#
# For $d_{\text{model}} = 8$ these are 1, 0.1, 0.01 and 0.001: each clock is slower than the one before by the same factor. An odd $d_{\text{model}}$
# would leave a sine without its cosine: raise a `ValueError`.
#
# **Why 10000?** The paper gives no reason, and there is nothing exact about it. The base says how slow the slowest clock is. In a table of width 64 that clock
# comes round after 47,117 positions, more than any sentence has: it alone tells roughly how far the text has come. With a base of 100 it would come round
# after 544 positions, and in a longer text no single hand would tell that any more. (The rows would still differ, in how the hands stand together.) With
# a million, nearly half of the clocks (15 of 32) would turn by less than 0.1 radian in the first 100 positions: columns that say next to nothing in a short
# sentence. So the base goes with the length of the texts, and models that read very long ones have larger bases.

# %%
plots.show(
    figures.speeds(),
)


# %% nbgrader={"grade": false, "grade_id": "frequencies", "locked": false, "schema_version": 3, "solution": true, "task": false}
def frequencies(d_model):
    """How far each clock's hand turns from one position to the next: 10000^(-2i / d_model).

    Args:
        d_model: width of the tokens, even.

    Returns:
        (d_model // 2,), in radians a position; the first is 1.

    Raises:
        ValueError: d_model is odd.
    """
    ### BEGIN SOLUTION
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}; sines and cosines come in pairs, so it must be even")
    i = np.arange(d_model // 2)
    return 10000.0 ** (-2 * i / d_model)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_frequencies", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(frequencies)
### BEGIN HIDDEN TESTS
check(frequencies, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ### `sinusoidal_encoding` · exercise, 5 points
#
# *Core, about 20 minutes.*
#
# Now the whole table, a row for each position, counted from 0. For $d_{\text{model}} = 4$ it begins
#
# | position | $\sin(p\,\omega_0)$ | $\cos(p\,\omega_0)$ | $\sin(p\,\omega_1)$ | $\cos(p\,\omega_1)$ |
# |---|---|---|---|---|
# | 0 | 0 | 1 | 0 | 1 |
# | 1 | 0.8415 | 0.5403 | 0.0100 | 1.0000 |
# | 2 | yours | yours | yours | yours |
#
# Sine and cosine of one clock are *neighbours* and share *one* angle. Two ways to get there: one row after the other in a loop; or first a table of all
# angles, `(n_positions, d_model // 2)`, a column of positions times a row of frequencies, whose sines go to every second column of the result
# (`PE[:, 0::2]` are the columns 0, 2, 4, ...). An odd $d_{\text{model}}$ is a `ValueError` here too.


# %% nbgrader={"grade": false, "grade_id": "sinusoidal_encoding", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sinusoidal_encoding(n_positions, d_model):
    """Position vectors: PE[p, 2i] = sin(p ω_i), PE[p, 2i+1] = cos(p ω_i).

    Args:
        n_positions: how many positions, counted from 0.
        d_model: width of the tokens, even.

    Returns:
        PE, (n_positions, d_model).

    Raises:
        ValueError: d_model is odd.
    """
    ### BEGIN SOLUTION
    angles = np.arange(n_positions)[:, None] * frequencies(d_model)  # (n, d/2)
    PE = np.empty((n_positions, d_model))  # (n, d)
    PE[:, 0::2] = np.sin(angles)
    PE[:, 1::2] = np.cos(angles)
    return PE
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_sinusoidal_encoding", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(sinusoidal_encoding)
### BEGIN HIDDEN TESTS
check(sinusoidal_encoding, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Here is such a table for 100 positions and width 64. Read it by columns, and you see waves: quick ones on the left, and on the right some so slow that
# nothing has happened after 100 positions. Read it by rows, and you see the name of a place: no row comes twice, and no entry is larger than 1, however
# long the sentence.

# %%
plots.show(
    figures.encoding_map(),
)

# %% [markdown]
# Move the slider: each step of `position` turns every hand by its own angle. The bars beneath are the row of the table, two for each clock.

# %%
plots.explore(
    figures.clocks_at,
    start={"position": 25},
    position=range(101),
)

# %% [markdown]
# ## 4 · Word and place in one vector
#
# The position vector is as wide as the token, and the two are **added**. So the width stays the same, and nothing that comes after has to know that
# there are positions. One thing has to be agreed on first: how large the numbers in an embedding are. It is a **convention** of the first Transformers to
# start them small, with a
# size near $1/\sqrt{d_{\text{model}}}$, so that a whole vector has length about 1. Sines and cosines go up to 1 and would drown them: at width 512 an
# entry is about 0.04. (At width 8, as below, the difference is small.) Times
# $\sqrt{d_{\text{model}}}$, the word is about as loud as its place. (Other conventions are about: `torch.nn.Embedding` starts with entries of size 1, and
# needs no such factor.) This course keeps the paper's factor:
#
# $$\sqrt{d_{\text{model}}}\; X + P[:n] .$$

# %%
d_model = X.shape[1]
embedded = X / np.sqrt(d_model)  # small, by this convention
plots.show(
    figures.sum_of_word_and_place(embedded, words),
)

# %% [markdown]
# ### `add_positions` · exercise, 2 points
#
# *Core, about 10 minutes.*
#
# By hand, with $d_{\text{model}} = 4$ and so $\sqrt{d_{\text{model}}} = 2$, for the token at position 0:
#
# $$2 \cdot (0.1,\ 0.2,\ 0,\ {-0.3}) + (0,\ 1,\ 0,\ 1) = (0.2,\ 1.4,\ 0,\ 0.4) .$$
#
# `P` is made once, for the longest sentence there may be; a sentence of $n$ tokens takes its first $n$ rows. If the sentence is longer than `P`, or of
# another width, there is no right answer: raise a `ValueError`. Compare the shapes yourself, because a `P` with a single row or column would spread
# over all of `X` without complaint.


# %% nbgrader={"grade": false, "grade_id": "add_positions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def add_positions(X, P):
    """Tokens that know their place: √d_model · X + P[:n].

    Args:
        X: tokens, (n, d_model).
        P: position vectors, (n_max, d_model), n_max at least n.

    Returns:
        (n, d_model).

    Raises:
        ValueError: X is longer than P, or of another width.
    """
    ### BEGIN SOLUTION
    n, d_model = X.shape
    if n > P.shape[0] or d_model != P.shape[1]:
        raise ValueError(f"X has shape {X.shape} and P {P.shape}; P must be as wide as X and at least as long")
    return np.sqrt(d_model) * X + P[:n]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_add_positions", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(add_positions)
### BEGIN HIDDEN TESTS
check(add_positions, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Back to the two sentences of the beginning, with your encoding added. The two *the* have rows of their own now, and the row of *dog* tells whether the
# dog bites or is bitten.

# %%
with plots.demonstration("sinusoidal_encoding", "add_positions", "permutation_gap"):
    P = sinusoidal_encoding(20, d_model)
    placed, placed_shuffled = add_positions(embedded, P), add_positions(embedded[order], P)
    plots.show(
        figures.sentences(
            [scaled_dot_product_attention(Z, Z, Z)[0] for Z in (placed, placed_shuffled)],
            [words, shuffled],
            ["With positions: the dog that bites ...", "... is not the dog that is bitten"],
            follow="dog",
        ),
    )
    without, with_positions = permutation_gap(X, P[: len(X)], order)
    print(f"without positions: {without:.0e}   with yours: {with_positions:.2f}")

# %% [markdown]
# One trap for later units, where several sentences stand in one array $(\text{batch}, n, d_{\text{model}})$: positions run along the axis of the *tokens*.
# There,
# `P[:len(X)]` counts the sentences; with a single sentence in the batch it is one row, and every token silently gets position 0. `P[:X.shape[-2]]`
# counts the tokens.

# %% [markdown]
# ## 5 · A distance is the same everywhere
#
# The third wish was that a step means the same everywhere. Attention compares vectors by dot products, so compare two rows of the table. For one clock,
# with $a = p\,\omega_i$ and $b = q\,\omega_i$,
#
# $$\sin a \sin b + \cos a \cos b = \cos(a - b),$$
#
# and summed over all clocks
#
# $$PE[p] \cdot PE[q] = \sum_i \cos\big((p - q)\,\omega_i\big) .$$
#
# The places $p$ and $q$ are gone; only their **distance** $p - q$ is left. Look at the curve on the right: the product is largest at the place itself and
# falls quickly on both sides.

# %%
plots.show(
    figures.products(),
)

# %% [markdown]
# Try it with your own table: the pairs of positions below are all 4 apart.

# %%
with plots.demonstration("sinusoidal_encoding"):
    table = sinusoidal_encoding(60, 64)
    for p, q in ((3, 7), (20, 24), (55, 51)):
        print(f"PE[{p}] · PE[{q}] = {table[p] @ table[q]:.4f}")

# %% [markdown]
# Two things these products do **not** give, although one might wish for them:
#
# * *Nearer is not always larger.* From a distance of about 5 on the curve no longer falls steadily. At 25 it is 20.1, at 22 only 17.6: the hands of the
#   quick clocks have come round and agree again.
# * *Before and after are alike.* $\cos(a - b)$ is $\cos(b - a)$, so four places before gives the same product as four places after; the last of your three
#   lines goes backwards. In *dog bites man* both stand one place from *bites*: from products of
#   encodings alone nobody can tell who bites whom.
#
# For that one needs the direction of the step, and it is in the table too, in another way.

# %% [markdown]
# ## 6 · A step is a turn
#
# To go `offset` positions on, every hand turns by $a = \text{offset} \cdot \omega_i$: the fast one far, the slow one a little. **How far it turns does
# not depend on where it stood.** Move `position`, and the angles between grey and blue stay; move `offset`, and they change.

# %%
plots.explore(
    figures.rotating_pairs,
    start={"offset": 5},
    position=range(20, 61),
    offset=range(-20, 41),
)

# %% [markdown]
# ### `shift_matrix` · exercise, 3 points
#
# *Extra, about 20 minutes.*
#
# A turn is a matrix. So there is one matrix $M$ that takes *every* position to the one `offset` later:
#
# $$PE[p + \text{offset}] = M\; PE[p] \quad\text{for every } p,$$
#
# with $PE[p]$ as a column. A model can learn such a matrix inside of its $W_q$ or $W_k$, and with it "three words back", once for all places. The matrix for
# three back is not the
# one for three onwards: here before and after are told apart.
#
# Start with one clock. The addition theorems say how the pair at angle $x + a$ comes from the pair at angle $x$:
#
# $$\begin{aligned} \sin(x + a) &= \sin x\,\cos a + \cos x\,\sin a \\ \cos(x + a) &= \cos x\,\cos a - \sin x\,\sin a \end{aligned}$$
#
# Read off the $2 \times 2$ matrix that acts on the column $(\sin x,\ \cos x)$. Test it with $a = 1$: it must take $(0, 1)$ to $(0.8415, 0.5403)$,
# position 0 to position 1. Then give each clock its own such block, on the diagonal of a matrix $(d_{\text{model}}, d_{\text{model}})$ that is zero
# elsewhere. `offset` may be negative or 0; an odd $d_{\text{model}}$ is a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "shift_matrix", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shift_matrix(offset, d_model):
    """The matrix that moves every position on: PE[p + offset] = shift_matrix(offset, d_model) @ PE[p].

    Args:
        offset: how many positions onwards; negative goes back.
        d_model: width of the tokens, even.

    Returns:
        (d_model, d_model).

    Raises:
        ValueError: d_model is odd.
    """
    ### BEGIN SOLUTION
    M = np.zeros((d_model, d_model))
    for i, omega in enumerate(frequencies(d_model)):
        c, s = np.cos(offset * omega), np.sin(offset * omega)
        M[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[c, s], [-s, c]]
    return M
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_shift_matrix", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(shift_matrix)
### BEGIN HIDDEN TESTS
check(shift_matrix, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of `shift_matrix`: one step on in two features hides most of them. Try more features, no step, a step back, and
# arguments that it should refuse.

# %%
from helpers import catch

catch("shift_matrix", 1, 2)  # offset, d_model

# %% [markdown]
# Your matrix for 3 steps, and a test on places far apart: the same `M` serves them all.

# %%
with plots.demonstration("sinusoidal_encoding", "shift_matrix"):
    M = shift_matrix(3, 8)
    table = sinusoidal_encoding(2000, 8)
    plots.show(
        figures.turned_blocks(M, 3),
    )
    for p in (0, 50, 1900):
        error = np.abs(M @ table[p] - table[p + 3]).max()
        print(f"from {p} to {p + 3}: largest error {error:.0e}")

# %% [markdown]
# ## What you have now
#
# * Attention by itself sees a bag of words: shuffle the tokens, and the outputs are shuffled in the same way, nothing else.
# * A vector for the place, as wide as the token, is added to $\sqrt{d_{\text{model}}}$ times the token.
# * Its entries are clock hands: even ones sines, odd ones cosines, each pair slower than the one before.
# * Products of position vectors depend on the distance alone, not on its direction; a step, with its direction, is the same turn everywhere.
#
# Many later models *learn* the table `P` instead, like any other weights. That works as well up to the longest sentence of the training, and has no
# row beyond it. Yours has a row for every place: it can be *computed* for any length. That does not mean that a model *understands* any length. A model
# trained on short sentences meets
# rows that it has never seen, and usually does badly with them. And since a step is a turn, one can turn the queries and keys themselves
# instead of adding anything: you will do that in unit 8.
#
# **Sources.** Vaswani and others, 2017, *Attention Is All You Need*, section 3.5 (sines and cosines, the base, the factor $\sqrt{d_{\text{model}}}$ in 3.4).
# Gehring and others, 2017, *Convolutional
# Sequence to Sequence Learning* (learned positions). Su and others, 2021, *RoFormer: Enhanced Transformer with Rotary Position Embedding* (turning queries
# and keys). Kazemnejad
# and others, 2023, *The Impact of Positional Encoding on Length Generalization in Transformers* (what happens beyond the trained length).
#
# **Next:** unit 4 lets several attentions look at one sentence side by side, each for something else.
#
# **Hand in.** Save the notebook, run *Validate*, and submit it as unit 0 shows.

# %%
from helpers import progress

progress("u3")
