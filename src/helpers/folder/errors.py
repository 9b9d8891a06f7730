"""What goes wrong with a learner's folder."""


class FolderError(Exception):
    """Something a learner has to put right; the message says what, where and how."""
