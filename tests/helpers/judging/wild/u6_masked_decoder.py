"""Wrong answers to unit 6 that a newcomer to it wrote, with what is said of each."""

from . import Wild

CAUSE = """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            log_p = torch.log_softmax(logits, dim=-1)
"""
MEAN = """
            return -(p * keep).sum() / keep.sum().clamp(min=1)
"""


def _named(exercise: str, says: str, source: str, *never: str) -> Wild:
    return Wild(exercise, source, says, never)


def _loss_named(says: str, picked: str, *never: str) -> Wild:
    """A loss that is right but for the way in which it picks the log-probabilities `p` of the targets."""
    return Wild("cross_entropy", f"{CAUSE}            {picked}{MEAN}", says, never)


def _attention(says: str, weights: str, *never: str) -> Wild:
    return Wild(
        "masked_attention",
        f"""
        def masked_attention(Q, K, V, mask):
            scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
            weights = {weights}
            return weights @ V, weights
        """,
        says,
        never,
    )


def _layer(says: str, pre: str, post: str, *never: str) -> Wild:
    """A decoder layer whose `forward` is given for pre-norm and post-norm."""
    return Wild(
        "DecoderLayer",
        f"""
        class DecoderLayer(nn.Module):
            def __init__(self, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.norm_first = norm_first
                self.self_attention = MultiHeadAttention(d_model, n_heads)
                self.cross_attention = MultiHeadAttention(d_model, n_heads)
                self.feed_forward = FeedForward(d_model, d_ff)
                self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(d_model) for _ in range(3))

            def forward(self, x, memory, self_mask=None, memory_mask=None):
                if self.norm_first:
                    {pre}
                else:
                    {post}
                return x
        """,
        says,
        never,
        reference=("MultiHeadAttention", "FeedForward"),
    )


PRE = (
    "y = self.norm_1(x)",
    "x = x + self.self_attention(y, y, y, self_mask)[0]",
    "x = x + self.cross_attention(self.norm_2(x), memory, memory, memory_mask)[0]",
    "x = x + self.feed_forward(self.norm_3(x))",
)
POST = (
    "x = self.norm_1(x + self.self_attention(x, x, x, self_mask)[0])",
    "x = self.norm_2(x + self.cross_attention(x, memory, memory, memory_mask)[0])",
    "x = self.norm_3(x + self.feed_forward(x))",
)


def _lines(lines: tuple[str, ...], place: int, line: str) -> str:
    """The lines with one of them written otherwise, behind each other."""
    return "; ".join([*lines[:place], line, *lines[place + 1 :]])


ENDLESS = """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            while True:
                n = next_logits(ids).argmax().item()
                if n == eos_id:
                    return ids[1:]
                ids.append(n)
"""


def _greedy(says: str, loop: str, best: str, *never: str) -> Wild:
    return Wild(
        "greedy_decode",
        f"""
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            {loop}:
                n = {best}
                if n == eos_id:
                    break
                ids.append(n)
            return ids[1:]
        """,
        says,
        never,
    )


EQUAL = "torch.finfo(scores.dtype).min"

NAMED = [
    # --- padding and shift
    _named(
        "shift_right",
        "bos stands at every place",
        """
        def shift_right(targets, bos_id):
            out = targets.clone()
            out[..., 0] = bos_id
            for i in range(1, out.shape[-1]):
                out[..., i] = out[..., i - 1]
            return out
        """,
    ),
    _named(
        "shift_right",
        "after bos the first target stands at every place",
        """
        def shift_right(targets, bos_id):
            out = targets.clone()
            for i in range(1, out.shape[-1]):
                out[..., i] = out[..., i - 1]
            out[..., 0] = bos_id
            return out
        """,
    ),
    # --- masked_attention
    *(
        _attention(
            name,
            f"torch.softmax(scores.masked_fill(~mask, {fill}), dim=-1) * mask",
            "every entry is 0",
            EQUAL,
        )
        for fill, name in {
            "-20": "filled with -20, and set the hidden weights to 0 afterwards",
            "-100": "filled with a number like -100 or -1,000, and set the hidden weights to 0 afterwards",
            "-1000": "filled with a number like -100 or -1,000, and set the hidden weights to 0 afterwards",
            "-1e4": "filled with -10,000, and set the hidden weights to 0 afterwards",
            "-65504.0": "filled with -65,504, the lowest number of float16, and set the hidden weights to 0 afterwards",
        }.items()
    ),
    _attention("multiplied the scores with the mask", "torch.softmax(scores * mask, dim=-1)"),
    _attention(
        "multiplied the scores with the mask, and the weights as well", "torch.softmax(scores * mask, dim=-1) * mask"
    ),
    # --- DecoderLayer
    _layer(
        "the values of the cross attention come from the decoder, as they are before the norm",
        _lines(PRE, 2, "x = x + self.cross_attention(self.norm_2(x), memory, x, memory_mask)[0]"),
        _lines(POST, 1, "x = self.norm_2(x + self.cross_attention(x, memory, x, memory_mask)[0])"),
        "memory, memory",
    ),
    _layer(
        "the keys of the cross attention come from the decoder, as they are before the norm",
        _lines(PRE, 2, "x = x + self.cross_attention(self.norm_2(x), x, memory, memory_mask)[0]"),
        _lines(POST, 1, "x = self.norm_2(x + self.cross_attention(x, x, memory, memory_mask)[0])"),
        "memory, memory",
    ),
    _layer(
        "keys and values of the cross attention come from the decoder, as they are before the norm",
        _lines(PRE, 2, "x = x + self.cross_attention(self.norm_2(x), x, x, memory_mask)[0]"),
        _lines(POST, 1, "x = self.norm_2(x + self.cross_attention(x, x, x, memory_mask)[0])"),
        "memory, memory",
    ),
    _layer(
        "pre-norm: the queries of the cross attention are not normalised",
        _lines(PRE, 2, "x = x + self.cross_attention(x, memory, memory, memory_mask)[0]"),
        "; ".join(POST),
    ),
    _layer(
        "pre-norm: the cross attention asks with norm_1 of the layer's input",
        _lines(PRE, 2, "x = x + self.cross_attention(y, memory, memory, memory_mask)[0]"),
        "; ".join(POST),
    ),
    _layer(
        "pre-norm: the residual around the self-attention starts from the normalised x",
        _lines(PRE, 1, "x = y + self.self_attention(y, y, y, self_mask)[0]"),
        "; ".join(POST),
    ),
    _layer("pre-norm: normalised once more at the end", _lines(PRE, 4, "x = self.norm_3(x)"), "; ".join(POST)),
    Wild(
        "DecoderLayer",
        """
        class DecoderLayer(nn.Module):
            def __init__(self, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.norm_first = norm_first
                self.self_attention = MultiHeadAttention(d_model, n_heads, bias=False)
                self.cross_attention = MultiHeadAttention(d_model, n_heads, bias=False)
                self.feed_forward = FeedForward(d_model, d_ff)
                self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(d_model) for _ in range(3))

            def forward(self, x, memory, self_mask=None, memory_mask=None):
                x = self.norm_1(x + self.self_attention(x, x, x, self_mask)[0])
                x = self.norm_2(x + self.cross_attention(x, memory, memory, memory_mask)[0])
                return self.norm_3(x + self.feed_forward(x))
        """,
        "the attentions have no biases",
        reference=("MultiHeadAttention", "FeedForward"),
    ),
    # --- cross_entropy
    _loss_named("the index of `gather` has an axis too few", "p = log_p.gather(-1, targets.masked_fill(~keep, 0))"),
    _loss_named(
        "the index of `gather` has an axis too few", "p = torch.gather(log_p, -1, targets.masked_fill(~keep, 0))"
    ),
    _loss_named(
        "`gather` looks up -100, an ignored target",
        "p = log_p.gather(-1, targets[..., None])[..., 0]",
        "mask hides",
    ),
    _named(
        "cross_entropy",
        "takes entry -100 of a row, for an ignored target",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            log_p = torch.log_softmax(logits, dim=-1).flatten(0, -2)
            t = targets.flatten()
            p = log_p[torch.arange(len(t)), t].view(targets.shape)
            return -(p * keep).sum() / keep.sum().clamp(min=1)
        """,
        "loop",
    ),
    *(
        _named(
            "cross_entropy",
            f"`gather` looks up -100{besides}",
            f"""
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            {first}
            p = torch.log_softmax(logits, dim=-1).gather(-1, targets[..., None])[..., 0]
            return -p[keep].mean()
        """,
            "mask hides",
        )
        for first, besides in (
            ("", "; and NaN where every target is ignored"),
            ("if not keep.any(): return logits.sum() * 0", " where some targets are ignored"),
            ("if not keep.any(): return torch.tensor(0.0)", "; and a new 0 where every target is ignored"),
        )
    ),
    _loss_named(
        "`squeeze()` took every axis of length 1 away",
        "p = log_p.gather(-1, targets.masked_fill(~keep, 0)[..., None]).squeeze()",
    ),
    *(
        _named(
            "cross_entropy",
            "kept the probabilities above a small number",
            f"""
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            log_p = torch.log({p})
            p = log_p.gather(-1, targets.masked_fill(~keep, 0)[..., None])[..., 0]
            return -(p * keep).sum() / keep.sum().clamp(min=1)
        """,
            "added a small number inside",
            "-20.7",
        )
        for p in ("torch.softmax(logits, -1).clamp_min(1e-12)", "torch.softmax(logits, -1) + 1e-9")
    ),
    *(
        _named(
            "cross_entropy",
            "gives a new 0 when every target is ignored",
            f"""
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            if not keep.any():
                return {zero}
            log_p = torch.log_softmax(logits, dim=-1)
            return -log_p[keep].gather(-1, targets[keep][:, None]).mean()
        """,
            "cuts the gradient",
        )
        for zero in ("torch.tensor(0.0)", "torch.zeros((), requires_grad=True)")
    ),
    _named(
        "cross_entropy",
        "ignores every negative target, whatever `ignore_index` says",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets >= 0
            log_p = torch.log_softmax(logits, dim=-1)
            p = log_p.gather(-1, targets.masked_fill(~keep, 0)[..., None])[..., 0]
            return -(p * keep).sum() / keep.sum().clamp(min=1)
        """,
    ),
    _named(
        "cross_entropy",
        "softmax over all tokens of the batch, not over the vocabulary",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            x, t = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
            keep = t != ignore_index
            log_p = torch.log_softmax(x, 0)
            p = log_p.gather(-1, t.masked_fill(~keep, 0)[:, None])[:, 0]
            return -(p * keep).sum() / keep.sum().clamp(min=1)
        """,
    ),
    _named(
        "cross_entropy",
        "picked every target in every row",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            x, t = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
            keep = t != ignore_index
            if not keep.any():
                return logits.sum() * 0
            return -torch.log_softmax(x, -1)[keep][:, t[keep]].mean()
        """,
    ),
    # --- greedy_decode
    _named("greedy_decode", "writes on past max_length", ENDLESS),
    _named(
        "greedy_decode",
        "asks for ever, each time with the same ids",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            while len(ids) - 1 < max_length:
                n = next_logits(ids).argmax().item()
                if n == eos_id:
                    break
                ids + [n]
            return ids[1:]
        """,
        "past max_length",
    ),
    _greedy(
        "one word too many where no end is written",
        "for _ in range(max_length + 1)",
        "next_logits(ids).argmax().item()",
        "in place of",
    ),
    _greedy(
        "one word too many where no end is written",
        "while len(ids) <= max_length + 1",
        "next_logits(ids).argmax().item()",
        "in place of",
    ),
    _named(
        "greedy_decode",
        "writes on past max_length, except where it is 0",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids, out = [bos_id], []
            while len(out) < max_length:
                n = next_logits(ids).argmax().item()
                if n == eos_id:
                    break
                ids.append(n)
            return ids[1:]
        """,
    ),
    _greedy(
        "one word too many, but none when max_length is 0",
        "while max_length and len(ids) <= max_length + 1",
        "next_logits(ids).argmax().item()",
    ),
    _greedy(
        "took the largest logit itself, not its place", "for _ in range(max_length)", "next_logits(ids).max().item()"
    ),
    _greedy(
        "took the largest logit for the id, not its place", "for _ in range(max_length)", "int(next_logits(ids).max())"
    ),
]

RIGHT = [
    # Asks the model twice for each word: wasteful, and within what it allows.
    Wild(
        "greedy_decode",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            while len(ids) <= max_length and int(next_logits(ids).argmax()) != eos_id:
                ids.append(int(next_logits(ids).argmax()))
            return ids[1:]
        """,
    ),
    # `squeeze()` where there is one axis of tokens, and every length of it is summed alike.
    Wild(
        "cross_entropy",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            if not keep.any():
                return (logits * 0.0).sum()
            log_p = torch.log_softmax(logits[keep], dim=-1)
            return -log_p.gather(-1, targets[keep][:, None]).squeeze().sum() / keep.sum()
        """,
    ),
]
