# %% [markdown]
# # Unit 0 · Start here
#
# In this course you write every piece of Transformer attention yourself, from a dot product to a machine that
# you train on your own computer, and watch each piece do its work.
#
# You need Python, a little NumPy, what a matrix product is, and what a derivative is. Where a unit needs more than that, half a page of
# refresher stands at the place: *variance* and *independent* numbers, *partial derivatives* and the quotient rule, and *tanh* in unit 2, sine and cosine of an
# angle in unit 3. Torch need not be new to you, but may be: it comes in unit 4, beside the NumPy that you know by then.
#
# This unit takes ten minutes. It shows where the road goes and how a unit works, and has one exercise, worth one point,
# to try everything on.

# %% nbgrader={"grade": false, "grade_id": "u0_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from helpers import check, hint, plots
from helpers.plots import u0_start_here as pictures

# %% [markdown]
# ## 1 · The road
#
# Run a cell with <kbd>Shift</kbd> + <kbd>Enter</kbd>. Start with the cell above, then go on to the one below.

# %%
plots.show(
    pictures.course_map(here=0),
)

# %% [markdown]
# Units 1 and 2 build attention itself. Unit 3 tells it the order of the words, units 4 to 6 build the Transformer around it,
# unit 7 trains it on real data, unit 8 shows what today's models do differently, and in unit 9 you make such a model and let it write.
# Each unit uses what you built before, so go in order. Units 1 to 9 have 20 points each.

# %% [markdown]
# ## 2 · How a unit goes

# %%
plots.show(
    pictures.how_a_unit_goes(),
)

# %% [markdown]
# Every exercise has the same two cells:
#
# - an **answer cell**: a function with its description. Replace the line `raise NotImplementedError` by your answer;
# - a **check cell** below it, `check(...)`. It calls your function on small arrays and compares. Run it as often as you like: checking costs nothing.
#
# Under its heading stands about how many minutes it takes, and one of two words. **Core**: what comes later builds on it, so do it first. **Extra**: nothing
# later needs your answer, so you may come back to it. Both count for their points.
#
# Try it out now, in four steps.

# %% [markdown]
# ### `hello_attention` · exercise, 1 point
#
# *Core, about 5 minutes.*
#
# The function takes no arguments and returns the string `"attend"`.
#
# **Step 1.** Change nothing. Run the answer cell and the check cell. The check says “○ hello_attention: not answered yet”.
#
# **Step 2.** Make a mistake on purpose: replace the `raise` line by `return "Attend"`, with a capital A. Run both cells again and read
# the card that comes back, line by line:
#
# | the card says | that is |
# |---|---|
# | ✗ hello_attention: wrote a capital letter | the mistake by its name |
# | tried: ✗ values | what was tried, and what holds |
# | the result is the right string but for small and capital letters ... yours 'Attend' | what is certain |
# | **Hint.** Python tells “Attend” from “attend”. ... | a step that leads on |
#
# **Step 3.** Ask for more: run the cell `hint()` below the check. It shows the next step, and one more each time you run it. In other units no
# such cell waits for you, which is why the card says *in a cell of your own*: add one (the **+** in the toolbar does it) and write `hint()` into it. It
# answers for the last check that did not pass, and `hint("softmax")` for an exercise that you name.
#
# **Step 4.** Follow the hint, run the answer cell and the check cell once more, and see the card turn.


# %% nbgrader={"grade": false, "grade_id": "hello_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def hello_attention():
    """The word that this course is about.

    Returns:
        The string "attend".
    """
    ### BEGIN SOLUTION
    return "attend"
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_hello_attention", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check(hello_attention)
### BEGIN HIDDEN TESTS
check(hello_attention, hidden=True)
### END HIDDEN TESTS

# %%
hint()

# %% [markdown]
# When the answer is an array, a failed check also shows *yours*, *expected* and *difference* as small coloured tables, with a frame around
# the first wrong entry. If your code stopped with an error, it shows the line of yours where that happened.
#
# The check knows several hundred mistakes that learners really make. If it recognises yours, it says its name. If it does
# not, it says what it knows for sure, and never guesses. Sometimes there is a **note** too: that the check saw an older version than the one in your
# cell, that the function has another name, or that it prints.
#
# What counts: an exercise gives its points when **everything tried holds**, here and in a second check with other
# numbers that runs when your notebook is graded. So an answer that only fits the numbers you see will not do. Any way of writing
# it is welcome: loops, `einsum`, one line or ten.
#
# Some **questions** are answered in words: double-click the question, write your sentences in the place of *Your answer goes here.*, and press
# <kbd>Shift</kbd> + <kbd>Enter</kbd>. A person reads and marks them.

# %% [markdown]
# ## 3 · Shapes
#
# Nearly every mistake with attention is a mistake with shapes. These hold in the whole course:
#
# | letter | meaning | | array | shape |
# |---|---|---|---|---|
# | $n$ | tokens in a sentence | | $X$, the tokens | $(\dots, n, d_{\text{model}})$ |
# | $d_{\text{model}}$ | features of a token | | $Q$, queries | $(\dots, n_q, d_k)$ |
# | $n_q, n_k$ | queries, keys; not always equal | | $K$, keys | $(\dots, n_k, d_k)$ |
# | $d_k, d_v$ | width of queries and keys, of values | | $V$, values | $(\dots, n_k, d_v)$ |
# | $h$ | heads (unit 4) | | scores, weights, mask | $(\dots, n_q, n_k)$ |
#
# - **Tokens are rows.** The last axis is the features, the last but one the tokens.
# - **The dots are batch axes**, as many as you like, or none: several sentences, or several heads. Count axes from the end, and you need not know how many
#   there are.
# - **In a mask `True` means: may attend.**
# - A function never changes what it is given, and arguments that do not fit raise a `ValueError`.

# %%
plots.show(
    pictures.axes_of_an_array(),
)

# %% [markdown]
# **Read shapes yourself** (no points). Replace each `None` by the shape you expect, as in `(2, 4, 6)`, before you run the cell.
# The shape of a single axis is written with a comma: `(6,)`.

# %%
X = np.zeros((2, 4, 6))  # 2 sentences, 4 tokens, d_model = 6
W = np.zeros((6, 3))  # from 6 features to 3

yours = {
    "X[1]": None,
    "X[1, 1]": None,
    "X[..., 0]": None,
    "X.sum(axis=-1)": None,
    "np.swapaxes(X, -1, -2)": None,
    "X @ W": None,
    "X @ np.swapaxes(X, -1, -2)": None,
}

X_turned = np.swapaxes(X, -1, -2)
actual = [X[1], X[1, 1], X[..., 0], X.sum(axis=-1), X_turned, X @ W, X @ X_turned]
for (name, guess), array in zip(yours.items(), actual):
    told = "your turn" if guess is None else "right" if guess == array.shape else f"no, it is {array.shape}"
    print(f"{name:28}{told}")

# %% [markdown]
# Two of them deserve a second look. `X @ W` multiplies every token of every sentence by the same matrix: `@` works on the last two axes
# and leaves those in front alone. And the last one is where unit 1 begins: a table of tokens against tokens, one for each sentence.

# %% [markdown]
# ## 4 · Validate and submit
#
# **Validate.** Before you hand in, save, and press **Validate** in the toolbar above the notebook. It starts from an empty memory, runs every
# cell from the top, and tells which checks do not pass. This finds what you cannot see while you work: a function that only runs because of
# a cell you deleted an hour ago. You may hand in a unit with some exercises unanswered: the others count all the same.
#
# ![The toolbar above the notebook ends with the button Validate. A window has opened over the notebook: Validation Results. Success! Your notebook passes all the tests.](images/validate.png)
#
# **Submit.** In the menu **Nbgrader → Assignment List** you see this course's units: *fetch* gets one, *submit* hands in what is saved. You may submit
# again; the last submission is graded. If your class has no assignment list, there is no menu **Nbgrader**: hand in the saved `.ipynb` file the way your
# teacher says, or the one file that `attention pack u0` makes in a terminal.
#
# ![The tab Assignments. Under Downloaded assignments stands u0_start_here with the button Submit; under Submitted assignments the same unit with the time it was handed in.](images/submit.png)
#
# **Feedback** comes back through the same list: for each exercise its points, the name of the mistake if there was one, and a hint.
#
# Please leave names as they are: those of notebooks, functions and arguments. Leave check cells as they are and where they are. Add cells of your own
# wherever you like.

# %% [markdown]
# ## 5 · Where help is
#
# | when | what helps |
# |---|---|
# | what does a function do? | cursor on its name, <kbd>Shift</kbd> + <kbd>Tab</kbd>; or `help(np.swapaxes)` |
# | a check fails | its name of the mistake and its hint; then `hint()`, step by step; then the formula in the text above, with numbers small enough for paper |
# | what is still to do? | the last cell of each unit, `progress(...)`: it remembers your checks, also when you come back another day |
# | you would like to try an exercise from the other side | `catch("softmax")`: wrong versions to catch with inputs of your own. Each unit from 1 on has a place for it |
# | it was a while ago | `from helpers import review`, then `review()`: three small tasks on something that you solved, when it is due |
# | shapes do not fit | print them: `print(Q.shape, K.shape)`, and write them under each other |
# | `NameError`, or things that worked do no longer | menu **Kernel → Restart Kernel and Run All Cells** |
# | a cell does not end | menu **Kernel → Interrupt Kernel** (the ■ in the toolbar) |
# | you solved it and want to see another way | `helpers.reference` has an answer to each exercise, with its formula and source: for this unit, run the cell below |
# | you are stuck for more than half an hour | ask: the person who runs your class, or a fellow learner. Say what you expected and what came back |

# %%
with plots.demonstration("hello_attention"):
    if str(hello_attention()) == "attend":
        print("Your answer stands. To read the reference beside it, run in a cell of your own:\n")
        print("    from helpers.reference import u0_start_here\n    u0_start_here.hello_attention??")
    else:
        print("When your answer passes its check, this cell says how to read the reference.")

# %% [markdown]
# ## What you have now
#
# You know the road, the round of read, answer, check and hint, the shapes, and where to press. **Hand this unit in now**, to see that validating
# and submitting work for you: save, *Validate*, then submit `u0_start_here`.
#
# **Sources.** The course follows one paper: Vaswani and others, 2017, *Attention Is All You Need*. When a unit says *the paper*, it means this one. Each
# unit ends with the sources of what it teaches.
#
# **Next:** unit 1, where two words meet for the first time.

# %%
from helpers import progress

progress("u0")
