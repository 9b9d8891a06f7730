"""Practice beside the points: wrong versions to catch with one's own tests, and reviews spaced over days."""
