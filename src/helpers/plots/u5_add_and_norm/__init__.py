"""Figures of unit 5: residual roads, layer norm, the two orders of the norm, attention maps layer by layer."""
