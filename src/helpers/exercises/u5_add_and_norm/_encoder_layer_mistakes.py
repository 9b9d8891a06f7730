"""The known mistakes of `EncoderLayer`."""

from __future__ import annotations

from helpers.exercise import Mistake

from ._encoder_layer_versions import (
    NormFirstUnlessTold,
    detached,
    detached_residual_post,
    detached_residual_pre,
    doubled_pre,
    dropping,
    feed_forward_first_post,
    first_from_normed_pre,
    first_only_post,
    first_only_pre,
    four_times,
    from_input_post,
    from_input_pre,
    from_normed_pre,
    inner_norm,
    inner_norm_first,
    inner_norm_second,
    inverted,
    itself_post,
    layer,
    mask_needed,
    no_bias,
    no_norm,
    no_residual_post,
    no_residual_pre,
    norm_1_twice_post,
    norm_1_twice_pre,
    norms_swapped_post,
    norms_swapped_pre,
    one_head,
    one_norm,
    one_norm_post,
    other_attention,
    parallel_post,
    parallel_pre,
    query_only_pre,
    right_post,
    right_pre,
    sandwich_pre,
    second_from_normed_pre,
    second_only_post,
    second_only_pre,
    with_weights,
    wrong_network,
    wrong_norm,
)
from .common import right_through, through

MISTAKES = (
    Mistake(
        "post-norm asked, pre-norm computed",
        "`norm_first=False` is the order of the paper: the norm comes after the sum. Are the two branches swapped,"
        " or is there only one?",
        layer(post=right_pre),
    ),
    Mistake(
        "pre-norm asked, post-norm computed",
        "With `norm_first=True` the norm stands before each sublayer, and nothing stands on the road after the sum.",
        layer(pre=right_post),
    ),
    # Twice the output, as `x = attend(x); norm(x + x)` makes it, has the same norm: one record for both.
    Mistake(
        "post-norm: no residual connections",
        "Each sublayer's input is added to its output, then comes the norm. Was x overwritten by the output before"
        " the sum?",
        layer(post=no_residual_post),
    ),
    Mistake(
        "pre-norm: no residual connections",
        "Each sublayer's output is added to x as it came: `x + ...`.",
        layer(pre=no_residual_pre),
    ),
    Mistake(
        "pre-norm: the sublayer's output was added to itself",
        "Once `x` is overwritten by the sublayer's output, `x + x` adds that to itself: give the output a name of"
        " its own.",
        layer(pre=doubled_pre),
    ),
    Mistake(
        "post-norm: x + x, without the sublayers",
        "The second part of each sum is what came out of the sublayer.",
        layer(post=itself_post),
    ),
    Mistake(
        "post-norm: the second residual starts from the layer's input",
        "The second road begins where the first one ended: with the result of the first norm.",
        layer(post=from_input_post),
    ),
    Mistake(
        "pre-norm: the second residual starts from the layer's input",
        "The second road begins where the first one ended: with the sum after the attention.",
        layer(pre=from_input_pre),
    ),
    Mistake(
        "post-norm: the feed-forward network reads the layer's input",
        "The feed-forward network works on what the attention has renewed, not beside it.",
        layer(post=parallel_post),
    ),
    Mistake(
        "pre-norm: the feed-forward network reads the layer's input",
        "The feed-forward network works on what the attention has renewed, not beside it.",
        layer(pre=parallel_pre),
    ),
    Mistake(
        "post-norm: the norms are left out",
        "After each sum comes a norm: norm_1, then norm_2.",
        layer(post=no_norm),
    ),
    Mistake(
        "pre-norm: the norms are left out",
        "Before each sublayer comes a norm: norm_1, then norm_2.",
        layer(pre=no_norm),
    ),
    Mistake(
        "post-norm: only the sublayer's output is normalised",
        "The norm belongs to the whole sum, x included: add first.",
        layer(post=inner_norm),
    ),
    Mistake(
        "post-norm: only the attention's output is normalised",
        "The norm belongs to the whole sum, x included: add first.",
        layer(post=inner_norm_first),
    ),
    Mistake(
        "post-norm: only the feed-forward network's output is normalised",
        "The norm belongs to the whole sum, x included: add first.",
        layer(post=inner_norm_second),
    ),
    Mistake(
        "pre-norm: the norm stands after the sublayer",
        "Pre-norm normalises what goes into the sublayer, not what comes out.",
        layer(pre=inner_norm),
    ),
    Mistake(
        "post-norm: norm_1 is left out",
        "There are two sums in a layer, and each has its own norm.",
        layer(post=one_norm_post),
    ),
    Mistake(
        "pre-norm: both residuals start from the normalised x",
        "The residual road carries x as it came: normalise a copy for the sublayer, and add the output to the"
        " untouched x.",
        layer(pre=from_normed_pre),
    ),
    Mistake(
        "pre-norm: the first residual starts from the normalised x",
        "The residual road carries x as it came: normalise a copy for the attention, and add the output to the"
        " untouched x.",
        layer(pre=first_from_normed_pre),
    ),
    Mistake(
        "pre-norm: the second residual starts from the normalised x",
        "The residual road carries x as it came: normalise a copy for the network, and add the output to the"
        " untouched x.",
        layer(pre=second_from_normed_pre),
    ),
    Mistake(
        "pre-norm: only the query is normalised",
        "Query, key and value of self-attention come from one place: the normalised x, three times.",
        layer(pre=query_only_pre),
    ),
    Mistake(
        "pre-norm: normalised before the sublayer and again after the sum",
        "Pre-norm or post-norm, not both: with `norm_first=True` nothing stands on the road after the sum.",
        layer(pre=sandwich_pre),
    ),
    Mistake(
        "post-norm: norm_1 used for both sublayers",
        "Each of the two norms has weights of its own: norm_1 for the attention, norm_2 for the feed-forward network.",
        layer(post=norm_1_twice_post),
    ),
    Mistake(
        "pre-norm: norm_1 used for both sublayers",
        "Each of the two norms has weights of its own: norm_1 for the attention, norm_2 for the feed-forward network.",
        layer(pre=norm_1_twice_pre),
    ),
    Mistake(
        "post-norm: norm_1 and norm_2 changed places",
        "norm_1 belongs to the attention, norm_2 to the feed-forward network.",
        layer(post=norms_swapped_post),
    ),
    Mistake(
        "pre-norm: norm_1 and norm_2 changed places",
        "norm_1 belongs to the attention, norm_2 to the feed-forward network.",
        layer(pre=norms_swapped_pre),
    ),
    Mistake(
        "post-norm: no residual around the feed-forward network",
        "Both sublayers have a road that passes them, the second one too.",
        layer(post=first_only_post),
    ),
    Mistake(
        "pre-norm: no residual around the feed-forward network",
        "Both sublayers have a road that passes them, the second one too.",
        layer(pre=first_only_pre),
    ),
    Mistake(
        "post-norm: no residual around the attention",
        "Both sublayers have a road that passes them, the first one too.",
        layer(post=second_only_post),
    ),
    Mistake(
        "pre-norm: no residual around the attention",
        "Both sublayers have a road that passes them, the first one too.",
        layer(pre=second_only_pre),
    ),
    Mistake(
        "no residual around the attention",
        "Both sublayers have a road that passes them, the first one too, in either order of the norm.",
        layer(second_only_post, second_only_pre),
    ),
    Mistake(
        "no residual around the feed-forward network",
        "Both sublayers have a road that passes them, the second one too, in either order of the norm.",
        layer(first_only_post, first_only_pre),
    ),
    Mistake(
        "post-norm: the feed-forward network comes before the attention",
        "First the tokens talk to each other, then each thinks for itself.",
        layer(post=feed_forward_first_post),
    ),
    Mistake(
        "the mask is not handed on",
        "The layer does nothing with the mask itself: it passes it to `self_attention`.",
        layer(attend=lambda self, x, mask: self.self_attention(x, x, x)[0]),
    ),
    Mistake(
        "the mask is inverted",
        "True = may attend, in the layer as in unit 4's attention: hand the mask on as it is."
        " (`nn.MultiheadAttention` has it the other way round.)",
        layer(attend=inverted),
    ),
    Mistake(
        "crashes without a mask",
        "`mask=None` is the usual call: everyone sees everything. Hand None on as it is.",
        layer(attend=mask_needed),
    ),
    Mistake(
        "the attention's two results are not taken apart",
        "`self_attention` returns the pair (output, weights): only the output goes on the road.",
        layer(attend=lambda self, x, mask: self.self_attention(x, x, x, mask)),
    ),
    Mistake(
        "the attention's weights go on the road, not its output",
        "`self_attention` returns the pair (output, weights), in this order: the road needs the first.",
        layer(attend=lambda self, x, mask: self.self_attention(x, x, x, mask)[1]),
    ),
    Mistake(
        "returned the attention weights as well",
        "The layer returns x alone, so that its result can go straight into the next layer.",
        layer(with_weights(right_post), with_weights(right_pre)),
    ),
    Mistake(
        "one head, whatever n_heads says",
        "Hand n_heads on to the attention: the weights have the same shapes for any number of heads, which hides it.",
        layer(make=one_head),
    ),
    Mistake(
        "self_attention is torch's own nn.MultiheadAttention",
        "It keeps its weights under other names and reads masks the other way round. Use unit 4's"
        " `MultiHeadAttention`.",
        layer(make=other_attention, attend=lambda self, x, mask: self.self_attention(x, x, x)[0]),
    ),
    Mistake(
        "one norm with one set of weights serves both sublayers",
        "norm_1 and norm_2 are two objects, each made by a call of its own (`self.norm_2 = self.norm_1` only gives the"
        " first a second name), and `forward` uses each of them.",
        layer(make=one_norm),
    ),
    Mistake(
        "norm_first is True where nothing is said",
        "Look at the signature: which order is it when nobody says norm_first?",
        NormFirstUnlessTold,
    ),
    Mistake(
        "the inner width is 4 · d_model, whatever d_ff says",
        "Four times as wide is usual, but here d_ff says how wide: hand it on to the feed-forward network.",
        layer(make=four_times),
    ),
    Mistake(
        "the attention has no biases",
        "All linear layers have biases here; `bias=True` is the default of unit 4's attention.",
        layer(make=no_bias),
    ),
    Mistake(
        "no ReLU in the feed-forward network",
        "linear_1, ReLU, linear_2.",
        layer(make=wrong_network(through(lambda h: h))),
    ),
    Mistake(
        "the residual is added twice: in the feed-forward network too",
        "Where is x added to the output, in `FeedForward` or in the layer? Once is enough, and it belongs to the"
        " layer.",
        layer(make=wrong_network(lambda self, x: x + right_through(self, x))),
    ),
    Mistake(
        "the norms divide the variance by d - 1",
        "Is `LayerNorm` right? Its check tells: `torch.var` divides by d - 1 unless `unbiased=False`.",
        layer(make=wrong_norm(variance=lambda self, x: x.var(-1, keepdim=True))),
    ),
    Mistake(
        "the norms average over the tokens",
        "Is `LayerNorm` right? Its check tells: mean and variance run along the features of each token.",
        layer(
            make=wrong_norm(
                mean=lambda self, x: x.mean(-2, keepdim=True),
                variance=lambda self, x: x.var(-2, keepdim=True, unbiased=False),
            )
        ),
    ),
    Mistake(
        "x is detached: no gradient reaches the layers below",
        "The layers below learn from the gradient of x: no `.detach()` on the way.",
        layer(detached(right_post), detached(right_pre)),
    ),
    Mistake(
        "no gradient on the residual road",
        "The road is there for the gradient above all: add x itself, not `x.detach()`.",
        layer(detached_residual_post, detached_residual_pre),
    ),
    Mistake(
        "dropout inside",
        "The paper drops out while training; this course leaves it out, so that the same input gives the same result.",
        layer(dropping(right_post), dropping(right_pre)),
    ),
)
