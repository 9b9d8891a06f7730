"""Unit 5: cases, mistakes and hints of layer norm, the feed-forward network and the encoder."""
