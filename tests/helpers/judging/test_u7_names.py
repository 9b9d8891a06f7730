"""What unit 7 says of wrong answers that were once named falsely, not at all, or accepted; right ones stay accepted."""

import pytest

from helpers.judging import catalog, checkup, judge
from helpers.judging.records import UNKNOWN
from helpers.running import runner

from .wild import Wild, answer_of, assert_named

DIGITS = """
class DigitClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 32)
        self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(8, 32)).float())
        self.encoder = Encoder(2, 32, 4, 64, norm_first=True)
        self.classify = nn.Linear(32, 10)

    def forward(self, images):
        x = self.encoder(self.embed(images / 16) + self.positions)
        return self.classify(x.mean(dim=1))
"""
TRANSFORMER = """
class Transformer(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        self.src_table, self.tgt_table = nn.Embedding(src_vocab, d_model), nn.Embedding(tgt_vocab, d_model)
        self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(max_length, d_model)).float())
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, norm_first=True)
        self.layers = nn.ModuleList(DecoderLayer(d_model, n_heads, d_ff, norm_first=True) for _ in range(n_layers))
        self.norm, self.head = nn.LayerNorm(d_model), nn.Linear(d_model, tgt_vocab)

    def encode(self, src):
        x = self.src_table(src) + self.positions[: src.shape[1]]
        return self.encoder(x, (src != 0)[:, None, None])

    def decode(self, tgt_in, memory, memory_mask=None):
        x = self.tgt_table(tgt_in) + self.positions[: tgt_in.shape[1]]
        for layer in self.layers:
            x = layer(x, memory, causal_mask(tgt_in.shape[1]), memory_mask)
        return self.head(self.norm(x))

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src), (src != 0)[:, None, None])
"""
TRAIN = """
def train_step(model, optimizer, src, tgt, pad_id, bos_id):
    model.train()
    tgt_in = shift_right(tgt, bos_id)
    loss = cross_entropy(model(src, tgt_in), tgt, pad_id)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
"""
WRITE = """
@torch.no_grad()
def translate(model, src_ids):
    model.eval()
    src = torch.tensor([src_ids])
    memory = model.encode(src)
    ids = [1]
    while len(ids) <= 12:
        token = int(model.decode(torch.tensor([ids]), memory)[0, -1].argmax())
        if token == 2:
            break
        ids.append(token)
    return ids[1:]
"""
PARTS = {
    "DigitClassifier": (DIGITS, ("sinusoidal_encoding", "Encoder")),
    "Transformer": (TRANSFORMER, ("sinusoidal_encoding", "Encoder", "DecoderLayer", "causal_mask")),
    "train_step": (TRAIN, ("shift_right", "cross_entropy")),
    "translate": (WRITE, ()),
}


def answer(exercise, *changes, says=None, never=()):
    """A right answer with some of its text changed."""
    text, reference = PARTS[exercise]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Wild(exercise, text, says, never, reference=reference)


MEAN, ENCODED = "x.mean(dim=1))", "self.encoder(self.embed(images / 16) + self.positions)"
LOGITS = "cross_entropy(model(src, tgt_in), tgt, pad_id)"
DECODED = "model.decode(torch.tensor([ids]), memory)"
ONE_TABLE = ("self.tgt_table(tgt_in)", "self.src_table(tgt_in)"), (", self.tgt_table =", ", self.unused ="), ("nn.Embedding(tgt_vocab, d_model)\n", "None\n")  # fmt: skip  # noqa: E501

NAMED = [
    answer("DigitClassifier", (MEAN, "x.mean(dim=-1))"), ("Linear(32, 10)", "Linear(8, 10)"), says="over the features"),
    answer("DigitClassifier", (MEAN, "x.mean())"), says="over everything"),
    answer(
        "DigitClassifier", (ENCODED, "self.encoder(self.embed(images / 16)) + self.positions"), says="order of the rows"
    ),
    answer("Transformer", ("[: src.shape[1]]", ""), ("[: tgt_in.shape[1]]", ""), says="whole table", never=("batch",)),
    answer("Transformer", ("src != 0", "src == 0"), says="upside down", never=("difference",)),
    answer("Transformer", ("x, (src != 0)", "x, (src == 0)"), says="encoder's padding mask is upside down"),
    answer("Transformer", ("causal_mask(tgt_in.shape[1])", "causal_mask(tgt_in.shape[1]).T"), says="turned round"),
    answer("Transformer", *ONE_TABLE, says="src_vocab rows"),
    answer("Transformer", ("nn.Embedding(tgt_vocab,", "nn.Embedding(src_vocab,"), says="src_vocab rows"),
    answer("train_step", (LOGITS, "F.cross_entropy(model(src, tgt_in), tgt, ignore_index=pad_id)"), says="last axis"),
    answer("train_step", ("bos_id)\n    loss", "1)\n    loss"), ("tgt, pad_id)", "tgt, 0)"), says="pad_id and bos_id"),
    answer("train_step", ("model.train()", "model.eval()"), says="into evaluation mode"),
    answer("train_step", ("tgt_in), tgt,", "tgt_in), tgt_in,"), says="what the decoder has read"),
    answer("translate", ("return ids[1:]", "return [i for i in ids if i > 3]"), says="dropped the digit 0"),
    answer("translate", (DECODED, "model(src, torch.tensor([ids]))"), says="once, and again for every digit"),
    answer(
        "translate",
        (DECODED, "model(src, torch.tensor([ids]))"),
        ("    memory = model.encode(src)\n", ""),
        says="encoded the sentence again",
    ),
    answer("translate", ("<= 12", "<= len(src_ids)"), says="as the source has words"),
    answer(
        "translate",
        (
            "while len(ids) <= 12:",
            "said = model.decode(torch.tensor([[1] * 12]), memory)[0].argmax(-1).tolist()\n    while len(ids) <= 12:",
        ),
        (f"int({DECODED}[0, -1].argmax())", "said[len(ids) - 1]"),
        says="all places at once",
    ),
]
RIGHT = [
    *(answer(exercise) for exercise in PARTS),
    # Whatever reaches the accuracy has the points.
    answer("DigitClassifier", (MEAN, "x.mean(dim=1)).softmax(-1)")),
    answer("DigitClassifier", (MEAN, "x.mean(dim=1)).log_softmax(-1)")),
    answer(
        "Transformer",
        ("nn.Embedding(src_vocab,", "nn.Embedding(max(src_vocab, tgt_vocab),"),
        *ONE_TABLE,
    ),
    answer("train_step", (LOGITS, "F.cross_entropy(model(src, tgt_in).mT, tgt, ignore_index=pad_id)")),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(NAMED)), ids=lambda number: f"{number}-{NAMED[number].exercise}")
def test_says_what_is_true(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no trained weights lie
    monkeypatch.setattr(checkup, "PATIENCE", 1000.0)  # so that a slow machine says the same
    assert_named(NAMED[number], number)


@pytest.mark.parametrize("number", range(len(RIGHT)), ids=lambda number: f"{number}-{RIGHT[number].exercise}")
def test_accepts_what_is_right(number):
    exercise = catalog.find(RIGHT[number].exercise)
    paper = judge.paper(exercise)
    target = answer_of(RIGHT[number], number)
    own = [case.from_file for case in paper.cases]
    answers = iter(runner.run(target, [case for case, skip in zip(paper.cases, own) if not skip], exercise.forbidden))
    _, found = judge.examined(paper, [UNKNOWN if skip else next(answers) for skip in own])
    assert [finding for finding, skip in zip(found, own) if finding is not None and not skip] == []
