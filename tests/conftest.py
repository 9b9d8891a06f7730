"""Settings for all tests."""

import os

# The tests work on tiny tensors: a second thread only waits for the first, and parallel workers would fight for the
# cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
