"""Figures of unit 8: the block then and now, norms, turning pairs, caches, shared heads, blocks of keys."""
