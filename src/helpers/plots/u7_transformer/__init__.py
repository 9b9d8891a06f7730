"""Figures of unit 7: the data, the flow chart, training, attention drawn over digits and between words, the ablation."""
