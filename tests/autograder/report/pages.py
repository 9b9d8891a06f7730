"""One unit's class to report on, and what a report says of it."""

import csv
from html.parser import HTMLParser

from autograder import report

UNIT = "u1_dot_products"
POINTS = {
    "similarity_matrix": 2,
    "cosine_similarity": 3,
    "project": 3,
    "scores_for_query": 2,
    "attention_scores": 4,
    "attention_scores_columns": 3,
}
RIGHT = dict.fromkeys(POINTS, "")


class Reader(HTMLParser):
    """What is on a page: its elements with attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def written(room, **options):
    return Reader(report.write(room, **options).read_text(encoding="utf-8"))


def rows(room, name):
    with open(room.root / "report" / f"{name}.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
