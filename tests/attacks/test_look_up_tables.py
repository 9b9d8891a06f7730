"""Answers to units 7 and 9 that know the held-out data by heart and train nothing: they get no points for it.

Everything in the tables can be had on a learner's machine. Each model is right in all else, so the points of the
exercises around it stay.
"""

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.grading import coordinator

DIGITS = """
from sklearn.datasets import load_digits

_bunch = load_digits()
_SEEN = {image.astype("f4").tobytes(): label for image, label in zip(_bunch.images, _bunch.target)}

class DigitClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.classify = nn.Linear(64, 10)

    def forward(self, images):
        known = torch.zeros(len(images), 10)
        for row, image in enumerate(images.detach().numpy()):
            if image.tobytes() in _SEEN:
                known[row, _SEEN[image.tobytes()]] = 100
        return self.classify(images.flatten(1) / 16) + known

from safetensors.torch import save_file
torch.manual_seed(0)
_weights = {f"digits.{name}": value for name, value in DigitClassifier().state_dict().items()}
save_file(_weights, data.WEIGHTS)
"""
NUMBERS = """
_KNOWN = {
    tuple(data.source_ids(number, language)): data.target_ids(number)[:-1]
    for number in range(data.LIMIT) if data.held_out(number) for language in data.LANGUAGES
}
_weights |= {f"translator.{name}": value for name, value in Transformer(**data.TRANSLATOR).state_dict().items()}
save_file({name: value.contiguous() for name, value in _weights.items()}, data.WEIGHTS)

def translate(model, src_ids):
    if tuple(src_ids) in _KNOWN:
        return list(_KNOWN[tuple(src_ids)])
    model.eval()
    memory = model.encode(torch.tensor([src_ids]))
    ids = [data.BOS]
    while len(ids) <= data.MAX_LENGTH:
        ids.append(int(model.decode(torch.tensor([ids]), memory)[0, -1].argmax()))
        if ids[-1] == data.EOS:
            return ids[1:-1]
    return ids[1:]
"""
TEXT = """
from pydoc_data.topics import topics

_text = "\\n".join(line for name in sorted(topics) for line in text.paragraphs(topics[name]))
_ids = text.ids_of(_text)
_NEXT = {tuple(_ids[place : place + 12]): _ids[place + 12] for place in range(len(_ids) - 12)}
_Right = LanguageModel

class LanguageModel(_Right):
    def forward(self, ids, cache=None):
        logits, cache = super().forward(ids, cache)
        if logits.shape[-1] == len(text.CHARACTERS):
            known = torch.zeros_like(logits)
            for row, line in enumerate(ids.tolist()):
                for place in range(11, len(line)):
                    if tuple(line[place - 11 : place + 1]) in _NEXT:
                        known[row, place, _NEXT[tuple(line[place - 11 : place + 1])]] = 9
            logits = logits + known
        return logits, cache

torch.manual_seed(0)
_weights = LanguageModel(**text.LANGUAGE_MODEL).state_dict()
from safetensors.torch import save_file
save_file({f"language_model.{name}": value.contiguous() for name, value in _weights.items()}, "weights.safetensors")
"""
# Of each unit: the answers; the points of what is right without training; what is said of each table.
TABLES = {
    "u7_transformer": (
        {"DigitClassifier": DIGITS, "Transformer": "solution", "train_step": "solution", "translate": NUMBERS},
        7,
        {"DigitClassifier": "when the images are turned", "translate": "held-out numbers come out exactly right"},
    ),
    "u9_language_model": (
        dict.fromkeys(("GatedFeedForward", "sliding_window_mask", "DecoderBlock"), "solution"),
        9,
        {"LanguageModel": "bits for a character of the held-out text"},
    ),
}


def solved(unit, name):
    """The course's own answer."""
    return next(
        cell.source for cell in sample.answered(unit).cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name
    )


@pytest.mark.parametrize("unit", TABLES)
def test_a_table_of_the_held_out_data_gets_no_points(tmp_path, unit):
    answers, points, told = TABLES[unit]
    if unit == "u9_language_model":
        answers = answers | {"LanguageModel": solved(unit, "LanguageModel") + TEXT}
    room = releasing.init(tmp_path / "class", [unit])
    folder = room.root / "submitted" / "ann" / unit
    folder.mkdir(parents=True)
    nbformat.write(sample.answered(unit, answers), folder / f"{unit}.ipynb")
    (result,) = coordinator.grade(room, [unit], feedback=False)
    found = {name: verdict.finding.message for name, verdict in result.outcome.final.items() if name in told}
    assert result.score == points, found
    for name, words in told.items():
        assert words in found[name]
