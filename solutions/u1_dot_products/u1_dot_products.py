# %% [markdown]
# # Unit 1 · From similarity to QKᵀ
#
# Attention lets every word of a sentence look at every other word and decide whom to listen to. That decision
# is a table of numbers, one for each pair of words: the **attention scores**. In this unit you build that table
# from nothing but dot products.
#
# $$\underbrace{\mathrm{softmax}\Big(\frac{\;\boxed{QK^\top}\;}{\sqrt{d_k}}\Big)}_{\text{unit 2}}\,V$$
#
# The box is today's work. The rest of the formula is unit 2, and everything after that rests on it.
#
# | you write | it computes | points |
# |---|---|---|
# | `similarity_matrix` | how alike every two words are | 2 |
# | `cosine_similarity` | the same, whatever their lengths | 3 |
# | `project` | a query, a key and a value for each word | 3 |
# | `scores_for_query` | one query against every key | 2 |
# | `attention_scores` | every query against every key, at once | 4 |
# | `attention_scores_columns` | the same in the notation of other texts | 3 |
# | `why_two_projections` | in your own words: why queries *and* keys | 3 |
#
# Everything here is NumPy and takes about two hours.

# %% nbgrader={"grade": false, "grade_id": "u1_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from helpers import check, hint, plots
from helpers.plots import u1_dot_products as pictures

# %% [markdown]
# ## 1 · A sentence becomes a matrix
#
# A network cannot multiply words. So each word of the vocabulary gets a number, its **id**, and the id picks a
# row of a table: the word's vector, or **embedding**. Training fills such a table; here we fill it by hand, so that
# you can read it. Each word has four features: how much it has to do with a *person*, with *food*, with
# *doing* something and with *time*.

# %%
features = ["person", "food", "doing", "time"]
vocabulary = ["a", "burger", "cat", "eat", "sleep", "tonight", "we"]
table = np.array(
    [
        [0, 0, 0, 0],  # a: nothing to say about these four
        [0, 3, 0, 1],  # burger: food, and mostly in the evening
        [1, 0, 0, 0],  # cat
        [1, 2, 2, 0],  # eat: someone does something with food
        [1, 0, 2, 1],  # sleep
        [0, 1, 0, 2],  # tonight: a time, with a little supper in it
        [2, 0, 1, 0],  # we
    ],
    dtype=float,
)

tokens = ["tonight", "we", "eat", "a", "burger"]
ids = [vocabulary.index(token) for token in tokens]
X = table[ids]  # (n, d_model) = (5, 4)

print("ids:", ids)
print("X has shape", X.shape)
plots.show(
    pictures.embedding(vocabulary, table, tokens, features),
)

# %% [markdown]
# **Tokens are rows.** This holds in the whole course: a sentence of $n$ tokens is a matrix $X$ of shape
# $(n, d_{\text{model}})$, and `X[2]` is the third token, because Python counts from 0. (A *token* is whatever the text was cut into: here, a word.)
#
# Several sentences at once are stacked in front: $(\text{batch}, n, d_{\text{model}})$. There may be more axes in
# front than one, so we write $(\dots, n, d_{\text{model}})$ and count axes **from the end**: the features are axis
# $-1$, the tokens axis $-2$.

# %% [markdown]
# ## 2 · The dot product measures similarity
#
# The dot product, or inner product, of two vectors multiplies them entry by entry and adds up:
#
# $$a \cdot b = \sum_i a_i b_i = |a|\,|b|\cos\theta .$$
#
# The sum is how you compute it. The right-hand side, with the angle $\theta$ between the two, is what it means: vectors that point the
# same way have a large product, perpendicular ones have the product 0, opposite ones a negative one.

# %%
plots.show(
    pictures.vectors_in_plane(),
)

# %% [markdown]
# Now with words. From the table, $\text{eat} = (1, 2, 2, 0)$ and $\text{burger} = (0, 3, 0, 1)$:
#
# $$\text{eat} \cdot \text{burger} = 1\cdot 0 + 2\cdot 3 + 2\cdot 0 + 0\cdot 1 = 6 .$$
#
# **By hand.** Find $\text{we} \cdot \text{eat}$ and $\text{we} \cdot \text{burger}$ on paper, with $\text{we} = (2, 0, 1, 0)$,
# and say what each means before you look.
#
# <details><summary>Compare</summary>
#
# $\text{we} \cdot \text{eat} = 2 + 0 + 2 + 0 = 4$: both have to do with a person and with doing something.
# $\text{we} \cdot \text{burger} = 0$: they share no feature. As vectors they are perpendicular.
#
# </details>

# %% [markdown]
# Do this for every pair and you have a table with a row and a column for each word. Find the 6 in it, and your two numbers.

# %%
plots.show(
    pictures.sentence_similarity(tokens, X, features),
)

# %% [markdown]
# Two things to notice. The table is **symmetric**: $a \cdot b = b \cdot a$. And its diagonal holds the squared
# lengths $|x_i|^2$: each word with itself.
#
# Its entry in row $i$, column $j$ is $S_{ij} = x_i \cdot x_j$. A matrix product is made of just such sums: entry
# $(i, j)$ of $A B$ is *row $i$ of $A$* times *column $j$ of $B$*. We want rows with **rows**. So the second factor has
# to be turned on its side, and the table is
#
# $$S = X X^\top, \qquad (n, d)\,(d, n) \to (n, n).$$
#
# ### `similarity_matrix` · exercise, 2 points
#
# *Core, about 10 minutes.*
#
# It should also work on a stack of sentences $(\dots, n, d)$, comparing each sentence only with itself. NumPy's
# `@` multiplies the last two axes and leaves those in front alone. Mind that `X.T` reverses *all* axes;
# `np.swapaxes(X, -1, -2)` swaps the last two.


# %% nbgrader={"grade": false, "grade_id": "similarity_matrix", "locked": false, "schema_version": 3, "solution": true, "task": false}
def similarity_matrix(X):
    """Inner product of every token with every token: S = X Xᵀ.

    Args:
        X: tokens as rows, (..., n, d).

    Returns:
        S, (..., n, n), with S[i, j] = X[i] · X[j].
    """
    ### BEGIN SOLUTION
    return X @ np.swapaxes(X, -1, -2)  # (..., n, n)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_similarity_matrix", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(similarity_matrix)
### BEGIN HIDDEN TESTS
check(similarity_matrix, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Length and direction
#
# Look at the row of *tonight* in the table again: it scores 5 with itself and also 5 with *burger*. Is *tonight* as much like
# *burger* as like itself? No. *burger* is a longer vector, and $|a|\,|b|\cos\theta$ grows with the lengths as well as
# with the agreement. A word written in larger numbers is a word that shouts.
#
# The **cosine similarity** takes the lengths away and leaves the direction:
#
# $$C_{ij} = \cos\theta_{ij} = \frac{x_i \cdot x_j}{|x_i|\,|x_j|}, \qquad |x| = \sqrt{x \cdot x}.$$
#
# By hand: $|\text{tonight}| = \sqrt{0 + 1 + 0 + 4} = \sqrt 5$ and $|\text{burger}| = \sqrt{0 + 9 + 0 + 1} = \sqrt{10}$, so the cosine of the
# two is $5 / (\sqrt 5 \sqrt{10}) = 1/\sqrt 2 \approx 0.71$. With itself, every word has exactly $1$.

# %%
plots.show(
    pictures.loud_and_alike(tokens, X),
)

# %% [markdown]
# The word *a* is all zeros here. It has no direction, and the formula would divide $0$ by $0$. We settle that a zero
# row is like nothing, itself included: its row and column of $C$ are zeros.
#
# ### `cosine_similarity` · exercise, 3 points
#
# *Extra, about 15 minutes.*
#
# Divide each token by its own length first; then dot products are cosines. `np.linalg.norm(X, axis=-1, keepdims=True)`
# gives the lengths as $(\dots, n, 1)$, so that dividing lines each row up with its own length. For a
# zero row choose a divisor that does no harm **before** you divide: a warning of NumPy's (*divide by zero*, *invalid value*) counts as a
# mistake, even when the result is repaired afterwards. Every other row keeps its own length, however short: the check tries tokens that are 0.0005 long.


# %% nbgrader={"grade": false, "grade_id": "cosine_similarity", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cosine_similarity(X):
    """Cosine of the angle between every two tokens: C[i, j] = X[i] · X[j] / (|X[i]| |X[j]|).

    Args:
        X: tokens as rows, (..., n, d).

    Returns:
        C, (..., n, n), between -1 and 1. The row and the column of a zero token are zeros.
    """
    ### BEGIN SOLUTION
    length = np.linalg.norm(X, axis=-1, keepdims=True)  # (..., n, 1)
    unit = X / np.where(length == 0, 1, length)  # (..., n, d)
    return unit @ np.swapaxes(unit, -1, -2)  # (..., n, n)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_cosine_similarity", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(cosine_similarity)
### BEGIN HIDDEN TESTS
check(cosine_similarity, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Which of the two does attention use? The **plain dot product**. It costs less, and length is useful: a word that
# matters to many others can make itself heard by growing. What growing too much does, unit 2 will show and mend.

# %% [markdown]
# ## 4 · To be alike is not to be wanted
#
# $XX^\top$ tells which words are *alike*. But *eat* is not looking for another verb. It wants to know *who* eats, and *what*.
# A shopper shows the difference.
#
# You walk through a mall with a wish: something warm and sweet. Each shop has a window that shows what
# it is for. You compare your wish with **every** window, and then you take goods from **all** shops into one bag: much where wish and
# window fit well, a crumb where they do not. Three different things, and attention has a vector for each:
#
# | in the mall | in attention | |
# |---|---|---|
# | your wish | **query** $q$ | what I am looking for |
# | a shop's window | **key** $k_j$ | what I can be found by |
# | the goods inside | **value** $v_j$ | what I hand over |
#
# The goods need not speak of what the windows speak of. Here a window says how *(warm, sweet, cheap)* a shop is, and its goods are so much
# *(cloth, sugar, paper)*.
#
# The match between wish and window is their dot product, the **score** $\alpha_j = q \cdot k_j$. Wish
# $(1, 1, 0)$ for *(warm, sweet, cheap)* against the window of the cocoa shop, $(2, 2, 1)$: $\alpha = 2 + 2 + 0 = 4$.

# %%
plots.explore(
    pictures.mall,
    wish=list(pictures.WISHES),
)

# %% [markdown]
# Another wish gives other scores in the same mall: the windows stay as they are. Say which window wins for *cool and
# sweet*, $(-1, 1, 0)$, before you choose it from the menu.
#
# How much of each shop's goods ends up in the bag? Scores of 3, 4, 1 and 0 are no shares yet. Unit 2 makes shares of them, and fills the bag.

# %% [markdown]
# ## 5 · Query, key and value of a word
#
# In a sentence every word is a shopper **and** a shop. It needs a wish, a window and goods, three vectors, and has one,
# its embedding $x$. So we make three out of one, each by a matrix of its own:
#
# $$q = x\,W_q, \qquad k = x\,W_k, \qquad v = x\,W_v .$$
#
# The three matrices are what a Transformer *learns*. They are the same for every word, and the words need not wait for each other.

# %%
plots.show(
    pictures.flow(tokens, ids),
)

# %% [markdown]
# Here are three matrices made by hand. The queries and keys have $d_k = 2$ entries: *edible* and *a person*. A query
# says how much of each a word seeks, a key how much of each it is.

# %%
# Rows: person, food, doing, time.
# A person and a doing seek something edible; food seeks a person.
W_q = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], dtype=float)  # (d_model, d_k)
# A person is found as a person (that counts double), food as edible; a doing counts against both.
W_k = np.array([[0, 2], [1, 0], [-1, -1], [0, 0]], dtype=float)  # (d_model, d_k)
# Handed over: person, food and time.
W_v = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], dtype=float)  # (d_model, d_v)

# %% [markdown]
# **By hand.** $\text{eat} = (1, 2, 2, 0)$. Each feature of the word picks a row of the matrix and says how much of it:
#
# $$q_{\text{eat}} = 1\,(1, 0) + 2\,(0, 1) + 2\,(1, 0) + 0\,(0, 0) = (3, 2).$$
#
# *eat* seeks something edible (3) and a person (2). Now find its key, $\text{eat}\;W_k$, on paper. What can *eat* be found by?
#
# <details><summary>Compare</summary>
#
# $k_{\text{eat}} = 1\,(0, 2) + 2\,(1, 0) + 2\,(-1, -1) + 0\,(0, 0) = (0, 0)$. It is neither edible nor a person, and nobody who looks
# for those will find it. What a word seeks and what it can be found by are two different things.
#
# </details>

# %% [markdown]
# ### `project` · exercise, 3 points
#
# *Core, about 10 minutes.*
#
# With tokens as rows, all tokens are projected at once by $Q = X W_q$, and likewise $K$ and $V$. Each $W$ has shape
# $(d_{\text{model}}, d_{\text{out}})$; the values may have another width than the queries and keys. Widths that do not fit should raise a `ValueError`
# (the one that `@` raises by itself will do).


# %% nbgrader={"grade": false, "grade_id": "project", "locked": false, "schema_version": 3, "solution": true, "task": false}
def project(X, W_q, W_k, W_v):
    """Queries, keys and values of the tokens: Q = X W_q, K = X W_k, V = X W_v.

    Args:
        X: tokens as rows, (..., n, d_model).
        W_q, W_k, W_v: projections, each (d_model, d_out) with a d_out of its own.

    Returns:
        Q, K, V, in this order, each (..., n, d_out).

    Raises:
        ValueError: the width of X is not the height of a projection.
    """
    ### BEGIN SOLUTION
    return X @ W_q, X @ W_k, X @ W_v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_project", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(project)
### BEGIN HIDDEN TESTS
check(project, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 6 · One word asks, all answer
#
# Now *eat* goes shopping. Its query meets the key of **every** word of the sentence, its own as well, and each pair gives
# one score. So it asks itself and the others, and nothing makes its own answer special.

# %%
Q, K = X @ W_q, X @ W_k
plots.show(
    pictures.one_asks(tokens, 2, Q, K),
)

# %% [markdown]
# Check one by hand: $q_{\text{eat}} \cdot k_{\text{burger}} = (3, 2) \cdot (3, 0) = 9$. The highest score is where
# the verb finds what is eaten; compare section 2, where *eat* was most like itself. But *we*, who eats, gets
# $(3, 2) \cdot (-1, 3) = -3 + 6 = 3$, no more than *tonight* with its little supper. A few numbers made by hand cannot please everyone; training
# finds better ones.
#
# Who asks? **Whoever is to be renewed supplies the query.** Here *eat* asks because unit 2 will make a new
# vector for *eat* out of the answers. In unit 6 a half-written translation asks, and the words of the original
# answer: then queries and keys come from two different sentences, and there can be more of one than of the other.
#
# ### `scores_for_query` · exercise, 2 points
#
# *Core, about 5 minutes.*
#
# One query $q$ of shape $(d_k,)$ against all keys $K$ of shape $(n_k, d_k)$: a score $\alpha_j = q \cdot k_j$ for each key, in an array
# of shape $(n_k,)$. Widths that do not fit raise a `ValueError`; mind that `*` and `einsum` would stretch a width of 1 to any other.


# %% nbgrader={"grade": false, "grade_id": "scores_for_query", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scores_for_query(q, K):
    """Scores of one query against every key: α_j = q · k_j.

    Args:
        q: one query, (d_k,).
        K: keys as rows, (n_k, d_k).

    Returns:
        α, (n_k,).

    Raises:
        ValueError: q and the keys differ in width.
    """
    ### BEGIN SOLUTION
    return K @ q  # (n_k,)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_scores_for_query", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(scores_for_query)
### BEGIN HIDDEN TESTS
check(scores_for_query, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 7 · All ask at once
#
# Picture a room full of toys looking for their friends. Each wears a badge that says what it is, its key, and
# holds a note that says whom it is looking for, its query. The two differ: the horse's badge says *horse*, and its note says *a rider*. Nobody waits
# for a turn: all hold up their notes at once and read all the badges.
#
# With $n$ toys there are $n \times n$ pairs of note and badge. Row $i$ of the table is what toy $i$ found; column $j$, how much
# toy $j$ was wanted. And that whole table is **one** matrix product:

# %%
plots.show(
    pictures.all_pairs(tokens, Q, K, ["edible", "person"], 2, 4),
)

# %% [markdown]
# Read along the row of *burger*: it seeks *we*, the one person there is. Read the cell the other way round, *we* asking *burger*: 9 as well
# with these matrices, but for another reason: people seek food. Now compare *eat* asking *burger* (9) with *burger* asking *eat* (0): the table need not be symmetric.
#
# ### `attention_scores` · exercise, 4 points
#
# *Core, about 10 minutes.*
#
# $$S = Q K^\top, \qquad S_{ij} = q_i \cdot k_j, \qquad (\dots, n_q, d_k) \text{ and } (\dots, n_k, d_k) \text{ give } (\dots, n_q, n_k).$$
#
# Rows belong to the queries, columns to the keys. There may be fewer queries than keys or more, and batch axes in front. Do not scale anything yet.
# Queries and keys of different width raise a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "attention_scores", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attention_scores(Q, K):
    """Scores of every query against every key, not yet scaled: S = Q Kᵀ.

    Args:
        Q: queries as rows, (..., n_q, d_k).
        K: keys as rows, (..., n_k, d_k).

    Returns:
        S, (..., n_q, n_k), with S[i, j] = Q[i] · K[j].

    Raises:
        ValueError: queries and keys differ in width.
    """
    ### BEGIN SOLUTION
    return Q @ np.swapaxes(K, -1, -2)  # (..., n_q, n_k)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_attention_scores", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(attention_scores)
### BEGIN HIDDEN TESTS
check(attention_scores, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points, as long as you like). Here is a handful of *wrong* versions of `attention_scores`, with numbers and without names. Each is
# right on many inputs: find inputs on which they betray themselves. The one below has as many queries as keys, and as many features. What changes when
# these numbers differ? And with a sentence more, or whole numbers? When all are caught, the card says what each had done.

# %%
from helpers import catch

catch(
    "attention_scores",
    np.array([[1.0, 0.0], [2.0, 1.0]]),  # Q: (n_q, d_k) = (2, 2)
    np.array([[0.0, 1.0], [1.0, 1.0]]),  # K: (n_k, d_k) = (2, 2)
)

# %% [markdown]
# Your own functions, from the words to the scores:

# %%
with plots.demonstration("project", "attention_scores"):
    queries, keys, values = project(X, W_q, W_k, W_v)
    plots.show(
        pictures.scores(tokens, attention_scores(queries, keys)),
    )

# %% [markdown]
# ### Why one product and not two loops?
#
# No score needs another score first. So all $n \times n$ can be computed at the same time, by as many hands as the machine
# has. A recurrent network cannot do that: it reads word after word, and the tenth has to wait for the ninth.
# This is much of why Transformers could be trained on so much text.
#
# A single hand gains something else: two loops in Python spend their time on each of the $n \times n$ steps, while one product is one call of compiled code.
# The next cell measures that now, on one core of your computer, and your own `attention_scores` beside it.

# %%
plots.show(
    pictures.loops_against_product(attention_scores),
)

# %% [markdown]
# The price is in the label of the axis: $n$ tokens have $n \times n$ scores. Twice the text, four times the work. Unit 8 comes back to that.

# %% [markdown]
# ## 8 · The same with tokens as columns
#
# Many lectures and papers write a token as a **column**. Then the sentence is $X$ of shape $(d_{\text{model}}, n)$, the matrices stand on the left,
# $Q = W_q^\top X$, and the scores are $K^\top Q$. It is the same computation, turned on its side,
# and mixing the two up is a classic mistake. The safe way is not to remember the formula but the rule behind it: **the axis that a dot product sums
# over, that of the features, has to vanish.**

# %%
plots.show(
    pictures.rows_and_columns(),
)

# %% [markdown]
# By hand, with $d = 2$, one query and two keys, all columns:
#
# $$Q = \begin{pmatrix} 3 \\ 2 \end{pmatrix}, \quad K = \begin{pmatrix} 3 & -1 \\ 0 & 3 \end{pmatrix}, \quad
# K^\top Q = \begin{pmatrix} 3 & 0 \\ -1 & 3 \end{pmatrix} \begin{pmatrix} 3 \\ 2 \end{pmatrix} = \begin{pmatrix} 9 \\ 3 \end{pmatrix}.$$
#
# One column for the one query, and in it a score for each key: what *eat* got from *burger* and from *we*.
#
# ### `attention_scores_columns` · exercise, 3 points
#
# *Extra, about 10 minutes.*
#
# Here there are no batch axes. Columns of different height raise a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "attention_scores_columns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attention_scores_columns(Q, K):
    """Scores of every query against every key, with tokens as columns.

    Args:
        Q: queries as columns, (d, n_q).
        K: keys as columns, (d, n_k).

    Returns:
        S, (n_k, n_q): column i holds the scores of query i, row j those of key j.

    Raises:
        ValueError: the columns of Q and K differ in height.
    """
    ### BEGIN SOLUTION
    return K.T @ Q  # (n_k, n_q)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_attention_scores_columns", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(attention_scores_columns)
### BEGIN HIDDEN TESTS
check(attention_scores_columns, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 9 · Design two projections yourself
#
# Until now the matrices were given. **Now you make them** (no points, about ten minutes). In the words *tonight*, *a*, *cat* and *sleep*, somebody
# sleeps. So two things shall hold:
#
# 1. *sleep* looks for who sleeps: in its row, *cat* has the highest score, higher than *sleep* itself;
# 2. *cat* does not look for *sleep*: that score is 0 or less.
#
# One column in each matrix is enough, $d_k = 1$. Ask yourself which of the four features makes a word *seek* someone, and which makes a word one
# *to be found*. Change the zeros, run the cell, look.

# %%
few = ["tonight", "a", "cat", "sleep"]
X_few = table[[vocabulary.index(word) for word in few]]  # (4, 4)
#                    person  food   doing  time
your_W_q = np.array([[0.0], [0.0], [0.0], [0.0]])  # (4, 1): how much each feature seeks
your_W_k = np.array([[0.0], [0.0], [0.0], [0.0]])  # (4, 1): how much each feature can be found by

plots.show(
    pictures.design(few, (X_few @ your_W_q) @ (X_few @ your_W_k).T),
)

# %% [markdown]
# <details><summary>One of many ways</summary>
#
# A doing seeks: `your_W_q = np.array([[0.0], [0.0], [1.0], [0.0]])`. A person is found, and a doing is the opposite of it:
# `your_W_k = np.array([[1.0], [0.0], [-1.0], [0.0]])`. Then *sleep* has the query 2 and the key $1 - 2 = -1$, and *cat* the query 0 and the key 1. So *sleep*
# scores 2 with *cat* and $-2$ with itself, and *cat*, which seeks nothing, scores 0 with everyone.
#
# </details>
#
# Then try the same with **one** matrix, `your_W_k = your_W_q`. Can both wishes be met? Try for two minutes. Section 10 shows why, or why not.

# %% [markdown]
# ## 10 · Why not one projection for both?
#
# Queries and keys are both made from $X$ by a matrix. It would be cheaper to learn one matrix and use its result
# twice. Here are both, for our sentence. Compare them before you read on: the two halves either side of the diagonal, then the diagonal.

# %%
plots.show(
    pictures.one_or_two_projections(tokens, Q, K),
)

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_two_projections", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### `why_two_projections` · question, 3 points
#
# *Core, about 15 minutes.*
#
# Why are $Q$ and $K$ not the same projection of $X$? Say (1) what must be true of every table of scores when $W_q = W_k$,
# (2) what that does to the score of a token with itself: which values it can have, and which not, and (3) give an example, from this sentence or your
# own, of a pair of words that needs two projections. Five sentences are enough.
#
# ### BEGIN SOLUTION
# *Model answer.* If $W_q = W_k = W$, then $S = (XW)(XW)^\top$, and so $S = S^\top$: token $i$ wants token $j$ exactly as much as $j$ wants $i$.
# On the diagonal stands $|x_i W|^2$, which is never negative, and since $(q_i \cdot q_j)^2 \le |q_i|^2 |q_j|^2$, of any two tokens at least one
# scores itself at least as high as the other. So tokens mostly look at themselves and at what is like them. But what a word looks for is
# not what it offers: *eat* seeks food and scores 9 with *burger*, while *burger* has no use for a verb, seeks a person, and scores 0 with *eat*. An adjective
# may need its noun and the noun not the adjective; a pronoun looks for a name, and offers none. With two projections $S = X\,W_q W_k^\top X^\top$,
# where $W_q W_k^\top$ need not be symmetric, so that asking and being found are learned apart.
#
# *Marking guide.* 3 points:
# one for the symmetry $S_{ij} = S_{ji}$ (in words or as a formula);
# one for the diagonal: a token's score with itself is its squared length, never negative and tending to be the largest of its row
# ("always looks at itself" without "tends to" is fine, though not exactly true: a longer neighbour can win);
# one for the different roles, what is sought and what is offered, with an example of an asymmetric pair that makes sense.
# "The softmax makes it asymmetric anyway" is true of the weights and no answer: the scores it starts from still tie the two directions together.
# "More parameters" alone earns nothing.
# ### END SOLUTION

# %% [markdown]
# ## What you have now
#
# - Words become ids, ids rows of a table: $X$ of shape $(n, d_{\text{model}})$, tokens as rows.
# - The dot product measures how much two vectors agree; the cosine does so without their lengths.
# - Each token gets a query, a key and a value: $Q = XW_q$, $K = XW_k$, $V = XW_v$. The query asks, the keys answer, and whoever is to be renewed supplies the
#   query.
# - All scores at once are one product: $S = QK^\top$, or $K^\top Q$ for tokens as columns.
#
# **Sources.** Vaswani and others, 2017, *Attention Is All You Need* (queries, keys, values, the scores as one product). Luong, Pham and Manning, 2015,
# *Effective
# Approaches to Attention-based Neural Machine Translation* (the dot product as a score). Mikolov and others, 2013, *Efficient Estimation of
# Word Representations in Vector Space* (words as vectors). Salton, Wong and Yang, 1975, *A Vector Space Model for Automatic Indexing* (the cosine as
# similarity).
#
# **Next.** Scores are not yet shares: they can be negative, and they grow with $d_k$. Unit 2 turns each row into weights that sum to 1, takes that share of
# the values, and finds out what the $\sqrt{d_k}$ is for.
#
# **To hand in,** if you are in a class: save, press *Validate*, then submit `u1_dot_products` in the assignment list. You may submit as often as you like before the deadline.

# %%
from helpers import progress

progress("u1")
