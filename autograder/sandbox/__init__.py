"""The sandbox: a warm process that forks sealed kernels, and their limits. It knows nothing of exercises or points."""
