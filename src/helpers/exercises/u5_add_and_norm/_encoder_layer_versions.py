"""Wrong versions of `EncoderLayer`: ways through it for one order of the norm, and other parts."""

from __future__ import annotations

from typing import Any

from torch import nn

from helpers.exercise import in_parts
from helpers.reference import u5_add_and_norm as reference
from helpers.reference.u4_multi_head import MultiHeadAttention

from ..common import Step
from .common import feed_forward, norm_module


def right_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x + self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(x))


def right_pre(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_2(x))


def right_attention(self: Any, x: Any, mask: Any) -> Any:
    return self.self_attention(x, x, x, mask)[0]


@in_parts
def layer(
    post: Step = right_post, pre: Step = right_pre, make: Step | None = None, attend: Step = right_attention
) -> type[nn.Module]:
    """An EncoderLayer with another way through for one order of the norm, other parts, or another attention."""

    class EncoderLayer(reference.EncoderLayer):
        def __init__(self, d_model: int, n_heads: int, d_ff: int, norm_first: bool = False) -> None:
            super().__init__(d_model, n_heads, d_ff, norm_first)
            if make is not None:
                make(self, d_model, n_heads, d_ff)

        def attend(self, x: Any, mask: Any) -> Any:
            return attend(self, x, mask)

        def forward(self, x: Any, mask: Any = None) -> Any:
            return (pre if self.norm_first else post)(self, x, mask)

    return EncoderLayer


class NormFirstUnlessTold(reference.EncoderLayer):
    """Right but for the default of norm_first."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, norm_first: bool = True) -> None:
        super().__init__(d_model, n_heads, d_ff, norm_first)


def no_residual_post(self: Any, x: Any, mask: Any) -> Any:
    return self.norm_2(self.feed_forward(self.norm_1(self.attend(x, mask))))


def no_residual_pre(self: Any, x: Any, mask: Any) -> Any:
    return self.feed_forward(self.norm_2(self.attend(self.norm_1(x), mask)))


def doubled_pre(self: Any, x: Any, mask: Any) -> Any:
    x = self.attend(self.norm_1(x), mask)
    x = x + x
    x = self.feed_forward(self.norm_2(x))
    return x + x


def itself_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x + x)
    return self.norm_2(x + x)


def from_input_post(self: Any, x: Any, mask: Any) -> Any:
    y = self.norm_1(x + self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(y))


def from_input_pre(self: Any, x: Any, mask: Any) -> Any:
    y = x + self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_2(y))


def parallel_post(self: Any, x: Any, mask: Any) -> Any:
    y = self.norm_1(x + self.attend(x, mask))
    return self.norm_2(y + self.feed_forward(x))


def parallel_pre(self: Any, x: Any, mask: Any) -> Any:
    return x + self.attend(self.norm_1(x), mask) + self.feed_forward(self.norm_2(x))


def no_norm(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.attend(x, mask)
    return x + self.feed_forward(x)


def inner_norm(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.norm_1(self.attend(x, mask))
    return x + self.norm_2(self.feed_forward(x))


def inner_norm_first(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.norm_1(self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(x))


def inner_norm_second(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x + self.attend(x, mask))
    return x + self.norm_2(self.feed_forward(x))


def from_normed_pre(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x)
    x = x + self.attend(x, mask)
    x = self.norm_2(x)
    return x + self.feed_forward(x)


def first_from_normed_pre(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x)
    x = x + self.attend(x, mask)
    return x + self.feed_forward(self.norm_2(x))


def second_from_normed_pre(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_2(x + self.attend(self.norm_1(x), mask))
    return x + self.feed_forward(x)


def query_only_pre(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.self_attention(self.norm_1(x), x, x, mask)[0]
    return x + self.feed_forward(self.norm_2(x))


def sandwich_pre(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x + self.attend(self.norm_1(x), mask))
    return self.norm_2(x + self.feed_forward(self.norm_2(x)))


def norm_1_twice_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x + self.attend(x, mask))
    return self.norm_1(x + self.feed_forward(x))


def norm_1_twice_pre(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_1(x))


def norms_swapped_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_2(x + self.attend(x, mask))
    return self.norm_1(x + self.feed_forward(x))


def norms_swapped_pre(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.attend(self.norm_2(x), mask)
    return x + self.feed_forward(self.norm_1(x))


def first_only_post(self: Any, x: Any, mask: Any) -> Any:
    return self.norm_2(self.feed_forward(self.norm_1(x + self.attend(x, mask))))


def first_only_pre(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.attend(self.norm_1(x), mask)
    return self.feed_forward(self.norm_2(x))


def second_only_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(x))


def second_only_pre(self: Any, x: Any, mask: Any) -> Any:
    x = self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_2(x))


def one_norm_post(self: Any, x: Any, mask: Any) -> Any:
    x = x + self.attend(x, mask)
    return self.norm_2(x + self.feed_forward(x))


def feed_forward_first_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_2(x + self.feed_forward(x))
    return self.norm_1(x + self.attend(x, mask))


def detached(way: Step) -> Step:
    return lambda self, x, mask: way(self, x.detach(), mask)


def detached_residual_post(self: Any, x: Any, mask: Any) -> Any:
    x = self.norm_1(x.detach() + self.attend(x, mask))
    return self.norm_2(x.detach() + self.feed_forward(x))


def detached_residual_pre(self: Any, x: Any, mask: Any) -> Any:
    x = x.detach() + self.attend(self.norm_1(x), mask)
    return x.detach() + self.feed_forward(self.norm_2(x))


def with_weights(way: Step) -> Step:
    def forward(self: Any, x: Any, mask: Any) -> Any:
        return way(self, x, mask), self.self_attention(x, x, x, mask)[1]

    return forward


def dropping(way: Step) -> Step:
    return lambda self, x, mask: nn.functional.dropout(way(self, x, mask), 0.1, self.training)


def one_head(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
    self.self_attention = MultiHeadAttention(d_model, 1)


def other_attention(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
    self.self_attention = nn.MultiheadAttention(d_model, n_heads, batch_first=True)


def no_bias(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
    self.self_attention = MultiHeadAttention(d_model, n_heads, bias=False)


def four_times(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
    self.feed_forward = reference.FeedForward(d_model, 4 * d_model)


def one_norm(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
    self.norm_2 = self.norm_1


def wrong_network(forward: Step) -> Step:
    def make(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
        self.feed_forward = feed_forward(forward)(d_model, d_ff)

    return make


def wrong_norm(**steps: Step) -> Step:
    def make(self: Any, d_model: int, n_heads: int, d_ff: int) -> None:
        self.norm_1, self.norm_2 = (norm_module(**steps)(d_model) for _ in range(2))

    return make


def inverted(self: Any, x: Any, mask: Any) -> Any:
    return self.self_attention(x, x, x, None if mask is None else ~mask)[0]


def mask_needed(self: Any, x: Any, mask: Any) -> Any:
    return self.self_attention(x, x, x, mask.bool())[0]
