"""Helper objects that a case may name and the runner builds in the learner's process from plain options.

An object may have `observe()`, which returns its state as plain arrays after the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


class TableLanguageModel:
    """A next-token model that is a table: the logits depend on the last id and on how many ids there are.

    Called with a list of ids, it returns the row `logits[len(ids) - 1, last id]` as a torch tensor (vocab,).

    Args:
        logits: (steps, vocab, vocab); longer sentences use the last step again.
        bos_id: the id that every call must begin with; None does not look.
        most: how often it lets itself be asked, so that a loop without an end gets one; None does not count.
    """

    def __init__(self, logits: np.ndarray, bos_id: int | None = None, most: int | None = None) -> None:
        self.logits = np.array(logits)
        self.bos_id = bos_id
        self.most = most
        self._asked = 0

    def __call__(self, ids: list[int]) -> Any:
        """Return the logits of the next token.

        Raises:
            TypeError: `ids` is not a list of Python ints; the message is for the learner.
            ValueError: it is empty, does not begin with bos, or has an id that the vocabulary has not.
            RuntimeError: it was asked more than `most` times.
        """
        import torch

        self._asked += 1
        if type(ids) is not list:
            raise TypeError(f"next_logits wants a list of ids, and was given a {type(ids).__name__}")
        odd = next((token for token in ids if type(token) is not int), None)
        if odd is not None:
            raise TypeError(
                f"next_logits wants a list of plain whole numbers, and one of these is a {type(odd).__name__}: int(...)"
                " makes a number of it"
            )
        if not ids or (self.bos_id is not None and ids[0] != self.bos_id):
            given = f"a list that begins with {ids[0]}" if ids else "an empty list"
            raise ValueError(
                f"next_logits wants all ids so far, with bos (here {self.bos_id}) in front, and was given {given}"
            )
        unknown = next((token for token in ids if not 0 <= token < self.logits.shape[1]), None)
        if unknown is not None:
            raise ValueError(
                f"next_logits was given the id {unknown}, and the vocabulary has the ids 0 to"
                f" {self.logits.shape[1] - 1}"
            )
        if self.most is not None and self._asked > self.most:
            raise RuntimeError(
                f"next_logits was asked {self._asked} times, at last with a list of length {len(ids)}: this loop does"
                " not come to an end"
            )
        step = min(len(ids), len(self.logits)) - 1
        return torch.from_numpy(self.logits[step, ids[-1]].copy())


def bag_of_words_model(
    weights: Mapping[str, np.ndarray], keep: np.ndarray, sharpness: float = 1.0, training: bool = True
) -> Any:
    """Return a small model to train, called as `model(src, tgt_in)`: each logit depends on all source words, in no
    order, and one target word.

    `logits[b, i] = sharpness · (W tanh(T[tgt_in[b, i]] + mean_j S[src[b, j]]) + c)`. In training mode the features are
    multiplied by `keep`, as dropout would do, but always in the same way.

    Args:
        weights: S (src_vocab, d), T (tgt_vocab, d), W (tgt_vocab, d), c (tgt_vocab,).
        keep: (d,).
        sharpness: the smaller, the smaller are the gradients.
        training: the mode that it begins in.
    """
    import torch

    class BagOfWords(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, array in weights.items():
                self.register_parameter(name, torch.nn.Parameter(torch.from_numpy(np.array(array, dtype=np.float32))))

        def forward(self, src: Any, tgt_in: Any) -> Any:
            if tgt_in.ndim != 2 or src.ndim != 2 or len(src) != len(tgt_in):
                raise ValueError(
                    f"src has shape {tuple(src.shape)} and tgt_in {tuple(tgt_in.shape)}; expected (b, n) and (b, m)"
                )
            table = dict(self.named_parameters())
            features = torch.tanh(table["T"][tgt_in] + table["S"][src].mean(dim=1, keepdim=True))  # (b, m, d)
            if self.training:
                features = features * torch.from_numpy(np.array(keep, dtype=np.float32))
            return sharpness * (features @ table["W"].T + table["c"])  # (b, m, tgt_vocab)

        def observe(self) -> dict[str, np.ndarray]:
            return {name: parameter.detach().numpy().copy() for name, parameter in self.named_parameters()}

    return BagOfWords().train(training)


def sgd(others: Mapping[str, Any], model: str, rate: float, momentum: float = 0.0) -> Any:
    """Return plain gradient descent on the parameters of the model that is the argument `model` of the same call."""
    import torch

    return torch.optim.SGD(others[model].parameters(), lr=rate, momentum=momentum)


def parrot(sentences: Any, logits: np.ndarray, bos_id: int, longest: int, training: bool = False) -> Any:
    """Return a translator that knows a few sentences by heart, with the methods `encode` and `decode`.

    What it says next depends on the sentence, on how many target ids it was given and on the last of them. It counts
    how often it encodes. In training mode, and from a memory that was encoded in training mode, it confuses every token
    with the next one in the vocabulary, as dropout may do.

    Args:
        sentences: the source ids of each.
        logits: (sentences, steps, vocab, vocab); longer targets use the last step again.
        bos_id: the id that a target begins with.
        longest: the most target ids that it reads at one time.
        training: the mode that it begins in.
    """
    import torch

    known = {tuple(map(int, ids)): number for number, ids in enumerate(sentences)}
    table = torch.from_numpy(np.array(logits, dtype=np.float32))

    class Parrot(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # So that it has a device, like any model.
            self.unused = torch.nn.Parameter(torch.zeros(1))
            self.encoded = 0

        def encode(self, src: Any) -> Any:
            if not torch.is_tensor(src) or src.ndim != 2:
                raise ValueError(
                    f"a model reads a batch of sentences, a tensor of ids (b, n), and was given {_shape_of(src)}"
                )
            self.encoded += 1
            # In training mode a word is blurred, and nothing that is read from it is certain.
            return src.float()[..., None] + (0.25 if self.training else 0) + 0 * self.unused  # (b, n, 1)

        def decode(self, tgt_in: Any, memory: Any, memory_mask: Any = None) -> Any:
            if not torch.is_tensor(tgt_in) or tgt_in.ndim != 2 or tgt_in.shape[1] == 0:
                raise ValueError(
                    "a model reads a batch of targets so far, a tensor of ids (b, m), and was given"
                    f" {_shape_of(tgt_in)}"
                )
            if tgt_in.shape[1] > longest:
                raise ValueError(
                    f"a model of max_length {longest} cannot read {tgt_in.shape[1]} ids: translate has to come to"
                    " an end"
                )
            rows = []
            for ids in memory[..., 0].round().long().tolist():
                if tuple(ids) not in known:
                    raise ValueError(
                        f"the model was given the source ids {ids}; expected one of"
                        f" {', '.join(str(list(s)) for s in known)}"
                    )
                rows.append(known[tuple(ids)])
            steps = torch.arange(tgt_in.shape[1]).clamp(max=table.shape[1] - 1)  # (m,)
            said = table[torch.tensor(rows)[:, None], steps, tgt_in]  # (b, m, vocab)
            begun = (tgt_in[:, :1] == bos_id)[..., None]
            # Whoever begins otherwise gets the answers of the vocabulary backwards.
            said = torch.where(begun, said, said.flip(-1))
            blurred = bool((memory != memory.round()).any())
            return (said.roll(1, dims=-1) if self.training or blurred else said) + 0 * memory.sum()

        def forward(self, src: Any, tgt_in: Any) -> Any:
            return self.decode(tgt_in, self.encode(src))

        def observe(self) -> dict[str, int]:
            return {"how often the sentence was encoded": self.encoded}

    return Parrot().train(training)


def reader(logits: np.ndarray, prompt: int, n_new: int, training: bool = False) -> Any:
    """Return a language model that is a table and keeps a record of how it is read, called as `model(ids, cache)`.

    What it says after a token depends on that token and on the sum of all before it, which only the cache knows. In
    training mode it confuses every token with the next one in the vocabulary, as dropout may do.

    Args:
        logits: (sums, vocab, vocab): a row for the sum of all ids so far, modulo the first axis, and the last id.
        prompt: how many ids it should read in its first pass.
        n_new: how many tokens it will be asked for.
        training: the mode that it begins in.
    """
    import torch

    table = torch.from_numpy(np.array(logits, dtype=np.float32))

    class Reader(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # So that it has a device, like any model.
            self.unused = torch.nn.Parameter(torch.zeros(1))
            self.passes: list[int] = []

        def forward(self, ids: Any, cache: Any = None) -> Any:
            if not torch.is_tensor(ids) or ids.ndim != 2 or ids.shape[-1] == 0:
                raise ValueError(
                    "a model reads a batch of texts, a tensor of ids (b, n), here (1, n), and was given"
                    f" {_shape_of(ids)}"
                )
            if cache is not None and not (isinstance(cache, list) and len(cache) == 1 and len(cache[0]) == 2):
                raise ValueError("a model is given the cache that its last call returned, or None at the beginning")
            self.passes.append(ids.shape[-1])
            before = ids.new_zeros(len(ids), 1) if cache is None else cache[0][0][..., 0].sum(-1, keepdim=True)
            sums = (before + ids.cumsum(-1)) % len(table)  # (b, n)
            said = table[sums.long(), ids]  # (b, n, vocab)
            kept = ids[..., None].float()  # (b, n, 1)
            kept = kept if cache is None else torch.cat([cache[0][0], kept], dim=-2)
            said = said.roll(1, dims=-1) if self.training else said
            return said + 0 * self.unused, [(kept, kept)]

        def observe(self) -> dict[str, np.ndarray]:
            """How often it was asked to do what it need not; a last pass whose answer nobody uses is let go."""
            again = max(0, sum(self.passes) - prompt - n_new)
            pieces = max(0, len(self.passes) - n_new - 1) if again == 0 else 0
            return {"tokens read again": np.array(again), "passes too many": np.array(pieces)}

    return Reader().train(training)


class Chooser:
    """Chooses a token as `generate` asks for it: the most probable one, or by a share that is given for each step.

    Args:
        shares: numbers from 0 to 1; the chosen token is where the sum of the probabilities passes the share. Empty
            takes the most probable token.
    """

    def __init__(self, shares: Any = ()) -> None:
        self._shares = list(shares)
        self._asked = 0

    def __call__(self, probabilities: Any) -> int:
        """Return the id.

        Raises:
            ValueError: these are no probabilities (vocab,); the message is for the learner.
        """
        import torch

        if not torch.is_tensor(probabilities) or probabilities.ndim != 1:
            raise ValueError(
                "choose wants the probabilities of the next token alone, a tensor (vocab,), and was given"
                f" {_shape_of(probabilities)}"
            )
        if bool((probabilities < 0).any()) or abs(float(probabilities.sum()) - 1) > 1e-3:
            raise ValueError(
                "choose wants probabilities, none negative and 1 in all, and was given numbers from"
                f" {float(probabilities.min()):.3g} to {float(probabilities.max()):.3g} that add up to"
                f" {float(probabilities.sum()):.3g}"
            )
        if not self._shares:
            return int(probabilities.argmax())
        share = self._shares[self._asked % len(self._shares)]
        self._asked += 1
        return int((probabilities.double().cumsum(-1) > share).nonzero()[0, 0])


def _shape_of(item: Any) -> str:
    return f"one of shape {tuple(item.shape)}" if hasattr(item, "shape") else f"a {type(item).__name__}"


_BUILDERS: dict[str, Callable[..., Any]] = {
    "table_language_model": TableLanguageModel,
    "bag_of_words_model": bag_of_words_model,
    "sgd": sgd,
    "parrot": parrot,
    "reader": reader,
    "chooser": Chooser,
}


def build(name: str, options: Mapping[str, Any], others: Mapping[str, Any] | None = None) -> Any:
    """Return the object of that name.

    Args:
        name: one of `_BUILDERS`.
        options: its arguments.
        others: the objects of the same call that are built already, by their place; for builders that take `others`.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in _BUILDERS:
        raise ValueError(f"there is no helper object {name!r}; there are {', '.join(sorted(_BUILDERS))}")
    builder = _BUILDERS[name]
    more = {"others": others or {}} if "others" in inspect.signature(builder).parameters else {}
    return builder(**options, **more)
