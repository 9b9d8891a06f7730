"""What an instructor runs: build the notebooks, grade a class in a sandbox, report."""
