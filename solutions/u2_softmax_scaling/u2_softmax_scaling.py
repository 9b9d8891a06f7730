# %% [markdown]
# # Unit 2 · From scores to attention
#
# Unit 1 ended with a table of scores $QK^\top$: how well each query fits each key. In this unit the scores become
# **weights**, the weights mix the **values**, and the result is attention, complete:
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)\,V$$
#
# You write every piece of it. On the way you find out by measuring why that $\sqrt{d_k}$ is there.
#
# | you write | it computes | points |
# |---|---|---|
# | `softmax` | weights from scores | 3 |
# | `weighted_sum` | a mixture of values | 1 |
# | `score_variance` | how large dot products of wide vectors are | 2 |
# | `softmax_jacobian` | how much a weight answers to a score | 3 |
# | `scale_scores` | scores that do not grow with the width | 1 |
# | `why_square_root` | in your own words: why $\sqrt{d_k}$ | 2 |
# | `scaled_dot_product_attention` | the formula above | 4 |
# | `local_attention` | the same, looking only at the neighbourhood | 2 |
# | `additive_scores` | another way to score | 2 |
#
# NumPy throughout, and about two hours. Unit 3 gives the words their order back, unit 4 sets several attentions side by
# side.

# %% nbgrader={"grade": false, "grade_id": "u2_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from helpers import check, hint, plots
from helpers.plots import u2_softmax_scaling as pictures

# %% [markdown]
# ## 1 · Scores become weights
#
# A score can be any number, also a negative one. To share out attention we need numbers that are positive and sum to 1.
# **Softmax** makes them: raise $e$ to each score, then divide by the sum.
#
# $$w_i = \frac{e^{x_i}}{\sum_j e^{x_j}}$$
#
# **By hand.** A query scores 2 with *burger*, 1 with *we*, 0 with *a*. With $e^2 = 7.39$, $e^1 = 2.72$ and $e^0 = 1$,
# the sum is $11.11$, and the weights are $7.39/11.11 = 0.67$, $0.24$ and $0.09$: together 1.

# %%
plots.show(
    pictures.softmax_steps(["burger", "we", "a"], [2, 1, 0]),
)

# %% [markdown]
# Only **differences** count: 1 more in the score is $e \approx 2.72$ times the weight, wherever you start. So the
# scores $1002, 1001, 1000$ must give the same weights as $2, 1, 0$. Does the formula, typed as it stands?

# %%
with np.errstate(over="ignore"):
    print("exp of 2, 1, 0:         ", np.exp([2.0, 1.0, 0.0]))
    print("exp of 1002, 1001, 1000:", np.exp([1002.0, 1001.0, 1000.0]))

# %% [markdown]
# `inf / inf` is NaN, *not a number*, and one NaN spoils everything it meets. The way out follows from the same fact:
# since only differences count, subtract the largest score first. Then the largest exponential is $e^0 = 1$, and nothing
# can overflow.
#
# It has to be the largest score **of each row**. Suppose one row lies around $10000$ and another around $-10000$, and
# you subtract one maximum from both: the second row is then $e^{-20000} = 0$ in every place, and the division is $0/0$.
#
# Two more things that later units need:
#
# - A score of $-\infty$ (`-np.inf`) means *not there*. Its weight is $e^{-\infty} = 0$; that works by itself.
# - A row with **nothing but** $-\infty$ has nobody to attend to. Its weights shall be zeros, not NaN. Watch the step
#   where $-\infty - (-\infty)$ would turn up, and the one where you would divide by 0.
#
# ### Exercise: `softmax` (3 points)
#
# `axis` is the axis along which the weights sum to 1; the maximum and the sum both run along it. `keepdims=True` leaves
# a 1 in its place, so that the shapes still fit. Try it on scores of $\pm 10^4$. Integers are welcome and give real
# numbers.


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(x, axis=-1):
    """Weights along an axis: softmax(x)_i = exp(x_i) / Σ_j exp(x_j).

    Args:
        x: scores, any shape; -inf stands for "not there".
        axis: the axis along which the weights sum to 1.

    Returns:
        weights, shape of x; zeros where a whole row is -inf.
    """
    ### BEGIN SOLUTION
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isneginf(largest), 0, largest)  # -inf minus -inf would be NaN
    raised = np.exp(x - largest)
    total = raised.sum(axis=axis, keepdims=True)
    return raised / np.where(total == 0, 1, total)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_softmax", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(softmax)
### BEGIN HIDDEN TESTS
check(softmax, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Weights mix the values
#
# *Tonight we eat a burger.* What should the vector of *burger* hold, once it has read the sentence? Say its query was
# scored against the four words around it, and softmax gave *tonight* $0.5$, *we* $0.1$, *eat* $0.3$ and *a* $0.1$. Then
# the new *burger* is
#
# $$y_{\text{burger}} = 0.5\,v_{\text{tonight}} + 0.1\,v_{\text{we}} + 0.3\,v_{\text{eat}} + 0.1\,v_{\text{a}} .$$
#
# **By hand.** The values of unit 1 tell about (*person*, *food*, *time*): *tonight* $(0, 1, 2)$, *we* $(2, 0, 0)$,
# *eat* $(1, 2, 0)$, *a* $(0, 0, 0)$. The first entry is $0.5\cdot 0 + 0.1\cdot 2 + 0.3\cdot 1 + 0.1\cdot 0 = 0.5$. Find
# the other two.
#
# <details><summary>Compare</summary>
#
# *food*: $0.5\cdot 1 + 0.3\cdot 2 = 1.1$; *time*: $0.5\cdot 2 = 1.0$. The new *burger* is $(0.5, 1.1, 1.0)$: something
# to eat, tonight, by someone.
#
# </details>

# %%
features = ["person", "food", "time"]
others = ["tonight", "we", "eat", "a"]
values = np.array([[0, 1, 2], [2, 0, 0], [1, 2, 0], [0, 0, 0]], dtype=float)  # a row for each
plots.show(
    pictures.mixture(others, [0.5, 0.1, 0.3, 0.1], values, features, renewed="burger"),
)

# %% [markdown]
# Every word of the sentence is renewed in this way, each with a row of weights of its own. All rows of weights in a
# matrix $(n_q, n_k)$, all values in $V$ of shape $(n_k, d_v)$, and the new words are
#
# $$y_i = \sum_j w_{ij}\,v_j .$$
#
# The sum runs over **all** tokens $j$. So whatever a word needs may stand anywhere: the neighbour and the word forty
# places back are each one step away.

# %%
plots.show(
    pictures.reach(),
)

# %% [markdown]
# ### Exercise: `weighted_sum` (1 point)
#
# Batch axes may come first in both. A row of zeros among the weights (nobody to attend to) gives a row of zeros. One
# weight too many or too few is a `ValueError`; NumPy's own will do.


# %% nbgrader={"grade": false, "grade_id": "weighted_sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def weighted_sum(weights, V):
    """Each query's mixture of the values: y_i = Σ_j weights[i, j] · v_j.

    Args:
        weights: (..., n_q, n_k).
        V: values, (..., n_k, d_v).

    Returns:
        outputs, (..., n_q, d_v).
    """
    ### BEGIN SOLUTION
    return weights @ V  # (..., n_q, d_v)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_weighted_sum", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check(weighted_sum)
### BEGIN HIDDEN TESTS
check(weighted_sum, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Scores, weights, mixture: that is all of attention, and you can picture it without a formula. In unit 1 a shopper
# passed shop windows. Now think of toys strewn over a room, each **looking for its friends**. A toy looks at every toy
# (a query meets all keys), its eyes rest longest on those that are like it (weights), and it walks to the mixture of
# the *places* where they are (values). All toys do this at the same moment.

# %%
plots.show(
    pictures.toys(),
)

# %% [markdown]
# Nobody told the bear where the rabbit was. It found it by what it *is*, not by where it *stood*. Hold on to that: it
# is a strength here, and a weakness that unit 3 has to mend.

# %% [markdown]
# ## 3 · Wide vectors have loud products
#
# So far $d_k$ was 2. Real models use 64 or more. What does the width do to a dot product?
#
# Take $q$ and $k$ with random entries, each of mean 0 and variance 1. One product $q_1 k_1$ has mean 0 and variance 1.
# The dot product adds $d_k$ of them, independent of each other, and variances of independent numbers add up:
#
# $$\mathrm{Var}(q \cdot k) = 1 + 1 + \dots + 1 = d_k .$$
#
# A *typical size* is the root of that: about 10 in 100 dimensions and 14 in 200. Two hundred dimensions outweigh one
# hundred for no better reason than that there are more of them.
#
# ### Exercise: `score_variance` (2 points)
#
# Do not believe it: measure it. Draw `n_pairs` pairs with independent standard normal entries, take the dot product of
# each pair, and return the variance of these `n_pairs` numbers. `rng = np.random.default_rng(seed)` makes a generator,
# `rng.normal(size=...)` draws from it. Everything random must come from `seed`: the same seed gives the same number,
# another seed another.


# %% nbgrader={"grade": false, "grade_id": "score_variance", "locked": false, "schema_version": 3, "solution": true, "task": false}
def score_variance(d_k, n_pairs, seed):
    """Measured variance of q · k over random pairs with unit-normal entries.

    Args:
        d_k: width of q and of k.
        n_pairs: number of pairs.
        seed: of the random generator.

    Returns:
        the variance of the n_pairs dot products, a float.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(n_pairs, d_k))
    k = rng.normal(size=(n_pairs, d_k))
    return float(np.var((q * k).sum(axis=-1)))  # (n_pairs,) to a number
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_score_variance", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(score_variance)
### BEGIN HIDDEN TESTS
check(score_variance, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Here is the variance against the width. Once you have answered, the dots are your own measurements.

# %%
widths = [1, 4, 16, 64, 256, 512]
try:
    measured = [score_variance(d, 500, seed=0) for d in widths]
except NotImplementedError:
    measured = None
plots.show(
    pictures.variance_growth(widths, measured),
)

# %% [markdown]
# ## 4 · Loud scores make a deaf softmax
#
# Why should large scores be bad? Two scores that differ by 1 have weights as $2.7 : 1$. Scores that differ by 10 have
# weights as $22026 : 1$. With large scores one key takes everything: the softmax is **saturated**.
#
# And a saturated softmax cannot learn. Training nudges each score and asks how the weights answer. That answer is the
# **Jacobian**: entry $(i, j)$ says how fast weight $i$ moves when score $j$ does. Differentiate
# $p_i = e^{x_i} / \sum_m e^{x_m}$:
#
# - for $i = j$, the score stands above *and* below:
#   $\;\dfrac{\partial p_i}{\partial x_i} = p_i - p_i^2 = p_i\,(1 - p_i)$;
# - for $i \ne j$, only below: $\;\dfrac{\partial p_i}{\partial x_j} = -p_i\,p_j$.
#
# Both in one, with $\delta_{ij} = 1$ for $i = j$ and 0 otherwise:
#
# $$J_{ij} = p_i\,(\delta_{ij} - p_j), \qquad J = \mathrm{diag}(p) - p\,p^\top .$$
#
# **By hand.** For $p = (0.5, 0.5)$:
#
# $$J = \begin{pmatrix} 0.25 & -0.25 \\ -0.25 & 0.25 \end{pmatrix}.$$
#
# Each row sums to 0, for what one weight gains the others lose. Now work out $J$ for $p = (0.99, 0.01)$.
#
# <details><summary>Compare</summary>
#
# All four entries are $\pm 0.99 \cdot 0.01 = \pm 0.0099$: twenty-five times smaller. And for $p = (1, 0)$ they are
# exactly 0. No nudge of a score changes anything, so no gradient comes back to the queries and keys.
#
# </details>
#
# ### Exercise: `softmax_jacobian` (3 points)
#
# It gets the weights $p$, not the scores. With batch axes in front, each row has a matrix of its own:
# $(\dots, n) \to (\dots, n, n)$. `np.diag` and `np.outer` know one row only. With a new axis all rows are served at once:
# `p[..., :, None]` holds them as columns $(\dots, n, 1)$, `p[..., None, :]` as rows $(\dots, 1, n)$, and a column times a row
# spreads to $(\dots, n, n)$. `np.eye(n)` is $\delta_{ij}$.


# %% nbgrader={"grade": false, "grade_id": "softmax_jacobian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_jacobian(p):
    """How each weight answers to each score: J[i, j] = ∂p_i / ∂x_j = p_i (δ_ij - p_j).

    Args:
        p: weights, softmax of x, (..., n), each row summing to 1.

    Returns:
        J, (..., n, n).
    """
    ### BEGIN SOLUTION
    column, row = p[..., :, None], p[..., None, :]  # (..., n, 1) and (..., 1, n)
    return column * (np.eye(p.shape[-1]) - row)  # (..., n, n)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_softmax_jacobian", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(softmax_jacobian)
### BEGIN HIDDEN TESTS
check(softmax_jacobian, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Now both at once. One random query meets six random keys, and we make all of them wider, from 1 to 256 entries. Above
# are the weights, below their Jacobian: purple is positive, orange negative, white is 0.

# %%
plots.show(
    pictures.saturation(),
)

# %% [markdown]
# ## 5 · The scale
#
# The scores are too large by a known factor, so divide it away. Dividing numbers by $c$ divides their variance by
# $c^2$. The variance is $d_k$, and we want 1, so $c^2 = d_k$:
#
# $$\text{scaled score} = \frac{q \cdot k}{\sqrt{d_k}}, \qquad \mathrm{Var}\Big(\frac{q \cdot k}{\sqrt{d_k}}\Big) = \frac{d_k}{d_k} = 1 .$$
#
# **By hand.** At $d_k = 64$ a typical unscaled score is 8, and so $e^8 = 2981$ times the weight of a score of 0. Scaled
# it is 1, and $2.7$ times the weight.
#
# ### Exercise: `scale_scores` (1 point)


# %% nbgrader={"grade": false, "grade_id": "scale_scores", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scale_scores(scores, d_k):
    """Scores whose variance does not depend on the width: scores / √d_k.

    Args:
        scores: dot products of vectors of width d_k, (n_q, n_k).
        d_k: width of one query, a whole number.

    Returns:
        scaled scores, (n_q, n_k).
    """
    ### BEGIN SOLUTION
    return scores / np.sqrt(d_k)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_scale_scores", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check(scale_scores)
### BEGIN HIDDEN TESTS
check(scale_scores, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# A number by which scores are divided before the softmax is called a **temperature**. Cold, one key takes everything;
# hot, all keys get the same. Leave the temperature at 1 and widen the vectors: the weights freeze. Then warm them up
# again, until the dot on the right lies on the dashed line, where it was at $d_k = 1$. Which temperature does it
# take for $d_k = 4$, 16, 64, 256?

# %%
plots.explore(
    pictures.temperatures,
    start={"d_k": 1, "temperature": 1},
    d_k=[1, 4, 16, 64, 256, 1024],
    temperature=list(pictures.TEMPERATURES),
)

# %% [markdown]
# <details><summary>Compare</summary>
#
# 2, 4, 8, 16: the root of $d_k$ each time. So $\sqrt{d_k}$ is the temperature that makes up for the width, no more and no less.
#
# </details>

# %% [markdown]
# Why the root? Why not divide by $d_k$ itself and be safe? Here are the same six queries and six keys three times: as
# they are, over $\sqrt{d_k}$ and over $d_k$. Move the slider from 1 to 1024 and follow each column.

# %%
plots.explore(
    pictures.three_scales,
    start={"d_k": 64},
    d_k=[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
)

# %% [markdown]
# The same for 300 queries with 8 keys each, at every width.

# %%
plots.show(
    pictures.scales_by_width(),
)

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_square_root", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### Question: `why_square_root` (2 points)
#
# Why are the scores divided by $\sqrt{d_k}$? Say what goes wrong with no scale at all, what goes wrong with $d_k$
# instead, and why the root is just right. Four or five sentences; use what you measured and saw.
#
# ### BEGIN SOLUTION
#
# *Model answer.* A dot product of two vectors with independent entries of variance 1 has variance $d_k$, so its typical
# size is $\sqrt{d_k}$. Without a scale, wide vectors therefore have scores that lie far apart; the softmax gives nearly
# all the weight to one key, its Jacobian $p_i(\delta_{ij} - p_j)$ is nearly 0, and queries and keys get no gradient to
# learn from. Divided by $d_k$, the scores have variance $d_k / d_k^2 = 1/d_k$ and shrink towards 0 as the width grows;
# all weights come near $1/n$, every query gets much the same average of the values, and attention cannot choose any
# more. Divided by $\sqrt{d_k}$ the variance is 1 at every width, so the softmax starts out between the two, decided and
# still able to change.
#
# *Marking guide.* 2 points: one for the variance (or typical size) of $q \cdot k$ growing with $d_k$, and the root
# bringing it to 1 at every width; one for both failures: no scale saturates the softmax and its gradient vanishes,
# $d_k$ makes the weights nearly equal. Half a point each for one failure alone. "Makes the numbers smaller" without
# saying why that helps, or by how much, earns nothing.
#
# ### END SOLUTION

# %% [markdown]
# ## 6 · Attention, complete
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)\,V$$
#
# From the inside out: **scores** (every query against every key, unit 1), **scale** them, **softmax** along each row,
# **mix** the values. Write the shapes down as you go:
#
# $$(n_q, d_k)\,(d_k, n_k) \to (n_q, n_k), \qquad (n_q, n_k)\,(n_k, d_v) \to (n_q, d_v).$$
#
# There may be more keys than queries or fewer, and the values may have a width of their own. Which of all these numbers
# goes under the root?
#
# ### Exercise: `scaled_dot_product_attention` (4 points)
#
# Return both the output and the weights, in this order: the weights are what we look at. One sentence at a time is
# enough. Scores of $\pm 10^4$ must do no harm, and shapes that do not fit are a `ValueError` (NumPy's own will do).


# %% nbgrader={"grade": false, "grade_id": "scaled_dot_product_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scaled_dot_product_attention(Q, K, V):
    """Attention: weights = softmax(Q Kᵀ / √d_k), output = weights V.

    Args:
        Q: queries, (n_q, d_k).
        K: keys, (n_k, d_k).
        V: values, (n_k, d_v).

    Returns:
        output, (n_q, d_v), and weights, (n_q, n_k).
    """
    ### BEGIN SOLUTION
    scores = Q @ np.swapaxes(K, -1, -2)  # (n_q, n_k)
    weights = softmax(scale_scores(scores, Q.shape[-1]))  # (n_q, n_k)
    return weighted_sum(weights, V), weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_scaled_dot_product_attention", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(scaled_dot_product_attention)
### BEGIN HIDDEN TESTS
check(scaled_dot_product_attention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Let your function read the sentence of unit 1, with the same table of words and the same three projections. *eat*
# looks for something edible and for a person. What will its output be?

# %%
tokens = ["tonight", "we", "eat", "a", "burger"]
# (n, d_model), the features person, food, doing, time
X = np.array([[0, 1, 0, 2], [2, 0, 1, 0], [1, 2, 2, 0], [0, 0, 0, 0], [0, 3, 0, 1]], dtype=float)
W_q = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], dtype=float)  # (d_model, d_k)
W_k = np.array([[0, 2], [1, 0], [-1, -1], [0, 0]], dtype=float)  # (d_model, d_k)
W_v = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], dtype=float)  # (d_model, d_v)
Q, K, V = X @ W_q, X @ W_k, X @ W_v

try:
    output, weights = scaled_dot_product_attention(Q, K, V)
except NotImplementedError:
    print("The picture comes here as soon as scaled_dot_product_attention is answered.")
else:
    plots.show(
        pictures.attention(tokens, weights, output, features),
    )

# %% [markdown]
# *eat* has fetched almost exactly what *burger* hands over, $(0, 3, 1)$. And look at the row of *a*: its query is all
# zeros, so all scores are 0, all weights equal, and its output is the plain mean of the values. A word that asks for
# nothing hears everyone alike.
#
# Now a sentence of your own. Nobody has trained anything here, so the computer does not know what your words *mean*. Each
# is given a vector made of its **spelling**: every piece of three letters has a random direction, always the same, and
# a word is the sum of its pieces. *cat* and *cats* share pieces and point a similar way; *cat* and *dog* are strangers.
# (A trained model learns its vectors, and there *cat* and *dog* would be near. You will have one in unit 7.) The
# weights are computed by **your** function; queries, keys and values are all the same $X$. Type, and press Enter.


# %%
def read(sentence, temperature):
    words = pictures.typed(sentence)  # the first 12
    X = pictures.spelled(words)  # (n, 64)
    # Smaller queries have smaller scores: the same as dividing the scores.
    weights = scaled_dot_product_attention(X / temperature, X, X)[1] if words else None
    return pictures.reading(words, weights)


plots.explore(
    read,
    start={"temperature": 1},
    sentence="the cats saw a cat and the dogs saw a dog",
    temperature=[0.25, 0.5, 1, 2, 4, 8],
)

# %% [markdown]
# Try words of one family (*sing singer singing*) and a word that stands twice. Then write the **same words in another
# order**: each word takes its weights along, and nothing else changes.
#
# PyTorch has the same function. Yours should agree with it to the last digits.

# %%
import torch

rng = np.random.default_rng(0)
wide = rng.normal(size=(4, 64)), rng.normal(size=(7, 64)), rng.normal(size=(7, 10))  # Q, K, V
theirs = torch.nn.functional.scaled_dot_product_attention(*map(torch.from_numpy, wide)).numpy()
try:
    yours, _ = scaled_dot_product_attention(*wide)
except NotImplementedError:
    print("The comparison comes here as soon as scaled_dot_product_attention is answered.")
else:
    print(f"largest difference from torch: {np.abs(yours - theirs).max():.1e}")

# %% [markdown]
# ## 7 · Near and far
#
# A long text has many pairs: with $n$ tokens, $n^2$ scores. Much of what a word needs stands close by. So one may let
# each token attend to its **neighbourhood** only, and set all other weights to zero: key $j$ counts for query $i$ if
# $|i - j| \le$ `window`.

# %%
plots.show(
    pictures.windows(),
)

# %% [markdown]
# The price shows in the picture below. Within a window of 1, *was* cannot reach *burger*, the very thing that was good.
# The **far context** matters whenever it is given weight, and full attention can give weight to anything. (Stacking
# layers helps a little: news travels one window further with each.)

# %%
plots.show(
    pictures.near_and_far(),
)

# %% [markdown]
# "Set the weights to zero" needs care. **By hand:** three keys with weights $(0.6, 0.3, 0.1)$, and the first is out of
# the window. Striking it out leaves $(0, 0.3, 0.1)$, which sums to $0.4$. What remains must sum to 1 again:
# $(0, 0.75, 0.25)$.
#
# Dividing by what is left, $0.4$, works until the far key has a huge score: then the softmax leaves $0$ for all others,
# and nothing to divide. It is safer to rule the far keys out **before** the softmax, so that they never take a share.
# Which score has weight exactly 0? You met it in section 1.
#
# ### Exercise: `local_attention` (2 points)
#
# Scaled scores as before. $i$ and $j$ both count from 0, also when there are more keys than queries or fewer. A query
# whose whole window lies behind the last key sees nothing: its weights and its output are zeros.
# `np.arange(n)[:, None]` makes a column, and a column minus a row gives all differences.


# %% nbgrader={"grade": false, "grade_id": "local_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def local_attention(Q, K, V, window):
    """Scaled dot-product attention in which query i gives key j no weight where |i - j| > window.

    Args:
        Q: queries, (n_q, d_k).
        K: keys, (n_k, d_k).
        V: values, (n_k, d_v).
        window: the largest distance still seen, at least 0.

    Returns:
        output, (n_q, d_v), and weights, (n_q, n_k). Each row of the weights sums to 1,
        or is zeros if the query sees no key.
    """
    ### BEGIN SOLUTION
    scores = scale_scores(Q @ K.T, Q.shape[-1])  # (n_q, n_k)
    distance = np.abs(np.arange(len(Q))[:, None] - np.arange(len(K)))  # (n_q, n_k)
    weights = softmax(np.where(distance <= window, scores, -np.inf))
    return weighted_sum(weights, V), weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_local_attention", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(local_attention)
### BEGIN HIDDEN TESTS
check(local_attention, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 8 · The dot product is one choice of score
#
# Softmax and mixture do not ask where the scores come from. Anything that says how well a query fits a key will do: the
# dot product, the cosine, a distance, or a small network. Each has its own idea of which queries fit a key.

# %%
plots.show(
    pictures.other_scores(),
)

# %% [markdown]
# The first attention that made a splash, in machine translation in 2014, used the network on the right. Query and key
# are each projected to $h$ hidden numbers, **added**, bent by $\tanh$, and weighed by a vector $v$:
#
# $$s_{ij} = v \cdot \tanh(q_i\,W_q + k_j\,W_k) .$$
#
# **By hand**, with $h = 2$: let $q\,W_q = (1, 0)$, $k\,W_k = (0, -1)$ and $v = (2, 1)$. The sum is $(1, -1)$, its tanh
# $(0.76, -0.76)$, the score $2 \cdot 0.76 - 0.76 = 0.76$.
#
# This score has two advantages: queries and keys may differ in width, and $\tanh$ keeps the hidden numbers between $-1$
# and $1$, however wide the two are. Why then did the dot product win? Because all scores are *one* matrix product, and
# that is what computers do fastest; the network needs $h$ values of $\tanh$ for every pair.
#
# ### Exercise: `additive_scores` (2 points)
#
# Every query meets every key, so two of the arrays need a new axis before they can be added:
# $(n_q, 1, h) + (1, n_k, h) \to (n_q, n_k, h)$. Widths that do not fit are a `ValueError`; NumPy's own will do.


# %% nbgrader={"grade": false, "grade_id": "additive_scores", "locked": false, "schema_version": 3, "solution": true, "task": false}
def additive_scores(Q, K, W_q, W_k, v):
    """Additive score of every query against every key: s[i, j] = v · tanh(Q[i] W_q + K[j] W_k).

    Args:
        Q: queries, (n_q, d_q).
        K: keys, (n_k, d_k); d_k may differ from d_q.
        W_q: (d_q, h).
        W_k: (d_k, h).
        v: (h,).

    Returns:
        scores, (n_q, n_k).
    """
    ### BEGIN SOLUTION
    hidden = np.tanh((Q @ W_q)[:, None, :] + (K @ W_k)[None, :, :])  # (n_q, n_k, h)
    return hidden @ v  # (n_q, n_k)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_additive_scores", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(additive_scores)
### BEGIN HIDDEN TESTS
check(additive_scores, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## What you have now
#
# - **Softmax** turns scores into weights: positive, each row summing to 1, and safe at any size once the row's maximum
#   is off.
# - The **output** is a mixture of values, $y_i = \sum_j w_{ij} v_j$, and every token is one step from every other.
# - Dot products grow like $\sqrt{d_k}$. Unscaled they **saturate** the softmax, and its Jacobian fades; $\sqrt{d_k}$
#   keeps both the same at every width.
# - A score of $-\infty$ takes a key out. You used it for a neighbourhood; unit 6 uses it to hide the future.
#
# Something is still missing. Shuffle the words, and each gets exactly the same output as before: attention does not
# know **order**. Unit 3 shows it, and mends it with sines and cosines.
#
# **How to hand in:** run *Kernel → Restart Kernel and Run All Cells*, see that every check is green, save, press
# **Validate**, and then **Submit** in the assignment list.

# %%
from helpers import progress

progress("u2")
