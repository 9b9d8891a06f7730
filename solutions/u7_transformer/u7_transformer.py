# %% [markdown]
# # Unit 7 · The whole machine
#
# You have every part: attention, heads, positions, the encoder, the masked decoder, the loss. Today you put them together, twice, train both machines on
# this computer, and then open them to see what they look at.
#
# | you will write | what it does | points | minutes |
# |---|---|---|---|
# | `DigitClassifier` | reads a handwritten digit row by row and says which of ten it is: an **encoder** | 4 | 25 |
# | `Transformer` | reads a number in words, writes it in digits: **encoder and decoder** | 4 | 35 |
# | `train_step` | teaches it, one batch at a time | 3 | 10 |
# | `translate` | lets it write when nobody tells it the answer | 4 | 20 |
# | `read_the_heads` | in your own words: what two heads of your model look at | 3 | 25 |
# | `what_each_part_buys` | in your own words: which part mattered most, and for what | 2 | 15 |
#
# The translator reads three languages: *forty-two thousand, three hundred and seven*, *сорок две тысячи триста семь* and *四万二千三百零七* all become `42307`.
#
# Training takes one to two minutes in all on an ordinary processor, and uses a graphics card if there is one. You can stop it at any time with the ■ button, once is
# enough, and run the cell again to go on. What was learned is saved beside this notebook in `weights.safetensors`: **hand that file in together with the notebook**.
# Grading never trains; it loads your file into your classes and measures them on examples they have not seen.

# %% nbgrader={"grade": false, "grade_id": "u7_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import torch
import torch.nn.functional as F
from torch import nn

from helpers import check, data, hint, plots
from helpers.data import BOS, EOS, MAX_LENGTH, PAD
from helpers.plots import u7_transformer as figures
from helpers.reference.u3_positional_encoding import sinusoidal_encoding
from helpers.reference.u5_add_and_norm import Encoder
from helpers.reference.u6_masked_decoder import (
    DecoderLayer,
    causal_mask,
    cross_entropy,
    greedy_decode,
    shift_right,
)
from helpers.training import Training, device

SEED = 0

# %% [markdown]
# The parts of units 3 to 6 come from the course's own implementations, so that nothing here hangs on an exercise you have not finished. If you would rather
# use yours, paste them into a cell below this one; their names and arguments are the same. Paste what they need, too: `import numpy as np` for unit 3, and for an
# `Encoder` or a `DecoderLayer` all that it is made of, down to `FeedForward` and `MultiHeadAttention`.
#
# `SEED` fixes everything that is random: the same seed gives the same curve. Try another when you are done.

# %% [markdown]
# ## 1 · Reading a digit row by row
#
# scikit-learn brings 1,797 handwritten digits of 8 × 8 pixels, 0 for paper to 16 for ink. Every fifth is **held out**: the model never learns from these 359,
# and is measured on them. The task is to sort an image into one of ten classes.

# %%
digits = data.digits()
print("to learn from:", digits.train_images.shape, "  held out:", digits.test_images.shape)
plots.show(figures.ten_classes(digits.train_images, digits.train_labels))

# %% [markdown]
# An encoder wants tokens. A sentence has words; an image has **rows**. Row by row, from top to bottom, the image becomes a sequence of eight tokens, each with
# eight features, and the matrix $X$ of unit 1 is simply the image.

# %%
plots.show(figures.rows_as_tokens(digits.train_images[13], digits.train_labels[13]))

# %% [markdown]
# The machine has four steps. For a batch of $b$ images:
#
# | step | shape |
# |---|---|
# | pixels, divided by 16 so that they lie between 0 and 1 | $(b, 8, 8)$ |
# | **embedding**: one linear layer, the same for every row, to width $d_{\text{model}}$; then add the positions of unit 3 | $(b, 8, d_{\text{model}})$ |
# | the **encoder** of unit 5: rows look at one another | $(b, 8, d_{\text{model}})$ |
# | the **mean** over the eight tokens, then a last linear layer to ten **logits** | $(b, 10)$ |
#
# Words needed a table for their embedding, because a word is only an id. Pixels are numbers already, so a linear layer does.
#
# The mean throws the order of the rows away, and attention does not see it either. Without positions an image and the same image with its rows shuffled
# are one and the same to the model.
#
# **From logits to a class.** Softmax turns the ten logits into ten probabilities, and cross entropy (unit 6) is $-\log$ of the one that the right class got.
#
# **By hand.** An untrained model gives each of the ten classes about the same probability. Where will its loss begin? And what is the loss of an image whose
# right class has probability 0.9?
#
# <details><summary>Compare</summary>
#
# $-\ln \frac{1}{10} = 2.30$, so the curve below begins near 2.3. And $-\ln 0.9 = 0.11$. (`log` is the natural logarithm here.)
#
# </details>
#
# ### `DigitClassifier` · exercise, 4 points
# *Core, about 25 minutes.*
#
# The design is yours: how wide, how many layers and heads, what becomes of the eight tokens. The order of the rows must matter, images of one batch must not
# influence each other, and what comes out are logits, without softmax. The check does not see whether the image goes in row by row, or whether anything attends:
# any model that reads enough digits has the points, but without attention there are no heads to look at below. $d_{\text{model}} = 32$ with 4 heads and 2 layers is
# enough. Two hints:
#
# - `torch.from_numpy(sinusoidal_encoding(8, d_model)).float()` makes the positions. Keep what is not trained with `self.register_buffer("positions", ...)`: it
#   then travels to a graphics card and into the weights file together with the rest. (Positions that are learned have to begin with random numbers: zeros tell no
#   rows apart, and the check looks at an untrained model too.)
# - `Encoder(n_layers, d_model, n_heads, d_ff, norm_first=True)` trains well without further tricks.


# %% nbgrader={"grade": false, "grade_id": "DigitClassifier", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DigitClassifier(nn.Module):
    """An encoder that reads an image of a digit row by row: eight rows are eight tokens."""

    def __init__(self):
        super().__init__()
        ### BEGIN SOLUTION
        d_model = 32
        self.embed = nn.Linear(8, d_model)
        self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(8, d_model)).float())
        self.encoder = Encoder(n_layers=2, d_model=d_model, n_heads=4, d_ff=64, norm_first=True)
        self.classify = nn.Linear(d_model, 10)
        ### END SOLUTION

    def forward(self, images):
        """Args: images (b, 8, 8), pixels from 0 to 16. Returns: logits (b, 10)."""
        ### BEGIN SOLUTION
        x = self.embed(images / 16) + self.positions  # (b, 8, d_model)
        x = self.encoder(x)  # (b, 8, d_model)
        return self.classify(x.mean(dim=1))  # (b, 10)
        ### END SOLUTION


# %% [markdown]
# ### Training it
#
# One step of learning has six lines, always the same: switch to training mode, compute the loss of a batch, clear the old gradients, compute the new ones, let
# the optimizer move every parameter a little downhill, report the loss. `rng` draws the batch.


# %%
images = torch.tensor(digits.train_images, device=device())
labels = torch.tensor(digits.train_labels, device=device())


def digit_step(model, optimizer, rng):
    chosen = rng.integers(0, len(labels), size=64)
    model.train()
    loss = F.cross_entropy(model(images[chosen]), labels[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


digits_run = Training(lambda: DigitClassifier(), digit_step, steps=600, rate=3e-3, seed=SEED)

# %%
digits_run.go()
digits_run.save("digits")

# %% [markdown]
# A run goes on where it stopped when you run the cell again. To begin anew, as after a change to your class, first run the cell that makes `digits_run`, then the one
# that trains.
#
# `save` overwrites no better weights: where the file has some already, it tries both on the same batches, keeps those with the lower loss and says which. So a second run
# that you stop early does no harm. Weights that do not fit your class any more, after a change to it, cannot be tried: they are replaced, and the file with them
# is kept beside the new one, as `weights-before-1.safetensors`. After a restart of the kernel you need not train again: write `digits_run.load("digits")` into a
# new cell and run it in the place of the training. The check needs only the file.
#
# The check puts your class and the saved weights together and shows them the 359 held-out images; **96 %** have to be read right. (The course's own classifier
# reaches 98.9, 98.9, 98.6, 98.6 and 98.9 % with the seeds 0 to 4.) Then it turns each by up to 3° and moves it by up to a tenth of a pixel, and 93 % must still be
# right: a model that has learned digits loses half a percent by that, and one that knows these images by heart loses all. `weights.safetensors` may have up to 20 MB and is the only format that is read: unlike a
# pickle, it holds numbers and nothing that could be run.

# %% nbgrader={"grade": true, "grade_id": "test_DigitClassifier", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(DigitClassifier)
### BEGIN HIDDEN TESTS
check(DigitClassifier, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Which images does it still get wrong? Would you have known?

# %%
if digits_run.model is not None:
    with plots.demonstration("DigitClassifier"), torch.no_grad():
        logits = digits_run.model.eval()(torch.tensor(digits.test_images, device=device()))
        guesses = logits.argmax(dim=-1).cpu().numpy()
        print(f"{(guesses == digits.test_labels).sum()} of {len(guesses)} held-out images are read right.")
        plots.show(figures.misread(digits.test_images, digits.test_labels, guesses))

# %% [markdown]
# ### What do the heads look at?
#
# Every row asks, every row answers. Below, each panel is one head, drawn over the image: the deeper the orange within a panel, the more attention the eight rows
# **together** give to that row. (The numbers on the right are the mean weights; over all tokens they sum to 1.)

# %%
seen = {}
if digits_run.model is not None:
    with plots.demonstration("DigitClassifier"):
        for place in (9, 20, 41):
            one = torch.tensor(digits.test_images[place : place + 1], device=device())
            seen[place] = figures.attention_of(digits_run.model, lambda one=one: digits_run.model(one))
        if not seen[9]:
            print("Nothing to draw: no layer returns (output, weights), as MultiHeadAttention of unit 4 does.")
        else:
            plots.show(
                figures.heads_received(
                    digits.test_images[9],
                    seen[9],
                    f"A held-out {digits.test_labels[9]}: which rows are looked at, head by head",
                )
            )

# %% [markdown]
# Here you choose the image, the layer and the row that **asks** (framed in blue), and see the answer of each head.

# %%
if seen.get(9):

    def draw_row(image, layer, row):
        title = f"A held-out {digits.test_labels[image]}: row {row} asks, layer {layer}"
        return figures.heads_on_digit(digits.test_images[image], list(seen[image].values())[layer], row, title)

    plots.explore(
        draw_row,
        start={"row": 4},
        image={f"number {place}, a {digits.test_labels[place]}": place for place in seen},
        layer=range(len(seen[9])),
        row=range(8),
    )

# %% [markdown]
# ## 2 · From words to digits
#
# Now both halves of the Transformer. The source is a number in words, the target is the same number in digits. Translating it is more than looking words up:
# *seven* may stand for 7, for 700 or for 7,000, the order decides, and a zero often has no word at all.

# %%
for number in (7, 700, 7_070, 40_721):
    for language in data.LANGUAGES:
        print(f"{number:>6}  {data.number_words(number, language)}")

# %% [markdown]
# The course spells all numbers from 0 to 99,999 in three languages. Each word, and each Chinese character, is a token; the digits have a vocabulary of their
# own. Three ids mean the same in both: `PAD` = 0 fills up short sentences, `BOS` = 1 begins a target, `EOS` = 2 ends it.

# %%
number, language = 40_721, "Russian"
print("words: ", data.words(data.number_words(number, language)))
print("source:", data.source_ids(number, language))
print("target:", data.target_ids(number), "  the digits 4 0 7 2 1 and EOS")
print("source vocabulary:", len(data.source_vocabulary()), " target vocabulary:", len(data.target_vocabulary()))

learned, held_out = data.numbers()
print(f"{len(learned):,} numbers to learn from, {len(held_out):,} held out, as", *held_out[[3, 200, 4000, 8000]])

# %% [markdown]
# A held-out number is held out in **all three** languages, and no two numbers share a spelling. So whatever the model gets right there it has not learned by
# heart.
#
# Here is the whole machine. You know every box; the chart says how they are wired. (It shows the order of the paper of 2017, add and then norm. With `norm_first` the
# norm stands at the entrance of each sublayer instead, and one more at the very end of each stack.)

# %%
plots.show(figures.flow_chart())

# %% [markdown]
# **Three attentions, two masks.** Say for each attention in the chart where its queries, keys and values come from and what it may not see, before you open this.
#
# <details><summary>Compare</summary>
#
# | attention | Q from | K, V from | mask |
# |---|---|---|---|
# | encoder's self-attention | source words | source words | no padding |
# | decoder's self-attention | target so far | target so far | not looking ahead |
# | cross attention | target so far | memory, that is the encoder's output | no padding **of the source** |
#
# The target needs no padding mask of its own: its padding comes at the end, and nobody may look ahead.
#
# </details>

# %% [markdown]
# **By hand.** Two sentences in one batch, the second one shorter:
#
# $$\texttt{src} = \begin{pmatrix} 7 & 31 & 5 \\ 9 & 0 & 0 \end{pmatrix}$$
#
# Write down `src != PAD`. Which shape must it get to broadcast to $(b, h, n_q, n_k)$?
#
# <details><summary>Compare</summary>
#
# $$\texttt{src != PAD} = \begin{pmatrix} T & T & T \\ T & F & F \end{pmatrix}$$
#
# The padding forbids **keys**, for every head and every query, so this one becomes $(2, 1, 1, 3)$.
#
# </details>
#
# ### `Transformer` · exercise, 4 points
# *Core, about 35 minutes.*
#
# Three methods: `encode` reads the source, `decode` predicts the target from what it has so far and the memory, and `forward` does both.
#
# - **Embedding.** `nn.Embedding(vocab, d_model)` is the table; unit 3 multiplies its rows by $\sqrt{d_{\text{model}}}$ and adds the positions: of the `max_length`
#   rows a sequence of $n$ tokens takes the first $n$. torch fills such a table with variance 1, and after the multiplication the positions would drown.
#   `nn.init.normal_(table.weight, std=d_model**-0.5)` keeps the balance.
# - **Encoder and decoder.** `Encoder(n_layers, d_model, n_heads, d_ff, norm_first=True)` is complete, and is called as `encoder(x, mask)`. The decoder is `n_layers` times
#   `DecoderLayer(d_model, n_heads, d_ff, norm_first=True)` in an `nn.ModuleList`, so that torch finds their parameters, each layer made anew. A decoder layer is called as
#   `layer(x, memory, self_mask, memory_mask)`. With `norm_first` one more `nn.LayerNorm` belongs after the last of them.
# - **Masks.** `src != PAD` lives where `src` does. `causal_mask(m)` of unit 6 is made on the processor: `.to(tgt_in.device)` brings it along to a graphics card.
# - **The end.** A linear layer to the logits, without softmax: cross entropy does that.


# %% nbgrader={"grade": false, "grade_id": "Transformer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Transformer(nn.Module):
    """Encoder and decoder: reads one sequence of ids, predicts another.

    Args:
        src_vocab, tgt_vocab: sizes of the two vocabularies.
        d_model, n_heads, d_ff: of all layers.
        n_layers: layers of the encoder, and of the decoder.
        max_length: the longest sequence on either side.
    """

    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        ### BEGIN SOLUTION
        self.src_embed = nn.Embedding(src_vocab, d_model)
        self.tgt_embed = nn.Embedding(tgt_vocab, d_model)
        for table in (self.src_embed, self.tgt_embed):
            nn.init.normal_(table.weight, std=d_model**-0.5)
        self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(max_length, d_model)).float())
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, norm_first=True)
        self.decoder = nn.ModuleList(DecoderLayer(d_model, n_heads, d_ff, norm_first=True) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        self.project = nn.Linear(d_model, tgt_vocab)
        ### END SOLUTION

    def encode(self, src):
        """Args: source ids (b, n), padded with PAD. Returns: memory (b, n, d_model)."""
        ### BEGIN SOLUTION
        x = (
            math.sqrt(self.src_embed.embedding_dim) * self.src_embed(src) + self.positions[: src.shape[1]]
        )  # (b, n, d_model)
        return self.encoder(x, (src != PAD)[:, None, None, :])
        ### END SOLUTION

    def decode(self, tgt_in, memory, memory_mask=None):
        """Predict the token after each of the target's.

        Args:
            tgt_in: target ids so far, (b, m), beginning with BOS.
            memory: from `encode`, (b, n, d_model).
            memory_mask: where the memory may be attended to, boolean (b, 1, 1, n); everywhere if None.

        Returns:
            logits, (b, m, tgt_vocab).
        """
        ### BEGIN SOLUTION
        x = (
            math.sqrt(self.tgt_embed.embedding_dim) * self.tgt_embed(tgt_in) + self.positions[: tgt_in.shape[1]]
        )  # (b, m, d_model)
        self_mask = causal_mask(tgt_in.shape[1]).to(tgt_in.device)  # (m, m)
        for layer in self.decoder:
            x = layer(x, memory, self_mask, memory_mask)
        return self.project(self.norm(x))  # (b, m, tgt_vocab)
        ### END SOLUTION

    def forward(self, src, tgt_in):
        """Args: source ids (b, n), target ids so far (b, m). Returns: logits (b, m, tgt_vocab)."""
        ### BEGIN SOLUTION
        return self.decode(tgt_in, self.encode(src), (src != PAD)[:, None, None, :])
        ### END SOLUTION


# %% [markdown]
# No weights are needed here: the check watches which outputs move when one input does. A later token must not move an earlier logit, padding must not move anything,
# and the order of the words must. It cannot see how well the machine will learn: the start values, $\sqrt{d_{\text{model}}}$ and the last norm are yours to look over.

# %% nbgrader={"grade": true, "grade_id": "test_Transformer", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(Transformer)
### BEGIN HIDDEN TESTS
check(Transformer, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of the whole machine, all with the same weights. For a class, say in brackets what it is made with, and then what
# it is called with. The source below is a single word, the target a single token, and nothing is padded. What can hide in that?

# %%
from helpers import catch

catch(
    "Transformer",
    (9, 9, 8, 2, 1, 16, 6),  # two vocabularies, d_model, heads, layers, d_ff, max_length
    torch.tensor([[3]]),  # src
    torch.tensor([[1]]),  # tgt_in
)

# %% [markdown]
# ## 3 · Teaching: `train_step`
#
# While it learns, the model is not asked to write a number on its own; one wrong digit at the beginning would spoil all that follows. Instead each place is given
# the **right** tokens before it and has to say the next one. That is **teacher forcing**, and thanks to the causal mask all places of all sentences are trained at
# once. What the decoder reads is the target moved one place to the right, with `BOS` in front: `shift_right` of unit 6.

# %%
target = ["4", "0", "7", "2", "1", "eos", "pad"]
plots.show(figures.teacher_forcing(target, ["bos", *target[:-1]]))

# %% [markdown]
# The last place has to say `pad`, which is no achievement. Such places are left out of the mean: `ignore_index=pad_id` in `cross_entropy`.
#
# ### `train_step` · exercise, 3 points
# *Core, about 10 minutes.*
#
# The six lines of `digit_step`, with the shift and with `cross_entropy` of unit 6: torch's `F.cross_entropy` wants the vocabulary on axis 1. `tgt` comes without
# `BOS`, and with `EOS` at its end. The model may have been used for translating in between, so put it into training mode. Return the loss as a plain number.


# %% nbgrader={"grade": false, "grade_id": "train_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_step(model, optimizer, src, tgt, pad_id, bos_id):
    """One step of learning with teacher forcing.

    Args:
        model: called as model(src, tgt_in), returns logits (b, m, tgt_vocab).
        optimizer: of the model's parameters.
        src: source ids, (b, n).
        tgt: target ids without bos, (b, m).
        pad_id: targets that do not count.
        bos_id: what the decoder reads first.

    Returns:
        the loss before the step, a float: the mean cross entropy of all targets that are no padding.
    """
    ### BEGIN SOLUTION
    model.train()
    logits = model(src, shift_right(tgt, bos_id))  # (b, m, tgt_vocab)
    loss = cross_entropy(logits, tgt, ignore_index=pad_id)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_train_step", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(train_step)
### BEGIN HIDDEN TESTS
check(train_step, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · Writing: `translate`
#
# When it translates, nobody knows the right tokens. The model reads what it has written itself: it begins with `BOS` alone, takes the most probable next token,
# appends it, asks again, and stops at `EOS`. You wrote this loop in unit 6, `greedy_decode(next_logits, bos_id, eos_id, max_length)`; what is left is to give it the
# right `next_logits`.
#
# ### `translate` · exercise, 4 points
# *Core, about 20 minutes.*
#
# A model always works on a batch, and one sentence is a batch of one: `torch.tensor([src_ids])`. The encoder has to run only **once** for a sentence, the decoder
# once for each digit. Put the model into evaluation mode, write at most `MAX_LENGTH` ids (an untrained model may never say `EOS`), and remember that the model may
# live on a graphics card: `next(model.parameters()).device` says where.


# %% nbgrader={"grade": false, "grade_id": "translate", "locked": false, "schema_version": 3, "solution": true, "task": false}
@torch.no_grad()
def translate(model, src_ids):
    """Write the target of one sentence, always taking the most probable next token.

    Args:
        model: a Transformer.
        src_ids: list of the ids of one sentence, without bos or padding.

    Returns:
        list of ids, without bos and eos.
    """
    ### BEGIN SOLUTION
    model.eval()
    where = next(model.parameters()).device
    memory = model.encode(torch.tensor([src_ids], device=where))  # (1, n, d_model)

    def next_logits(ids):
        return model.decode(torch.tensor([ids], device=where), memory)[0, -1]  # (tgt_vocab,)

    return greedy_decode(next_logits, BOS, EOS, MAX_LENGTH)
    ### END SOLUTION


# %% [markdown]
# Its check comes after the training, because it counts held-out numbers. Now everything is there: `data.number_batch` draws sentences of all three languages,
# your `train_step` teaches, and your `translate` shows on the way what the model makes of three held-out numbers. Watch what it learns early and what late: the zeros,
# for which two of the languages have no word, take longest.
#
# `data.TRANSLATOR` holds the sizes of the model. Play with them if you like, but hand in weights for these: grading builds `Transformer(**data.TRANSLATOR)`.


# %%
print(data.TRANSLATOR)


def number_step(model, optimizer, rng):
    src, tgt = (torch.from_numpy(ids).to(device()) for ids in data.number_batch(rng, 96))
    return train_step(model, optimizer, src, tgt, PAD, BOS)


def samples(model):
    """What the model makes of held-out numbers: (words, right digits, its digits)."""
    rows = []
    for number in (606, 2_026, 90_803):
        for language in data.LANGUAGES:
            written = translate(model, data.source_ids(number, language))
            rows.append((data.number_words(number, language), str(number), data.digits_of(written)))
    return rows


def make():
    return Transformer(**data.TRANSLATOR)


translator_run = Training(make, number_step, steps=900, rate=2e-3, seed=SEED, samples=samples)

# %%
translator_run.go()
translator_run.save("translator")

# %% [markdown]
# (`translator_run.load("translator")` brings it back after a restart, as above.)
#
# The check lets your `translate` write 201 held-out numbers, 67 in each language, with your `Transformer` and the weights you saved; **98 %** have to be right to
# the last digit. It takes a few seconds. Every word gets a new id for it, and the rows of your source embedding are put into the new order: a model that has learned
# the words does not notice, and a table of numbers finds none of them. (Of 3,000 held-out spellings the course's own model gets 3,000, 2,999, 3,000, 2,999 and
# 2,999 right with the seeds 0 to 4.)

# %% nbgrader={"grade": true, "grade_id": "test_translate", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(translate)
### BEGIN HIDDEN TESTS
check(translate, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Try numbers of your own. What does it make of words in an order that no number has, such as *seven thousand hundred*, or of two languages mixed?

# %%
if translator_run.model is not None:
    with plots.demonstration("translate"):
        for text in (
            "nineteen thousand and eighty-four",
            "seven thousand hundred",
            "сорок thousand 二百 and seven",
        ):
            src_ids, wrong = figures.typed(text)
            print(f"{text}  →  {wrong or data.digits_of(translate(translator_run.model, src_ids))}")

# %% [markdown]
# ## 5 · Looking inside
#
# One number in three languages, and the three kinds of attention in the last layer (the mean of the heads). Each **row** of a map is a query and sums to 1; its
# columns are the keys. A decoder row reads a token and is about to write the next: `4→0` has read a 4 and writes a 0. As a key it is only what it has read, `4`.
#
# Look at the cross attention first: which word is each digit taken from? Then at the zero: English and Russian have no word for it. Where does the model look when it
# writes one? And in Chinese, which has 零 (*líng*)? (Where no font with Chinese characters is installed, the figures write pinyin.)


# %%
inside, number = {}, 40_721
if translator_run.model is not None:
    with plots.demonstration("Transformer"):
        for language in data.LANGUAGES:
            src_ids, digits_written = data.source_ids(number, language), data.target_ids(number)[:-1]
            inside[language] = figures.maps_of(translator_run.model, src_ids, digits_written)
            print(f"{language}: {data.number_words(number, language)}")
looked = bool(inside) and all(maps["encoder"] and maps["cross"] for maps in inside.values())
if inside and not looked:
    print("Nothing to draw: no layer returns (output, weights), as MultiHeadAttention of unit 4 does.")
if looked:
    last_layer = []
    for language, maps in inside.items():
        shown = {kind: maps[kind][-1] for kind in ("encoder", "decoder", "cross")}
        last_layer.append(maps | shown | {"language": language})
    plots.show(figures.three_attentions(last_layer))

# %% [markdown]
# A mean over heads hides what single heads do. Choose a language, a kind of attention and a layer, and compare the four heads.

# %%
if looked:

    def draw_heads(language, attention, layer):
        maps = inside[language]
        rows = maps["source"] if attention == "encoder" else maps["target"]
        columns = maps["read"] if attention == "decoder" else maps["source"]
        title = f"{language}, {attention} attention, layer {layer}: four heads"
        return figures.heads_of(maps[attention][layer], rows, columns, title)

    plots.explore(
        draw_heads,
        start={"attention": "cross"},
        language=list(data.LANGUAGES),
        attention=["encoder", "decoder", "cross"],
        layer=range(len(inside["English"]["encoder"])),
    )

# %% [markdown]
# And a number that you type, in any of the three languages. These word vectors are learned, so a map shows what a word means to the model, not how it is
# spelled. Watch one head while you change one word; then leave a word out, write two in the wrong order, or mix the languages.

# %%
if looked:

    def read_and_write(sentence, head, layer):
        src_ids, wrong = figures.typed(sentence)
        if wrong:
            return wrong
        written = translate(translator_run.model, src_ids)[: MAX_LENGTH - 1]
        maps = figures.maps_of(translator_run.model, src_ids, written)
        chosen = slice(None) if head is None else [head]
        one = {kind: maps[kind][layer][chosen] for kind in ("encoder", "decoder", "cross")}
        told = "the mean of all heads" if head is None else f"head {head}"
        title = f"It writes {data.digits_of(written) or 'nothing'}; layer {layer}, {told}"
        return figures.three_attentions([maps | one | {"language": ""}], title)

    n_layers, n_heads = len(inside["English"]["encoder"]), len(inside["English"]["cross"][0])

    plots.explore(
        read_and_write,
        start={"layer": n_layers - 1},
        sentence="sixty-two thousand and ninety",
        head={"mean of all": None} | {f"head {head}": head for head in range(n_heads)},
        layer=range(n_layers),
    )

# %% [markdown] nbgrader={"grade": true, "grade_id": "read_the_heads", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### `read_the_heads` · question, 3 points
# *Core, about 25 minutes.*
#
# Pick **two heads** of your trained models, from different kinds of attention (encoder, decoder and cross attention of the translator, and the digit reader's).
# For each, say which task, layer and head it is, what it looks at, with places or words and weights read from its map, and what that is good for. Then say of one
# of them what you would look at to find out whether you are right.
#
# ### BEGIN SOLUTION
# *Model answer.* (Heads differ from run to run, so an answer is judged by its own maps.) **Cross attention, layer 1, a head of the translator:** the row `0→7` puts most of
# its weight on *seven*, the row `2→1` nearly all of it on *one*. For each digit the head finds the word that names it; the value that comes along is that word, so the decoder
# has only to copy it. At the zero, `4→0`, there is no such word: there the weight lies on *forty* and *thousand*, after which it is missing; in Chinese, which has the word 零, it lies on that. **Encoder
# self-attention, layer 1, another head:** *seven* gives its largest weight to *hundred*, the word right after it, and *сорок* gives its to *тысяч*. So *seven* learns that it
# is a number of hundreds, and its memory row says "700", not "7". To test the first claim I would look at the same head for other numbers, such as 70,421 and 42,107: it should
# follow the words to their new places. Or I would set its weights to zero and count how many held-out numbers still come out right.
#
# *Marking guide.* 3 points: one for two heads that are named precisely, with weights or places read from their maps (not "it looks at important words"); one for a
# plausible account of what the head is good for in the task, in terms of queries, keys and values; one for a test that could show the account to be wrong: other inputs, or
# taking the head out. Accept that a head has no clear pattern if the maps show so and the answer says what a clear one would look like.
# ### END SOLUTION

# %% [markdown]
# ## 6 · What does each part buy?
#
# Take one part out, leave everything else as it is, train again, and see what is lost: an **ablation**. The cell below does it nine times with small models of the
# course's own, which takes about half a minute, and some minutes on a busy machine:
#
# - **no positions**: the position vectors are zero;
# - **no scaling**: scores are not divided by $\sqrt{d_k}$;
# - **no mask**: the decoder may look ahead, in training and in use (the digit reader has no decoder);
# - **one head** of the full width, instead of four of a quarter of it each.
#
# Before you run it, write down a guess: what will each of them do to the digits, and what to the translation?

# %%
results = []
if plots.drawing():
    from helpers.ablation import Study

    study = Study(seed=SEED)

# %%
if plots.drawing():
    study.go()
    results = study.results
    figures.ablation_table(results)
    plots.show(figures.ablation(results))

# %% [markdown]
# Two notes for reading it. Of 359 images one is 0.3 %, and another seed moves most numbers by one or two percent: differences that small mean nothing. And compare the
# *loss* without a mask with its *result*. How can the lowest loss of all belong to the model that translates worst?

# %% [markdown] nbgrader={"grade": true, "grade_id": "what_each_part_buys", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### `what_each_part_buys` · question, 2 points
# *Core, about 15 minutes.*
#
# Which part mattered most for which task, and why? Use the numbers of your table, and explain the loss of the model without a mask.
#
# ### BEGIN SOLUTION
# *Model answer.* For translation two parts decide everything. Without the mask nothing comes out right (0 %), although the training loss is the lowest of all (about 0.001): in
# training the token to be said at one place is the input of the next place, so the model only learned to copy it from there. In use there is no next place yet. Without
# positions about 6 % are right: *two hundred three* and *three hundred two* are the same set of words, and only numbers that hardly depend on order survive. For digits
# positions cost only about 6 % (93 instead of 99 %): many digits can be told from which rows occur, wherever they are, so less of the information is in the order. One head
# instead of four costs 2 to 3 % in both; it can only have one pattern of attention at a time. Scaling makes no difference that is larger than chance here, because $d_k = 8$ is small: the
# scores are at most $\sqrt 8 \approx 2.8$ times too large, and training can shrink $W_q$ and $W_k$. Unit 2 showed that it counts when $d_k$ is large.
#
# *Marking guide.* 2 points: one for naming the part that matters most for **each** task, with numbers from the table, and a reason that fits the task (order carries the
# meaning of number words, and less of that of images); one for the mask: low loss because the answer can be copied from the next input, useless because that input is missing
# in use. Calling differences of one or two percent important costs nothing unless the argument rests on it.
# ### END SOLUTION

# %% [markdown]
# ## What you have now
#
# A Transformer of which you have written every part, that has learned two tasks in a minute or two: an encoder that reads images, and
# an encoder-decoder that translates three languages. What it looks at is no secret to you, and you know which of its parts it cannot do without.
#
# **Next**, in unit 8: what has changed since 2017. Models now have hundreds to thousands of times as many weights, and five pieces of the machine have been replaced to make that
# affordable. Each stands next to the piece you know.
#
# **How to hand in.** Save the notebook, run *Validate* (it trains nothing, and uses your saved weights), and submit it as unit 0 shows. `weights.safetensors` has to lie beside
# the notebook; submitting takes it along. If your class collects files in another way, hand in both.
#
# ### Sources
#
# * Ashish Vaswani and others, 2017, *Attention Is All You Need*: the machine.
# * Ethem Alpaydin and Cenk Kaynak, 1998, *Optical Recognition of Handwritten Digits* (UCI Machine Learning Repository; scikit-learn's `load_digits`): the images.
# * Alexey Dosovitskiy and others, 2021, *An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale*: images as tokens, there in squares and not in rows.
# * Diederik Kingma and Jimmy Ba, 2015, *Adam: A Method for Stochastic Optimization*: the optimizer that moves the parameters.
# * Sarthak Jain and Byron Wallace, 2019, *Attention is not Explanation*, and Sarah Wiegreffe and Yuval Pinter, 2019, *Attention is not not Explanation*: how far a map of attention can be
#   trusted. Read both before you believe a picture.

# %%
from helpers import progress

progress("u7")
