"""Figures of unit 6: what each word may see, models that cheat, looking across, the loss, writing word by word."""
