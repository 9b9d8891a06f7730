"""A graded class as a table in the terminal, as one page that needs nothing else, and as CSV files.

`gather` reads the class, `statistics` counts, `examples` anonymises, `tables` and `figures` show, `page` writes.
"""

from .page import write
from .terminal import table

__all__ = ["table", "write"]
