# %% [markdown]
# # Unit 5 · Add & norm: how attention grows tall
#
# One layer of attention takes tokens in and gives tokens out, of the same shape. So it can be put on top of another one, and another. Do that naively,
# and after five layers the pile is dead: all tokens are the same. In this unit you first watch that happen, then build the two parts that
# prevent it, and end with the complete **encoder** of the Transformer.
#
# | you will write | what it is for | minutes |
# |---|---|---|
# | `why_residuals` | in your own words: what a residual road does | 20 |
# | `layer_norm`, `add_and_norm` | in NumPy: the norm of a token, and the residual road | 20 |
# | `LayerNorm`, `FeedForward` | in torch: the norm with trainable numbers, and the network that works on each token alone | 20 |
# | `EncoderLayer`, `Encoder` | attention, network, roads and norms put together, then N of them | 40 |
#
# A **residual road** is what most books call a *residual connection* or a *skip connection*: a way around a layer, on which its input reaches its output
# unchanged. From unit 4 you need `MultiHeadAttention`, which is imported below in case yours is not finished. The
# encoder you build here reads handwritten digits and number words in unit 7.

# %% nbgrader={"grade": false, "grade_id": "u5_setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from helpers import check, hint, plots
from helpers.plots import u5_add_and_norm as figures
from helpers.reference.u4_multi_head import MultiHeadAttention

torch.set_num_threads(1)  # our tensors are tiny: a second thread would only wait for the first

# %% [markdown]
# ## 1 · Layers stack because shapes are kept
#
# Attention reads $n$ tokens of width $d$ and writes $n$ tokens of width $d$. Every part of this unit does the same: $(n, d)$ in, $(n, d)$ out. That is why
# the parts can be chained in any number, like carriages with one kind of coupling. The first layer reads the embeddings; each further layer takes its
# queries, keys and values from the layer below.

# %%
plots.show(figures.encoder_map())

# %% [markdown]
# ## 2 · A pile of 24 layers, four ways
#
# Take 24 layers of unit 4's attention, freshly made, and send ten random tokens of width 64 through them. `pile` builds the stack in one of four ways:
#
# * **plain**: each layer's output is the next one's input, `x = f(x)`,
# * **norm**: the output is normalised, `x = norm(f(x))`; what the norm does exactly is section 3,
# * **residual**: the output is *added* to the input, `x = x + f(x)`,
# * **residual + norm**: both, `x = norm(x + f(x))`.
#
# On the way up it notes how large the entries are, and how much of that size is *difference* between the tokens. After `backward()` it notes how large the
# gradient is that arrives at each height, and the gradient of each layer's $W_q$, from which that layer learns *where to look*.
#
# One choice is ours: how large the start weights are. We draw them at random with the spread $\text{gain} / \sqrt d$. With gain 1 a matrix hands on about the size
# that it gets. torch's own `nn.Linear` starts at gain 0.58. Watch what depends on this choice, and what does not.


# %%
def rms(t):
    return t.detach().pow(2).mean().sqrt().item()  # root mean square: the typical size of an entry


def pile(residual, norm, gain, n_layers=24, d=64):
    torch.manual_seed(0)
    x = torch.randn(10, d, requires_grad=True)
    states, layers = [x], []
    for _ in range(n_layers):
        attention = MultiHeadAttention(d, 4, bias=False)
        for parameter in attention.parameters():
            nn.init.normal_(parameter, std=gain / d**0.5)
        y, _ = attention(x, x, x)
        if residual:
            y = x + y
        if norm:
            y = nn.LayerNorm(d)(y)
        y.retain_grad()
        states.append(y)
        layers.append(attention)
        x = y
    x.backward(torch.randn(10, d))  # pretend that the loss asks for something of size 1 at the output
    return {
        "signal": [rms(s) for s in states],
        "apart": [rms(s - s.mean(dim=0)) / rms(s) for s in states],  # the part that is not common to all tokens
        "gradient": [rms(s.grad) for s in states],
        "W_q": [rms(layer.W_q.weight.grad) for layer in layers],
    }


def four_ways(gain):
    return {
        "plain": pile(residual=False, norm=False, gain=gain),
        "norm": pile(residual=False, norm=True, gain=gain),
        "residual": pile(residual=True, norm=False, gain=gain),
        "residual + norm": pile(residual=True, norm=True, gain=gain),
    }


# %%
plots.explore(
    lambda gain: figures.roads(four_ways(gain), f"24 layers, start weights of gain {gain}"),
    start={"gain": 0.75},
    gain=[0.5, 0.58, 0.75, 1.0, 1.25],
)

# %% [markdown]
# Read the panels one at a time, first at gain 0.75. (Where you miss a line, it lies below another one, as *norm* does in the first panel, or it has left the picture.)
# Then move the slider. After 24 layers:
#
# | gain | 0.5 | 0.58 | 0.75 | 1.0 | 1.25 |
# |---|---|---|---|---|---|
# | size of the signal, **plain** | $10^{-15}$ | $10^{-12}$ | $10^{-6}$ | 0.6 | 29 000 |
# | size of the signal, **residual** | 1.3 | 1.8 | 13 | 3100 | 2 800 000 |
# | size of the signal, **norm** and **residual + norm** | 1 | 1 | 1 | 1 | 1 |
# | difference between the tokens, **plain** and **norm** | $10^{-7}$ | $10^{-7}$ | $10^{-7}$ | $10^{-7}$ | $10^{-7}$ |
# | difference between the tokens, **residual** | 0.78 | 0.57 | 0.09 | 0.0015 | 0.00007 |
# | difference between the tokens, **residual + norm** | 0.78 | 0.55 | 0.09 | 0.0006 | $10^{-6}$ |
#
# * **Whether a plain pile fades or explodes is a matter of the gain.** The signal on its way up and the gradient on its way down are each multiplied
#   24 times: by factors below 1 they fade, by factors above 1 they explode. With the road alone the size grows, because every layer adds something; from 1.0 on so far that the
#   softmax saturates (unit 2), and $W_q$ of the last layers gets no gradient at all.
# * **A norm keeps the size at 1, whatever the gain.**
# * **Without a road all tokens become equal, at every gain, with and without a norm.** Attention averages, and averages of averages are all the same. What is left, $10^{-7}$, is the
#   rounding of float32. Where all tokens are equal there is nothing to look for, and what arrives at $W_q$ is rounding noise, however
#   loud it is at a gain of 1.25.
# * **With a road each token keeps its own vector**, as long as the layers speak more softly than the road. At gain 1 and above they drown it. So networks start
#   soft, as torch's `nn.Linear` does, and learn to speak up.
# * **Both together**, softly started: a signal of size 1, tokens that are still different from each other, a gradient in every layer.
#
# ### The same with one number
#
# Let a layer be $f(x) = 0.5\,x$, with derivative $0.5$. The gradient through a pile of layers is the product of their derivatives:
#
# | | derivative of one layer | of 24 layers |
# |---|---|---|
# | plain, $f(x)$ | $0.5$ | $0.5^{24} \approx 0.00000006$ |
# | residual, $x + f(x)$ | $1 + 0.5$ | $1.5^{24} \approx 17\,000$ |
#
# The $1$ is the road itself, on which the gradient of $x$ passes the layer by. As long as the layer's own derivative is small, the factor stays near 1, and the product does not
# vanish. (Only a layer that says nearly $-x$ could close the road.) It does not keep the product from growing, and so a norm is needed as well.

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_residuals", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### `why_residuals` · question, 3 points
# *Core, about 20 minutes.*
#
# Set the slider to gain 0.75 and look at the lower left panel, the gradient by depth.
#
# 1. Compare the line *plain* with the line *residual*: about how large is the gradient that reaches the input (at 0), and what does that mean for the
#    training of the first layers?
# 2. Why does adding $x$ make that difference? Argue with the derivative of $x + f(x)$.
# 3. The line *norm* does not vanish either. What, in the other panels, is lost there all the same, and how does the residual road keep it?
#
# Four to eight sentences.
#
# ### BEGIN SOLUTION
# *Model answer.* In the plain pile the gradient shrinks at every layer and arrives at the input about seven orders of magnitude smaller than at the
# output; with residual roads it arrives with at least the size it had at the top (about ten times that). Weights change in proportion to their
# gradient, so in the plain pile the first layers would practically never change, and the layers above could only learn from what untrained layers
# hand them.
#
# A layer $f$ alone multiplies the gradient by $f'$, and a product of 24 factors below 1 is nearly zero. With the road, the derivative of $x + f(x)$ is
# $1 + f'(x)$: multiplied out over the layers, one of the terms is the product of all the ones. So the road hands the gradient on undiminished to every layer, and what the
# sublayers send back is added to it.
#
# With the norm alone the size is kept, but attention averages the tokens until they are all equal (panel *do tokens stay different?*), and then there
# is nothing to choose between, so $W_q$ gets no gradient and the layers cannot learn where to look. The road adds each token's own vector back in
# every layer, so the tokens stay different.
#
# *Marking guide.* 3 points: one for reading the panel (plain vanishes by many orders of magnitude, residual does not) with the consequence that the
# early layers do not learn; one for the derivative $1 + f'$, or the product of factors, or "one term of the product passes every layer"; one for the
# loss of the differences between tokens (or of the gradient of $W_q$) with the norm alone, and that adding $x$ keeps each token's own vector. Exact
# numbers are not needed. "It helps the gradient" without a reason: no point for the second part.
# ### END SOLUTION

# %% [markdown]
# ## 3 · Layer norm, by hand
#
# Layer norm takes **one token** and brings its features to mean 0 and variance 1. Then it lets the model choose another scale $\gamma$ and shift $\beta$
# for each feature, because mean 0 and variance 1 need not be what the next layer likes best.
#
# $$\mathrm{LayerNorm}(x) = \gamma \cdot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta, \qquad
# \mu = \frac1d \sum_i x_i, \qquad \sigma^2 = \frac1d \sum_i (x_i - \mu)^2$$
#
# Take $x = (-2, 4, 6, 12)$, $\gamma = (1, 1, 2, 2)$, $\beta = (0, 1, 0, 1)$, and leave $\varepsilon$ out for the moment.
#
# | step | | | | | |
# |---|---|---|---|---|---|
# | the token $x$ | $-2$ | $4$ | $6$ | $12$ | mean $\mu = 20 / 4 = 5$ |
# | minus the mean | $-7$ | $-1$ | $1$ | $7$ | squares $49, 1, 1, 49$, their mean $\sigma^2 = 100 / 4 = 25$ |
# | divided by $\sqrt{25} = 5$ | $-1.4$ | $-0.2$ | $0.2$ | $1.4$ | |
# | times $\gamma$ | $-1.4$ | $-0.2$ | $0.4$ | $2.8$ | |
# | plus $\beta$ | $\mathbf{-1.4}$ | $\mathbf{0.8}$ | $\mathbf{0.4}$ | $\mathbf{3.8}$ | |

# %%
plots.show(figures.norm_steps([-2, 4, 6, 12], gamma=[1, 1, 2, 2], beta=[0, 1, 0, 1]))

# %% [markdown]
# Three details decide whether it is right:
#
# * The variance is divided by $d$, not by $d - 1$: this is the spread of *these* four numbers, not an estimate from a sample. ($100/3$ would give a spread of 5.77.)
# * $\varepsilon$ (by default $0.00001$) is added to the variance, **inside the root**. A token of four equal features has variance 0; so it is divided by
#   $\sqrt{0.00001}$ and not by 0.
# * $\gamma$ and $\beta$ have one number for each *feature*, and all tokens share them.
#
# What the norm throws away is the token's overall size and offset; what it keeps is the pattern. Scale and shift the token below: the left side moves, the
# five bars on the right stay as they are.

# %%
plots.explore(
    figures.norm_forgets,
    start={"scale": 2, "shift": 0},
    scale=[0.2, 0.5, 1, 2, 3],
    shift=[-5, -2, 0, 2, 5],
)

# %% [markdown]
# ### Which numbers are averaged together?
#
# In *layer* norm each token has a mean and a variance of its own. The older *batch* norm, usual in networks for images, takes one mean and one variance for each
# feature, over all tokens of all sentences in the batch. Cells of one colour are averaged together:

# %%
plots.show(figures.averaged_together())

# %% [markdown]
# The difference matters for language. While a model trains, with batch norm a sentence comes out differently depending on which *other* sentences, how much padding, and
# how many of them are in its batch. Here sentence 0 stays as it is while sentence 1 is replaced:

# %%
torch.manual_seed(0)
sentences = torch.randn(2, 3, 4)  # 2 sentences, 3 tokens, 4 features
other_company = torch.stack([sentences[0], torch.randn(3, 4) * 3 + 2])

by_layer = nn.LayerNorm(4)
by_batch = nn.BatchNorm1d(4)
change = {
    "layer norm": by_layer(other_company)[0] - by_layer(sentences)[0],
    "batch norm": (by_batch(other_company.flatten(0, 1)) - by_batch(sentences.flatten(0, 1)))[:3],
}
for name, difference in change.items():
    print(f"{name}: sentence 0 changes by up to {difference.abs().max().item():.2f}")

# %% [markdown]
# ### `layer_norm` · exercise, 3 points
# *Core, about 15 minutes.*
#
# Write layer norm in NumPy. Each row of `x` is a token. `np.mean` and `np.var` with `axis=-1, keepdims=True` give one number for each token and keep
# the axis, so that the results fit under `x`.


# %% nbgrader={"grade": false, "grade_id": "layer_norm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_norm(x, gamma, beta, eps=1e-5):
    """Normalise each token over its own features: gamma * (x - mean) / sqrt(variance + eps) + beta.

    Args:
        x: tokens, (n, d).
        gamma, beta: scale and shift of each feature, (d,).
        eps: is added to the variance, inside the root.

    Returns:
        (n, d), a new array; mean and (biased) variance are those of each token.
    """
    ### BEGIN SOLUTION
    mean = x.mean(axis=-1, keepdims=True)  # (n, 1)
    variance = x.var(axis=-1, keepdims=True)  # (n, 1), divided by d
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_layer_norm", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(layer_norm)
### BEGIN HIDDEN TESTS
check(layer_norm, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Catch them** (no points). Wrong versions of `layer_norm`. A $\gamma$ of ones and a $\beta$ of zeros hide what is done with them, and large numbers hide the
# $\varepsilon$, which may be given too, as the last argument. Which input leaves nothing hidden?

# %%
from helpers import catch

catch("layer_norm", np.array([[1.0, 2.0, 3.0], [10.0, 0.0, -10.0]]), np.ones(3), np.zeros(3))

# %% [markdown]
# ## 4 · Add, then norm
#
# A *sublayer* is anything that keeps the shape: attention, or the network of section 6. Around each sublayer of the original Transformer lies a residual
# road, and where road and sublayer meet stands a norm:
#
# $$\mathrm{add\&norm}(x) = \mathrm{LayerNorm}\big(x + \mathrm{sublayer}(x)\big)$$
#
# So a sublayer need not say what a token *is*; the road carries that. It only says what to *change*. With two features: $x = (1, 3)$ goes in,
# the sublayer says $(4, -2)$, the sum is $(5, 1)$, with mean 3 and variance 4, and the norm makes $(1, -1)$ of it.

# %%
tokens = "tonight we eat a burger".split()
plots.show(figures.sum_then_norm(tokens))

# %% [markdown]
# ### `add_and_norm` · exercise, 2 points
# *Core, about 5 minutes.*
#
# The sublayer has done its work already: you get what went in and what came out. Your `layer_norm` may be used. Shapes that NumPy cannot
# add are a `ValueError`, and NumPy raises it for you.


# %% nbgrader={"grade": false, "grade_id": "add_and_norm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def add_and_norm(x, sublayer_output, gamma, beta, eps=1e-5):
    """Residual connection and norm as in the paper (post-norm): the layer norm of x + sublayer_output.

    Args:
        x: what went into the sublayer, (n, d).
        sublayer_output: what came out of it, (n, d).
        gamma, beta, eps: as in layer_norm.

    Returns:
        (n, d), a new array.
    """
    ### BEGIN SOLUTION
    return layer_norm(x + sublayer_output, gamma, beta, eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_add_and_norm", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(add_and_norm)
### BEGIN HIDDEN TESTS
check(add_and_norm, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · Layer norm that learns
#
# From here on we work in torch, because $\gamma$ and $\beta$ are to be trained. A tensor wrapped in `nn.Parameter` and stored on a module becomes part
# of it: the optimizer finds it, and `state_dict()` lists it. torch calls $\gamma$ `weight` and $\beta$ `bias`, and so do we.
#
# Mind one trap. The same name has another default in the two libraries:

# %%
print("np.var(...)    divides by d:    ", np.var([-2.0, 4, 6, 12]))
print("torch.var(...) divides by d - 1:", torch.var(torch.tensor([-2.0, 4, 6, 12])).item())

# %% [markdown]
# `torch.var` and `torch.std` take `unbiased=False` to divide by $d$.
#
# ### `LayerNorm` · exercise, 2 points
# *Core, about 10 minutes.*
#
# Write the module without torch's own layer norm. `weight` starts as ones and `bias` as zeros, so a new norm changes nothing after the division. Batches come in too:
# `x` is `(n, d_model)` or `(batch, n, d_model)`, and every token is still normalised over its own features.


# %% nbgrader={"grade": false, "grade_id": "LayerNorm", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LayerNorm(nn.Module):
    """Layer norm with trainable scale and shift.

    Args:
        d_model: width of the tokens.
        eps: is added to the variance, inside the root.

    Attributes:
        weight: gamma, (d_model,), starts as ones.
        bias: beta, (d_model,), starts as zeros.
    """

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        ### BEGIN SOLUTION
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        ### END SOLUTION

    def forward(self, x):
        """x: tokens, (..., n, d_model). Returns the same shape."""
        ### BEGIN SOLUTION
        mean = x.mean(dim=-1, keepdim=True)  # (..., n, 1)
        variance = x.var(dim=-1, keepdim=True, unbiased=False)  # (..., n, 1)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_LayerNorm", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(LayerNorm)
### BEGIN HIDDEN TESTS
check(LayerNorm, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 6 · A network for each token alone
#
# Attention moves information *between* tokens, and does so by weighted sums. What a token has gathered it must also work on, and for that each encoder layer has a
# second sublayer: two linear layers with a ReLU between them, the same for every token.
#
# $$\mathrm{FeedForward}(x) = W_2 \max(0,\; W_1 x + b_1) + b_2$$
#
# $W_1$ widens the token from $d_{model}$ to $d_{ff}$ (usually four times as much), $W_2$ brings it back. By hand, with $d_{model} = 1$, $d_{ff} = 2$, no biases,
# $W_1 = \binom{1}{-1}$ and $W_2 = (1 \;\; 1)$:
#
# | $x$ | $W_1 x$ | after ReLU | $W_2 \cdot$ | without the ReLU |
# |---|---|---|---|---|
# | $3$ | $(3, -3)$ | $(3, 0)$ | $\mathbf{3}$ | $0$ |
# | $-3$ | $(-3, 3)$ | $(0, 3)$ | $\mathbf{3}$ | $0$ |
#
# It computes $|x|$, which no linear layer can. Without the ReLU the two layers would collapse into one, here into zero.
#
# Change one word, and see which words notice:

# %%
plots.show(figures.who_moves(tokens))

# %% [markdown]
# ### `FeedForward` · exercise, 2 points
# *Core, about 10 minutes.*
#
# The two layers are called `linear_1` and `linear_2`, both with a bias: `nn.Linear(a, b)` turns width $a$ into width $b$. The ReLU is `torch.relu`. No residual road
# here, it belongs to the encoder layer, and no dropout anywhere in this unit.


# %% nbgrader={"grade": false, "grade_id": "FeedForward", "locked": false, "schema_version": 3, "solution": true, "task": false}
class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, on each token alone.

    Args:
        d_model: width of the tokens, in and out.
        d_ff: width in between.

    Attributes:
        linear_1: nn.Linear from d_model to d_ff.
        linear_2: nn.Linear from d_ff to d_model.
    """

    def __init__(self, d_model, d_ff):
        super().__init__()
        ### BEGIN SOLUTION
        self.linear_1 = nn.Linear(d_model, d_ff)
        self.linear_2 = nn.Linear(d_ff, d_model)
        ### END SOLUTION

    def forward(self, x):
        """x: tokens, (..., n, d_model). Returns the same shape."""
        ### BEGIN SOLUTION
        hidden = torch.relu(self.linear_1(x))  # (..., n, d_ff)
        return self.linear_2(hidden)  # (..., n, d_model)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_FeedForward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(FeedForward)
### BEGIN HIDDEN TESTS
check(FeedForward, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 7 · One encoder layer, two orders
#
# Now the parts come together: self-attention with its road and norm, then the feed-forward network with its own. In an encoder, **query, key and value all come from
# the layer below**: the same `x`, three times. (In the decoder of unit 6 keys and values will come from elsewhere.)
#
# The norm can stand in two places. The paper of 2017 puts it *after* the sum, which is **post-norm**. Most models since then put it *before* each sublayer,
# which is **pre-norm**. Follow the blue road from bottom to top:

# %%
plots.show(figures.norm_orders())

# %% [markdown]
# A number shows that the order matters. Of two different features the smaller always becomes $-1$ and the larger $1$, so this can be done in the head. Let $x = (1, 3)$ and the
# sublayer double what it gets:
#
# | | what the sublayer gets | what it returns | sum | result |
# |---|---|---|---|---|
# | post-norm | $(1, 3)$ | $(2, 6)$ | $(3, 9)$ | norm of it: $\mathbf{(-1, 1)}$ |
# | pre-norm | norm of $x$: $(-1, 1)$ | $(-2, 2)$ | $(1, 3) + (-2, 2)$ | $\mathbf{(-1, 5)}$ |
#
# Pre-norm adds to the *untouched* $x$. Its road is free: the gradient at the top reaches the bottom undiminished, and what the layers send back is added to it. In
# post-norm it has to pass every norm. In deep stacks that decides whether they learn at all. Sixteen layers of each kind, from torch, learn to say a line of eight letters
# backwards, with the same data and the same step size:


# %%
def learn_to_reverse(norm_first, n_layers=16, steps=120, lr=5e-3, d=32):
    torch.manual_seed(0)
    letter, place, read_out = nn.Embedding(10, d), nn.Embedding(8, d), nn.Linear(d, 10)
    layers = nn.Sequential(
        *[
            nn.TransformerEncoderLayer(d, 2, 2 * d, dropout=0.0, batch_first=True, norm_first=norm_first)
            for _ in range(n_layers)
        ]
    )
    last = nn.LayerNorm(d) if norm_first else nn.Identity()
    model = nn.ModuleList([letter, place, layers, last, read_out])
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        line = torch.randint(10, (16, 8))
        guess = read_out(last(layers(letter(line) + place.weight)))  # (16, 8, 10)
        loss = nn.functional.cross_entropy(guess.flatten(0, 1), line.flip(1).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if plots.drawing():  # some seconds, and nothing to grade
    curves = {"post-norm": learn_to_reverse(norm_first=False), "pre-norm": learn_to_reverse(norm_first=True)}
    plots.show(
        figures.training_curves(
            curves, "Reversing a line with 16 layers: pre-norm learns it, post-norm does not start", chance=np.log(10)
        )
    )

# %% [markdown]
# Post-norm is not broken. In a cell of your own try `learn_to_reverse(norm_first=False, n_layers=4)[-1]`, or `lr=1e-3, steps=250` instead
# of `n_layers=4`: the last loss is 0.00 or 0.02, so it learns as well. The paper lets its step size start tiny and grow
# (*warm-up*). Pre-norm just forgives more. You will build both.
#
# ### `EncoderLayer` · exercise, 5 points
# *Core, about 25 minutes.*
#
# `self_attention` is the `MultiHeadAttention` of unit 4: `self_attention(query, key, value, mask)` returns the *pair* (output, weights). It is
# imported at the top; your own does as well. `feed_forward`, `norm_1` (of the attention) and `norm_2` (of the network) are yours from above, or
# torch's `nn.LayerNorm`. So the layer has 16 parameters, and by these names the check sets them:
#
# | part | parameters |
# |---|---|
# | attention | `self_attention.W_q.weight`, `self_attention.W_q.bias`, and the same for `W_k`, `W_v`, `W_o` |
# | network | `feed_forward.linear_1.weight`, `feed_forward.linear_1.bias`, and the same for `linear_2` |
# | norms | `norm_1.weight`, `norm_1.bias`, `norm_2.weight`, `norm_2.bias` |
#
# The mask is handed on to the attention as it is: boolean, **True = may attend**, broadcasting to `(..., n_heads, n, n)`, or `None`. A number of
# heads that does not divide the width is a `ValueError`, which unit 4's attention raises for you. torch's ready-made `nn.TransformerEncoderLayer` and
# `nn.MultiheadAttention` may not be used.


# %% nbgrader={"grade": false, "grade_id": "EncoderLayer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual road and a norm.

    norm_first=False (post-norm): x = norm(x + sublayer(x)), first with the attention, then with the network.
    norm_first=True (pre-norm):   x = x + sublayer(norm(x)).

    Args:
        d_model: width of the tokens, in and out.
        n_heads: heads of the attention.
        d_ff: inner width of the feed-forward network.
        norm_first: pre-norm instead of post-norm.

    Attributes:
        self_attention: MultiHeadAttention.
        feed_forward: FeedForward.
        norm_1, norm_2: the norms of attention and network.
    """

    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__()
        ### BEGIN SOLUTION
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1 = LayerNorm(d_model)
        self.norm_2 = LayerNorm(d_model)
        ### END SOLUTION

    def forward(self, x, mask=None):
        """Renew each token from all tokens it may see, then on its own.

        Args:
            x: tokens, (..., n, d_model).
            mask: True = may attend, broadcasts to (..., n_heads, n, n); None lets everyone see everything.

        Returns:
            Tokens, (..., n, d_model), without the weights.
        """
        ### BEGIN SOLUTION
        if self.norm_first:
            normed = self.norm_1(x)
            attended, _ = self.self_attention(normed, normed, normed, mask)
            x = x + attended
            return x + self.feed_forward(self.norm_2(x))
        attended, _ = self.self_attention(x, x, x, mask)
        x = self.norm_1(x + attended)
        return self.norm_2(x + self.feed_forward(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_EncoderLayer", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(EncoderLayer)
### BEGIN HIDDEN TESTS
check(EncoderLayer, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 8 · The encoder
#
# The encoder is a pile of these layers, each reading what the one below has written. Three things are easily missed:
#
# * N layers are N *objects*. In Python `[layer] * 3` is one layer listed three times, with one set of weights; and copies of one layer start equal, so they begin by
#   doing the same. Make each by a call of its own, and keep them in an `nn.ModuleList([...])`, which is filled and read like a list: a plain
#   list hides them from the optimizer.
# * Every layer gets the mask. Padding that only the first layer hides comes back in the second.
# * With pre-norm nothing has normalised the road when it arrives at the top. So there, and only there, the encoder ends in one more norm, called `norm`.
#
# ### `Encoder` · exercise, 3 points
# *Core, about 15 minutes.*


# %% nbgrader={"grade": false, "grade_id": "Encoder", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Encoder(nn.Module):
    """N encoder layers, one after the other.

    Args:
        n_layers: N.
        d_model, n_heads, d_ff, norm_first: as in EncoderLayer.

    Attributes:
        layers: nn.ModuleList of N EncoderLayers, each with start weights of its own.
        norm: with norm_first=True a last layer norm; otherwise there are no such parameters.
    """

    def __init__(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
        super().__init__()
        ### BEGIN SOLUTION
        self.layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff, norm_first) for _ in range(n_layers))
        self.norm = LayerNorm(d_model) if norm_first else None
        ### END SOLUTION

    def forward(self, x, mask=None):
        """x: tokens, (..., n, d_model); mask as in EncoderLayer. Returns tokens of the same shape."""
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = layer(x, mask)
        return x if self.norm is None else self.norm(x)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_Encoder", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(Encoder)
### BEGIN HIDDEN TESTS
check(Encoder, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 9 · Your encoder at work: a hunt from house to house
#
# What is the second layer *for*? A game shows it. In each of six houses A to F lies a note with the name of a house. You start in a house, read its
# note, go to the house it names, read the note there, go on, and read once more. **What does the third note say?** Every house has to answer for
# whoever starts there.
#
# In a layer of attention a token can look up *one* note somewhere else. So one layer is not enough, and two are: the second reads what the first has
# written. Your encoder (pre-norm, one head) gets random notes, 300 times 32 games, and no hint of how to do it.


# %%
def third_note(notes):
    """notes (b, 6): what you read after following two notes, for each start."""
    return notes.gather(1, notes.gather(1, notes))


def learn_to_hunt(n_layers, d=48, steps=300):
    torch.manual_seed(2)
    encoder = Encoder(n_layers, d, n_heads=1, d_ff=2 * d, norm_first=True)
    note, house, read_out = nn.Embedding(6, d), nn.Embedding(6, d), nn.Linear(d, 6)
    model = nn.ModuleList([encoder, note, house, read_out])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def answer(notes):
        return read_out(encoder(note(notes) + house.weight))  # (b, 6, 6): a token says which note lies in which house

    for _ in range(steps):
        notes = torch.randint(6, (32, 6))
        loss = nn.functional.cross_entropy(answer(notes).flatten(0, 1), third_note(notes).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    notes = torch.randint(6, (500, 6))
    right = (answer(notes).argmax(dim=-1) == third_note(notes)).float().mean().item()
    print(f"with n_layers={n_layers}, {right:.0%} of the third notes in 500 new games are right")
    return encoder, answer


def watch(encoder, run):
    """Run, and keep the attention weights of every layer, which the layers themselves do not return."""
    seen = []
    hooks = [
        layer.self_attention.register_forward_hook(lambda module, inputs, output: seen.append(output[1].detach()))
        for layer in encoder.layers
    ]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return seen  # one (b, h, n, n) for each layer


if plots.drawing():
    with plots.demonstration("Encoder", "EncoderLayer", "FeedForward", "LayerNorm"):
        learn_to_hunt(n_layers=1)
        encoder, answer = learn_to_hunt(n_layers=2)
        notes = torch.tensor([[2, 0, 5, 1, 3, 4]])  # A: go to C, B: go to A, ...
        maps = [weights[0, 0].numpy() for weights in watch(encoder, lambda: answer(notes))]
        first = notes[0].tolist()
        second = notes[0][notes[0]].tolist()
        plots.show(
            figures.layer_maps(
                maps,
                rows=[f"{start}: go to {to}" for start, to in zip("ABCDEF", ("ABCDEF"[i] for i in first))],
                columns=list("ABCDEF"),
                titles=("layer 0: look into the house on the note", "layer 1: look into the house on that note"),
                outlined=(first, second),
            )
        )

# %% [markdown]
# Nobody told the layers what to do, and yet the maps can be read like a plan. In layer 0 house A, whose note says C, looks at C and writes down what
# it finds there: *F*. In layer 1 it looks at F, which it could not have known of before. The frames mark these houses. Step by step, through layers
# of one shape: that is what stacking buys, and the road keeps each house's own note alive meanwhile.
#
# One layer is right in about two thirds of the cases all the same. In four of nine the way leads back to a house whose note it has read; in the others it
# mostly says the name that stands on the most notes.
#
# ### Which part does the hunt need?
#
# Take one part out and train again. Four layers now, twice as many as the game needs, so that depth can hurt. The layers are `EncoderLayer`s as you wrote them; the
# cell calls their parts one by one and leaves one out. Guess first: what happens without the residual roads, without the norms, without the feed-forward networks?


# %%
def hunt_without(part, n_layers=4, d=32, steps=150):
    torch.manual_seed(0)
    layers = nn.ModuleList(EncoderLayer(d, 1, 2 * d, norm_first=True) for _ in range(n_layers))
    note, house, read_out = nn.Embedding(6, d), nn.Embedding(6, d), nn.Linear(d, 6)
    last = nn.Identity() if part == "norms" else nn.LayerNorm(d)
    optimizer = torch.optim.Adam(nn.ModuleList([layers, note, house, read_out, last]).parameters(), lr=3e-3)

    def sublayer(x, work, norm):
        change = work(x if part == "norms" else norm(x))
        return change if part == "roads" else x + change

    losses = []
    for _ in range(steps):
        notes = torch.randint(6, (32, 6))
        x = note(notes) + house.weight
        for layer in layers:
            x = sublayer(x, lambda y: layer.self_attention(y, y, y)[0], layer.norm_1)
            if part != "feed-forward":
                x = sublayer(x, layer.feed_forward, layer.norm_2)
        loss = nn.functional.cross_entropy(read_out(last(x)).flatten(0, 1), third_note(notes).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if plots.drawing():
    with plots.demonstration("EncoderLayer", "FeedForward", "LayerNorm"):
        curves = {
            ("complete" if part is None else f"without {part}"): hunt_without(part)
            for part in (None, "roads", "norms", "feed-forward")
        }
        for name, losses in curves.items():
            print(f"{name:22} loss at the end {np.mean(losses[-20:]):.3f}")
        plots.show(figures.training_curves(curves, "The hunt with four layers, one part taken out", chance=np.log(6)))

# %% [markdown]
# Without the **roads** hardly anything is learned: by the time a note has come through four layers nobody knows whose it was. The **norms** can be missed here, with four layers;
# with sixteen, `hunt_without("norms", 16)`, the loss ends at 0.16, and at 0.01 with them. And the **feed-forward networks** can be missed altogether. That is no wonder: this game is nothing but
# looking things up. Where a token has to *work* on what it found, as in language, they are what does it; in unit 7 you take parts out of a model for real data.
#
# ### How large is the encoder of the paper?
#
# Six layers, width 512, eight heads, $d_{ff} = 2048$. In each layer the attention has $4 \cdot (512^2 + 512) = 1\,050\,624$ numbers, the network $2
# \cdot 512 \cdot 2048 + 2048 + 512 = 2\,099\,712$, and each norm $2 \cdot 512 = 1024$. The network, which gets so little attention in books, has two thirds
# of them all.

# %%
if plots.drawing():
    with plots.demonstration("Encoder", "EncoderLayer", "FeedForward", "LayerNorm"):
        count = sum(p.numel() for p in Encoder(6, 512, 8, 2048).parameters())
        print(f"{count:,} trainable numbers; by hand: {6 * (1_050_624 + 2_099_712 + 2 * 1024):,}")

# %% [markdown]
# ## What you have now
#
# * Layers of one shape, $(n, d)$ in and out, which is why they stack.
# * Residual roads (skip connections): a layer says what to *change*, tokens keep what is their own, and the gradient has a way around every layer.
# * Layer norm: each token by itself, mean 0 and variance 1, then $\gamma$ and $\beta$.
# * The feed-forward network: where each token works alone on what attention has brought it.
# * Post-norm and pre-norm, and why deep stacks prefer the second.
# * The whole encoder. Query, key and value come from the layer below, in every layer.
#
# **Next, unit 6:** the decoder. It writes one word at a time, so it must not look ahead, and it looks across at what your encoder has read.
#
# **Hand in.** Save the notebook, run *Validate*, and submit it as unit 0 shows.
#
# ### Sources
#
# * Ashish Vaswani and others, 2017, *Attention Is All You Need* ("the paper" of this course): the encoder, add & norm, the feed-forward network.
# * Kaiming He and others, 2015, *Deep Residual Learning for Image Recognition*: residual connections.
# * Jimmy Lei Ba, Jamie Ryan Kiros and Geoffrey Hinton, 2016, *Layer Normalization*.
# * Sergey Ioffe and Christian Szegedy, 2015, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*.
# * Ruibin Xiong and others, 2020, *On Layer Normalization in the Transformer Architecture*: pre-norm beside post-norm, and why the second needs a warm-up.
# * Yihe Dong, Jean-Baptiste Cordonnier and Andreas Loukas, 2021, *Attention is not all you need: pure attention loses rank doubly exponentially with depth*: why
#   all tokens become equal without a road.

# %%
from helpers import progress

progress("u5")
