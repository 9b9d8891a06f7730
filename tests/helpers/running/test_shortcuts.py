"""Every shortcut that an exercise forbids is seen, by whatever way an answer reaches it."""

import concurrent.futures
import contextlib
import functools
import importlib
import threading
import warnings

import numpy as np
import pytest
import scipy.special
import sklearn.metrics.pairwise
import sklearn.utils.extmath
import torch
import torch.nn.functional as F

from helpers.exercise import Case, Tensor
from helpers.judging import catalog
from helpers.running import runner

FORBIDDEN = sorted(
    {(name, exercise.name) for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()
     for name in exercise.forbidden}
)  # fmt: skip
X = torch.tensor([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0], [2.0, 1.0, 1.0]])
Q = X[None, None]
CLASSES = torch.tensor([0, 2, 1])
LAYER = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
HEADS = torch.nn.MultiheadAttention(3, 1, batch_first=True).eval()


def _heads(**more):
    with torch.no_grad():
        return HEADS(Q[0], Q[0], Q[0], **more)[0]


# A call that leads to each forbidden function, as a learner would write it.
PLAIN = {
    "cosine_similarity": lambda: F.cosine_similarity(X[:, None], X[None], dim=-1),
    "softmax": lambda: torch.softmax(X, -1),
    "log_softmax": lambda: X.log_softmax(-1).exp(),
    "softmin": lambda: F.softmin(-X, -1),
    "_sparse_softmax": lambda: torch.sparse.softmax(X.to_sparse(), 1).to_dense(),
    "_masked_softmax": lambda: torch._masked_softmax(X, X > 9, 1),
    "scaled_dot_product_attention": lambda: F.scaled_dot_product_attention(Q, Q, Q),
    "multi_head_attention_forward": _heads,
    "_native_multi_head_attention": lambda: _heads(need_weights=False),
    "_transformer_encoder_layer_fwd": lambda: _fast_layer(),
    "layer_norm": lambda: F.layer_norm(X, (3,)),
    "native_layer_norm": lambda: torch.native_layer_norm(X, (3,), None, None, 1e-5)[0],
    "group_norm": lambda: F.group_norm(X, 1),
    "instance_norm": lambda: F.instance_norm(X[None]),
    "batch_norm": lambda: F.batch_norm(X.T, None, None, training=True),
    "cross_entropy": lambda: F.cross_entropy(X, CLASSES),
    "nll_loss": lambda: F.nll_loss(torch.log(torch.exp(X)), CLASSES),
    "nll_loss_nd": lambda: torch._C._nn.nll_loss_nd(X, CLASSES),
    "cross_entropy_loss": lambda: torch._C._nn.cross_entropy_loss(X, CLASSES),
    "rms_norm": lambda: F.rms_norm(X, (3,)),
    "_fused_rms_norm": lambda: torch._fused_rms_norm(X, (3,), None, 1e-6)[0],
}
OTHERS = {
    "scipy.special.softmax": lambda: np.nan_to_num(scipy.special.softmax(X.numpy(), axis=-1)),
    "scipy.special.log_softmax": lambda: np.exp(scipy.special.log_softmax(X.numpy(), axis=-1)),
    "sklearn.utils.extmath.softmax": lambda: sklearn.utils.extmath.softmax(X.numpy()),
    "sklearn.metrics.pairwise.cosine_similarity": lambda: sklearn.metrics.pairwise.cosine_similarity(X.numpy()),
}


def _fast_layer():
    with torch.no_grad():
        return LAYER(torch.ones(1, 2, 4))


def call(name):
    """A call of a forbidden function; one that is not listed is taken for a function of one array."""
    module, _, function = name.rpartition(".")
    if name.startswith("torch."):
        return PLAIN[function]
    return OTHERS.get(name, lambda: getattr(importlib.import_module(module), function)(np.abs(X.numpy())))


# Ways round a watch that looks at names alone.
def directly(work):
    return work()


def overrides_off(work):
    with torch._C.DisableTorchFunction():
        return work()


def subclasses_off(work):
    with torch._C.DisableTorchFunctionSubclass():
        return work()


def swallowed(work):
    with contextlib.suppress(Exception):
        return work()
    return X


def new_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(swallowed(work)))
    thread.start()
    thread.join()
    return found[0]


POOL = concurrent.futures.ThreadPoolExecutor(1)
POOL.submit(int).result()


def older_thread(work):
    return POOL.submit(swallowed, work).result()


WAYS = (directly, overrides_off, subclasses_off, swallowed, new_thread, older_thread)


def seen(work, forbidden):
    """What the runner notes of an answer that does this work."""
    case = Case("values", (Tensor(X.numpy()),))
    (answer,) = runner.run(lambda x: work(), [case], forbidden)
    return answer["shortcut"]


@pytest.mark.parametrize(("name", "exercise"), FORBIDDEN, ids=[f"{exercise}-{name}" for name, exercise in FORBIDDEN])
def test_each_forbidden_function_is_seen_by_every_way(name, exercise):
    forbidden = catalog.find(exercise).forbidden
    missed = [way.__name__ for way in WAYS if not seen(functools.partial(way, call(name)), forbidden)]
    assert not missed
    assert not seen(lambda: X * 2, forbidden)


def operators():
    """The forbidden functions that are operators of torch, each with arguments for the operator itself."""
    given = {
        "cosine_similarity": (X, X),
        "softmax": (X, -1),
        "log_softmax": (X, -1),
        "scaled_dot_product_attention": (Q, Q, Q),
        "layer_norm": (X, [3]),
        "native_layer_norm": (X, [3], None, None, 1e-5),
        "group_norm": (X, 1),
        "instance_norm": (X[None], None, None, None, None, True, 0.1, 1e-5, False),
        "batch_norm": (X, None, None, None, None, True, 0.1, 1e-5, False),
        "nll_loss": (X, CLASSES),
        "nll_loss_nd": (X, CLASSES),
        "cross_entropy_loss": (X, CLASSES),
        "rms_norm": (X, [3]),
    }
    return [(name, exercise, given[own]) for name, exercise in FORBIDDEN if (own := name.rpartition(".")[2]) in given]


@pytest.mark.parametrize(("name", "exercise", "args"), operators(), ids=lambda value: str(value)[:40])
def test_an_operator_is_seen_below_all_of_torchs_names(name, exercise, args):
    forbidden = catalog.find(exercise).forbidden
    own = name.rpartition(".")[2]
    assert seen(lambda: getattr(torch.ops.aten, own)(*args), forbidden)
    with warnings.catch_warnings():
        # TorchScript is on its way out, and still there.
        warnings.simplefilter("ignore")
        compiled = torch.jit.trace(
            lambda x: getattr(torch.ops.aten, own)(*(x if arg is args[0] else arg for arg in args)), args[0]
        )
    assert seen(lambda: compiled(args[0]), forbidden)


def test_functions_are_as_before_once_the_call_is_over():
    seen(lambda: OTHERS["scipy.special.softmax"](), ("scipy.special.softmax",))
    np.testing.assert_allclose(scipy.special.softmax(np.zeros(2)), [0.5, 0.5])


def test_a_watch_goes_on_where_a_profile_was_left_running():
    left = torch.autograd.profiler.profile()
    left.__enter__()
    forbidden = catalog.find("cosine_similarity").forbidden
    assert seen(lambda: torch.ops.aten.cosine_similarity(X, X), forbidden)
