# %% [markdown]
# # Moving averages
#
# A moving average makes a noisy row of numbers smoother: each value gives way to the mean of a few.

# %% nbgrader={"grade": false, "grade_id": "NAME_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from helpers import check, plots
from PACKAGE.plots import NAME as pictures

# %% [markdown]
# ## `moving_average` · exercise, 6 points
#
# **By hand.** Of `[1, 3, 2, 6]`, two at a time, the means are 2, 2.5 and 4.


# %% nbgrader={"grade": false, "grade_id": "moving_average", "locked": false, "schema_version": 3, "solution": true, "task": false}
def moving_average(values, width):
    """Mean of every `width` values that follow each other.

    Args:
        values: (n,).
        width: how many values each mean is of, from 1 to n; a ValueError otherwise.

    Returns:
        The means, (n - width + 1,).
    """
    ### BEGIN SOLUTION
    if not 1 <= width <= len(values):
        raise ValueError(f"width is {width}; expected 1 to {len(values)}")
    return np.convolve(values, np.ones(width) / width, mode="valid")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_moving_average", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(moving_average)
### BEGIN HIDDEN TESTS
check(moving_average, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Your function on twenty noisy values:

# %%
noisy = np.sin(np.arange(20) / 3) + np.random.default_rng(0).normal(scale=0.3, size=20)
with plots.demonstration("moving_average"):
    plots.show(pictures.smoothed(noisy, moving_average(noisy, 5)))

# %% [markdown] nbgrader={"grade": true, "grade_id": "NAME_when_not", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ## When not? · question, 4 points
#
# When does a moving average hide what you look for? Give an example.
#
# ### BEGIN SOLUTION
# *Model answer.* When what matters is short: one high value among many is spread over its window and nearly gone.
#
# *Marking guide.* 4 points: two for the reason, two for an example that fits.
# ### END SOLUTION

# %%
from helpers import progress

progress("NAME")
