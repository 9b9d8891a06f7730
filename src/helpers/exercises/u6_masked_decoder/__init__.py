"""Unit 6: cases, mistakes and hints of the masks, the loss, the decoder layer and greedy decoding."""
