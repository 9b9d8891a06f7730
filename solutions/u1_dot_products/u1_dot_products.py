# %% [markdown]
# # Unit 1

# %% nbgrader={"grade": false, "grade_id": "u1_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from helpers import check

# %% nbgrader={"grade": false, "grade_id": "similarity_matrix", "locked": false, "schema_version": 3, "solution": true, "task": false}
def similarity_matrix(X):
    """Doc."""
    ### BEGIN SOLUTION
    return X @ np.swapaxes(X, -1, -2)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_similarity_matrix", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(similarity_matrix)
### BEGIN HIDDEN TESTS
check(similarity_matrix, hidden=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_two_projections", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# **Why?**
#
# ### BEGIN SOLUTION
# *Model answer.* Because
#
# *Marking guide.* 3 points
# ### END SOLUTION
