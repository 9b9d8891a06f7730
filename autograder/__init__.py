"""What an instructor runs: build the notebooks, grade a class in a sandbox, report."""

import sys as _sys

# jsonschema imports it for one format that no notebook has, and it takes a second to compile its grammar.
_sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
