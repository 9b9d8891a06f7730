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
# NumPy throughout, and about three hours. Unit 3 gives the words their order back, unit 4 sets several attentions side by
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
# Only **differences** count: of two keys in the same row, the one that scores 1 more has $e \approx 2.72$ times the weight of
# the other, wherever the two scores lie. (How large both weights *are* depends on all keys, for they share out 1.) So the
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
# Some keys must not be seen at all: in section 7 those that stand too far away, in units 4 and 6 empty places and the future. For
# them the score $-\infty$ (`-np.inf`) means *not there*:
#
# - The weight of such a key is $e^{-\infty} = 0$; that works by itself.
# - A row may have **nothing but** $-\infty$: a query that sees no key at all. You will make such a row yourself in section 7. It has nobody
#   to attend to, so its weights shall be zeros, not NaN. Watch the step where $-\infty - (-\infty)$ would turn up, and the
#   one where you would divide by 0. It is best if neither happens: a NaN that you turn into 0 afterwards passes as well, but the same line would hide a
#   NaN that came in with $x$.
#
# ### `softmax` · exercise, 3 points
#
# *Core, about 20 minutes.*
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
# **Catch them** (no points). Wrong versions of `softmax`, numbered and unnamed: which input gives each away? With small scores nearly all of them look
# right. Think of what the text above warns of: large scores, rows far apart, $-\infty$, another `axis`, whole numbers.

# %%
from helpers import catch

catch("softmax", np.array([2.0, 1.0, 0.0]))

# %% [markdown]
# ## 2 · Weights mix the values
#
# Back to the mall of unit 1. The wish *warm and sweet* scored 3 with the coats, 4 with hot cocoa, 1 with ice cream and 0 with the books. Softmax
# makes shares of these: $0.256$, $0.696$, $0.035$ and $0.013$. Now the shopper fills one bag, and takes from **every** shop its share of the goods. (Still
# without the $\sqrt{d_k}$ of the formula, which comes in section 5.)

# %%
shops = ["coats", "hot cocoa", "ice cream", "books"]
goods = np.array([[2, 0, 0], [0, 2, 0], [0, 1, 0], [0, 0, 3]], dtype=float)  # so much cloth, sugar, paper
raised = np.exp([3, 4, 1, 0])
plots.show(
    pictures.mixture(shops, raised / raised.sum(), goods, ["cloth", "sugar", "paper"], renewed="bag", of="shop"),
)

# %% [markdown]
# Nothing was chosen and nothing left out. The best fit has most of the bag, and even the books are in it, with a hundredth of their paper.
#
# Now with words. *Tonight we eat a burger.* What should the vector of *burger* hold, once it has read the sentence? To see the arithmetic,
# take four round numbers that are **invented**: *burger* gives the four other words the weights $0.5$ (*tonight*), $0.1$ (*we*), $0.3$
# (*eat*) and $0.1$ (*a*), and itself nothing. Then the new *burger* is
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
#
# In section 6 your own function computes the weights of *burger* from its query and the keys. They will be quite different ones.

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
# ### From a mean to a mixture
#
# How does one compute all the mixtures of a sentence? Start with the dullest weights there are, and change one thing at a time. (No points: run, read,
# change a number.)

# %%
n_k, d_v = values.shape  # 4 words with 3 features each, from above

# 1. A loop that adds up all values and divides by their number: the mean. It hears every word alike.
y = np.zeros(d_v)
for j in range(n_k):
    y = y + values[j] / n_k
print("1. the mean:              ", y)

# 2. The same loop with a weight for each word in place of 1/n: the mixture of one query.
w = [0.5, 0.1, 0.3, 0.1]
y = np.zeros(d_v)
for j in range(n_k):
    y = y + w[j] * values[j]
print("2. the mixture of burger: ", y)

# 3. A second loop around it, for a second query that hears all alike: a row of weights for each query.
weights = np.array([w, [0.25, 0.25, 0.25, 0.25]])  # (n_q, n_k) = (2, 4)
Y = np.zeros((len(weights), d_v))
for i in range(len(weights)):
    for j in range(n_k):
        Y[i] = Y[i] + weights[i, j] * values[j]
print("3. both in one array:\n", Y)

# %% [markdown]
# Look at the last line inside of the loops: entry $(i, c)$ of the result is $\sum_j w_{ij} V_{jc}$, *row $i$ of the weights* times *column $c$ of the
# values*. You know an operation that does just this, without any loop.
#
# ### `weighted_sum` · exercise, 1 point
#
# *Core, about 5 minutes.*
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
# And where do the weights come from? From scores, by your softmax. Scores that are all 0 give the mean again; raise one of them, and its word is heard more.

# %%
with plots.demonstration("softmax", "weighted_sum"):
    for scores in ([0, 0, 0, 0], [2, 0, 0, 0], [9, 0, 0, 0]):  # of tonight, we, eat, a
        w = softmax(np.array([scores], dtype=float))  # (1, 4)
        print(scores, "→ weights", w[0].round(2), "→ mixture", weighted_sum(w, values)[0].round(2))

# %% [markdown]
# Scores, weights, mixture: that is all of attention, and you can picture it without a formula. Take the room of unit 1 again, with toys that **look
# for their friends**. A toy holds its note against every badge (a query meets all keys). Where the badge fits the note, its eyes rest longest (weights): the
# *horse* looks at the *knight*, who is nothing like a horse. What it takes in is the mixture of the *places* of all it looked at
# (values), and it walks half of the way there. All toys do this at the same moment.

# %%
plots.show(
    pictures.toys(),
)

# %% [markdown]
# (The scores are set by hand: 2.5 for a friend, 0 for everyone else. And that a toy goes only half of the way, so that it keeps half of its own place, is an
# idea for which
# unit 5 has a name.)
#
# Nobody told the horse where the knight was. It found the knight by what his badge *says*, not by where he *stood*. Hold on to that: it
# is a strength here, and a weakness that unit 3 has to mend.

# %% [markdown]
# ## 3 · Wide vectors have loud products
#
# So far $d_k$ was 2. Real models use 64 or more. What does the width do to a dot product?
#
# <details><summary><b>Refresher: mean, variance, independent</b> (two minutes)</summary>
#
# The **mean** of a random number is what it is on average. Its **variance** says how far it strays: the average of the *squared* distance from the mean.
# Its root is the typical size of the distance. A coin that gives $+1$ or $-1$ has mean 0, and variance $\tfrac12 (1 + 1) = 1$.
#
# Two numbers are **independent** if knowing one tells nothing about the other. Throw two coins and add: $-2, 0, 0, 2$, each as likely. The mean is
# 0, the variance $\tfrac14 (4 + 0 + 0 + 4) = 2 = 1 + 1$: *variances of independent numbers add up.* It does not hold for one coin counted twice: that gives
# $-2$ or $2$,
# and the variance is 4.
#
# Two more rules. The *product* of two independent numbers of mean 0 and variance 1 has mean 0 and variance $1 \cdot 1 = 1$. (Try it with the
# coins: it is $+1$ or $-1$ again.) And a number *divided by $c$* has its variance divided by $c^2$.
#
# </details>
#
# Take $q$ and $k$ with random entries, independent of each other, each of mean 0 and variance 1. One product $q_i k_i$ has mean 0 and variance 1.
# The dot product adds $d_k$ of them, independent as well, and so the variances add up:
#
# $$\mathrm{Var}(q \cdot k) = 1 + 1 + \dots + 1 = d_k .$$
#
# A *typical size* is the root of that: about 10 in 100 dimensions and 14 in 200. Two hundred dimensions outweigh one
# hundred for no better reason than that there are more of them.
#
# ### `score_variance` · exercise, 2 points
#
# *Core, about 10 minutes.*
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
# Here is the variance against the width. Once you have answered, the dots are your own measurements. Five hundred pairs are few: a dot may
# lie a tenth off the line, and more at $d_k = 1$.

# %%
widths = [1, 4, 16, 64, 256, 512]
measured = None
with plots.demonstration("score_variance"):
    measured = [float(score_variance(d, 500, seed=0)) for d in widths]
plots.show(
    pictures.variance_growth(widths, measured),
)

# %% [markdown]
# ## 4 · Loud scores make a deaf softmax
#
# Why should large scores be bad? Two scores that differ by 1 have weights as $2.7 : 1$. Scores that differ by 10 have
# weights as $22026 : 1$. With large scores one key takes everything: the softmax is **saturated**.
#
# And a saturated softmax cannot learn. Training nudges each score a little and asks how the weights answer. So let us nudge: three keys have the scores 1, 0,
# 0, and the first of them
# rises to 1.001.

# %%
with plots.demonstration("softmax"):
    before, after = softmax(np.array([1.0, 0.0, 0.0])), softmax(np.array([1.001, 0.0, 0.0]))
    print("weights:                       ", before.round(4))
    print("their change, divided by 0.001:", ((after - before) / 0.001).round(4))

# %% [markdown]
# Its own weight rises, the others fall, and together they gain nothing. Now the same with a pencil, for all pairs at once. The answer has a name, the
# **Jacobian**: its entry $(i, j)$ says how fast weight $i$ moves when score $j$ does.
#
# <details><summary><b>Refresher: partial derivatives and the quotient rule</b> (two minutes)</summary>
#
# $\dfrac{\partial f}{\partial x_j}$ says how fast $f$ moves when $x_j$ **alone** moves and everything else is held still. So a sum such as
# $S = e^{x_0} + e^{x_1} + e^{x_2}$ has $\dfrac{\partial S}{\partial x_1} = e^{x_1}$: the two other terms do not move, and $e^x$ is its own derivative.
#
# A quotient of two things that both move has the derivative
#
# $$\Big(\frac{u}{S}\Big)' = \frac{u'\,S - u\,S'}{S^2}.$$
#
# Try it on $u = x$, $S = x + 1$ at $x = 1$: $(1 \cdot 2 - 1 \cdot 1)/4 = 0.25$. And from 1 to 1.01 the quotient goes from $0.5$ to $0.50249$.
#
# </details>
#
# Write $p_i = u / S$ for the weight of key $i$, with $u = e^{x_i}$ and $S = \sum_m e^{x_m}$, and let $x_j$ move. In the denominator one term of the sum
# moves: $S' = e^{x_j}$. In the numerator it depends on whether $j$ is $i$.
#
# **First case, $j = i$:** the numerator moves too, $u' = e^{x_i}$, and so
#
# $$\frac{\partial p_i}{\partial x_i} = \frac{e^{x_i}\,S - e^{x_i}\,e^{x_i}}{S^2} = \frac{e^{x_i}}{S} - \Big(\frac{e^{x_i}}{S}\Big)^2 = p_i - p_i^2 = p_i\,(1 - p_i) .$$
#
# **Second case, $j \ne i$:** the numerator stays where it is. Do this one yourself, on paper: put $u' = 0$ into the quotient rule, and write what comes out
# with $p_i$ and $p_j$.
#
# <details><summary>Compare</summary>
#
# $$\frac{\partial p_i}{\partial x_j} = \frac{0 \cdot S - e^{x_i}\,e^{x_j}}{S^2} = -p_i\,p_j .$$
#
# </details>
#
# Does it fit what you measured? $p = (0.576, 0.212, 0.212)$ gives $0.576 \cdot 0.424 = 0.244$ and $-0.576 \cdot 0.212 = -0.122$.
# Both cases in one, with $\delta_{ij} = 1$ for $i = j$ and 0 otherwise:
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
# ### `softmax_jacobian` · exercise, 3 points
#
# *Extra, about 20 minutes.*
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
# **By hand.** At $d_k = 64$ a typical unscaled score is 8, and so has $e^8 = 2981$ times the weight of a score of 0. Scaled
# it is 1, and has $2.7$ times the weight.
#
# ### `scale_scores` · exercise, 1 point
#
# *Core, about 5 minutes.*


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
# take for $d_k = 4$, 16, 64, 256? (On the left is one query with six keys. On the right is the largest weight of 300 other queries, with eight keys
# each, on average.)

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
# 2, 4, 8, 16 (and 32 for 1024): the root of $d_k$ each time. So $\sqrt{d_k}$ is the temperature that makes up for the width, no more and no less.
#
# </details>

# %% [markdown]
# Why the root? Why not divide by $d_k$ itself and be safe? Here are six queries and six keys three times: as
# they are, over $\sqrt{d_k}$ and over $d_k$. Move the slider from 1 to 1024 and follow each of the three.

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

# %% [markdown]
# On the right the slopes over $d_k$ do not vanish, and it may seem harmless. Look at its curve on the left before you answer: where it ends, what does every
# query get?

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_square_root", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `why_square_root` · question, 2 points
#
# *Core, about 15 minutes.*
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
# First one word, all the way, with its numbers. It is *eat* from the sentence of unit 1, with the same table of words and the same three projections. There its
# query $(3, 2)$ scored 3, 3, 0, 0 and 9.

# %%
tokens = ["tonight", "we", "eat", "a", "burger"]
# (n, d_model), the features person, food, doing, time
X = np.array([[0, 1, 0, 2], [2, 0, 1, 0], [1, 2, 2, 0], [0, 0, 0, 0], [0, 3, 0, 1]], dtype=float)
W_q = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], dtype=float)  # (d_model, d_k)
W_k = np.array([[0, 2], [1, 0], [-1, -1], [0, 0]], dtype=float)  # (d_model, d_k)
W_v = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], dtype=float)  # (d_model, d_v)
Q, K, V = X @ W_q, X @ W_k, X @ W_v
features = ["person", "food", "time"]  # of the values
plots.show(
    pictures.one_word(tokens, 2, Q, K, V, features),
)

# %% [markdown]
# Follow the row of *burger* from the left: its score is 9, over $\sqrt 2$ it is 6.4, that is 0.97 of all the weight, and so *eat* takes nearly all of
# *burger*'s value $(0, 3, 1)$. Every other word adds a crumb. Together: $(0.03, 2.9, 1.0)$.
#
# ### `scaled_dot_product_attention` · exercise, 4 points
#
# *Core, about 15 minutes.*
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
# Now your function does it for all five words at once. Guess two rows before you run the cell. *burger* has the query $(0, 3)$: it seeks a person. What will
# it fetch?
# And *a* has the query $(0, 0)$.

# %%
with plots.demonstration("scaled_dot_product_attention"):
    output, weights = scaled_dot_product_attention(Q, K, V)
    plots.show(
        pictures.attention(tokens, weights, output, features),
    )

# %% [markdown]
# *burger* gives 0.99 to *we* and fetches almost exactly what *we* hands over, $(2, 0, 0)$. (So much for the invented weights of section 2: what these three
# matrices want, *burger* does.) And look at the row of *a*: its query is all zeros, so all scores are 0, all weights equal, and its output is the plain
# mean of the values. A word that asks for nothing hears everyone alike.
#
# Now a sentence of your own. Nobody has trained anything here, so the computer does not know what your words *mean*. Each
# is given a vector made of its **spelling**: every piece of three letters has a random direction, always the same, and
# a word is the sum of its pieces. (A mark at its start and at its end counts as a letter, so that *a* has a piece, too.) *cat* and *cats* share pieces and point a similar way; *cat* and *dog* are strangers.
# (A trained model learns its vectors, and there *cat* and *dog* would be near. You will have one in unit 7.) The
# weights are computed by **your** function; queries, keys and values are all the same $X$. Type up to 12 words, and press Enter.


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
with plots.demonstration("scaled_dot_product_attention"):
    yours, _ = scaled_dot_product_attention(*wide)
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
# The price shows in the picture below. Its scores are set by hand, to show what a trained model may want. Within a window of 1, *was* cannot reach *burger*,
# the very thing that was good.
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
# ### `local_attention` · exercise, 2 points
#
# *Extra, about 15 minutes.*
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
# dot product, the cosine, a distance, or a small network. Each has its own idea of which queries fit a key. (The numbers of
# the network are made up here; training would put its plateaus where they are wanted.)

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
# <details><summary><b>Refresher: tanh</b> (one minute)</summary>
#
# $\tanh x = \dfrac{e^x - e^{-x}}{e^x + e^{-x}}$ is a curve in the shape of an S. It lets small numbers pass nearly as they are ($\tanh 0 = 0$, $\tanh 0.1 =
# 0.0997$), bends larger
# ones ($\tanh 1 = 0.76$), and never goes beyond 1 ($\tanh 3 = 0.995$). Below zero it is the same with a minus: $\tanh(-1) = -0.76$. In NumPy it is `np.tanh`.
#
# </details>
#
# **By hand**, with $h = 2$: let $q\,W_q = (1, 0)$, $k\,W_k = (0, -1)$ and $v = (2, 1)$. The sum is $(1, -1)$, its tanh
# $(0.76, -0.76)$, the score $2 \cdot 0.76 - 0.76 = 0.76$.
#
# This score has two advantages: queries and keys may differ in width, and $\tanh$ keeps the hidden numbers between $-1$
# and $1$, however wide the two are. Why then did the dot product win? Because all scores are *one* matrix product, and
# that is what computers do fastest; the network needs $h$ values of $\tanh$ for every pair.
#
# ### `additive_scores` · exercise, 2 points
#
# *Extra, about 15 minutes.*
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
#   keeps both nearly the same at every width.
# - A score of $-\infty$ takes a key out. You used it for a neighbourhood; unit 6 uses it to hide the future.
#
# Something is still missing. Shuffle the words, and each gets exactly the same output as before: attention does not
# know **order**. Unit 3 shows it, and mends it with sines and cosines.
#
# **Sources.** Bahdanau, Cho and Bengio, 2014, *Neural Machine Translation by Jointly Learning to Align and Translate* (attention, with the additive score).
# Luong, Pham and
# Manning, 2015, *Effective Approaches to Attention-based Neural Machine Translation* (the dot product; a window). Vaswani and others, 2017, *Attention Is
# All You Need* (the scale; its footnote on the variance). Bridle, 1990, *Probabilistic Interpretation of Feedforward Classification Network Outputs, with
# Relationships to Statistical
# Pattern Recognition* (softmax). Hinton, Vinyals and Dean, 2015, *Distilling the Knowledge in a Neural Network* (temperature). Beltagy, Peters and Cohan,
# 2020, *Longformer: The
# Long-Document Transformer* (attention to a neighbourhood).
#
# **How to hand in:** run *Kernel → Restart Kernel and Run All Cells*, see that every check is green, save, press
# **Validate**, and then **Submit** in the assignment list.

# %%
from helpers import progress

progress("u2")
