"""Unit 0: the one exercise on which a learner tries out how checks and hints work."""
