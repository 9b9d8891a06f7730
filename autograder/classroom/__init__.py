"""The class folder: its layout, configuration and secret, extensions, forgetting a student, reading answers back."""
