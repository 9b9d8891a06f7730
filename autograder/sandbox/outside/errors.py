"""The error of a sandbox that cannot be had or has failed."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox cannot be had or has failed; the message says which protection is missing and what to do."""
