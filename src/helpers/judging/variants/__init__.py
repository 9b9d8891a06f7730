from .search import diagnose

__all__ = ["diagnose"]
