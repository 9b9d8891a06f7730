"""The references of unit 7, against torch's own Transformer and for their own edges."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import BOS, EOS, MAX_LENGTH, PAD
from helpers.reference import u7_transformer as reference

SIZES = {"src_vocab": 17, "tgt_vocab": 11, "d_model": 8, "n_heads": 2, "n_layers": 3, "d_ff": 12, "max_length": 10}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return reference.Transformer(**SIZES).eval()


def copy_attention(theirs, ours):
    theirs.in_proj_weight.data = torch.cat([ours.W_q.weight, ours.W_k.weight, ours.W_v.weight])
    theirs.in_proj_bias.data = torch.cat([ours.W_q.bias, ours.W_k.bias, ours.W_v.bias])
    theirs.out_proj.load_state_dict(ours.W_o.state_dict())


def copy_layer(theirs, ours):
    copy_attention(theirs.self_attn, ours.self_attention)
    if hasattr(theirs, "multihead_attn"):
        copy_attention(theirs.multihead_attn, ours.cross_attention)
    theirs.linear1.load_state_dict(ours.feed_forward.linear_1.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.linear_2.state_dict())
    for number in (1, 2, 3):
        if hasattr(theirs, f"norm{number}"):
            getattr(theirs, f"norm{number}").load_state_dict(getattr(ours, f"norm_{number}").state_dict())


def torchs_own(model):
    """torch's Transformer with the same weights."""
    theirs = nn.Transformer(8, 2, 3, 3, 12, dropout=0.0, batch_first=True, norm_first=True).eval()
    for ours, layer in zip([*model.encoder.layers, *model.decoder], [*theirs.encoder.layers, *theirs.decoder.layers]):
        copy_layer(layer, ours)
    theirs.encoder.norm.load_state_dict(model.encoder.norm.state_dict())
    theirs.decoder.norm.load_state_dict(model.norm.state_dict())
    return theirs


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_transformer_computes_what_torchs_computes_with_padding_in_the_source(model):
    src = torch.tensor([[3, 9, 16, 4, 5], [7, 7, 3, PAD, PAD]])
    tgt_in = torch.tensor([[BOS, 4, 10, 3], [BOS, 5, EOS, PAD]])
    with torch.no_grad():
        x = math.sqrt(8) * model.src_embed(src) + model.positions[:5]
        y = math.sqrt(8) * model.tgt_embed(tgt_in) + model.positions[:4]
        ahead = torch.ones(4, 4).triu(1).bool()
        theirs = torchs_own(model)(
            x, y, tgt_mask=ahead, src_key_padding_mask=src == PAD, memory_key_padding_mask=src == PAD
        )
        torch.testing.assert_close(model(src, tgt_in), model.project(theirs))


def test_forward_is_encode_and_decode_with_the_mask_of_the_source(model):
    src, tgt_in = torch.tensor([[3, 4, PAD], [5, 6, 7]]), torch.tensor([[BOS, 3], [BOS, 4]])
    torch.testing.assert_close(model(src, tgt_in), model.decode(tgt_in, model.encode(src), model.source_mask(src)))


def test_logits_before_a_token_do_not_move_with_it(model):
    src = torch.tensor([[3, 4, 5]])
    a, b = model(src, torch.tensor([[BOS, 3, 4, 5]])), model(src, torch.tensor([[BOS, 3, 9, 5]]))
    torch.testing.assert_close(a[:, :2], b[:, :2])
    assert not torch.allclose(a[:, 2:], b[:, 2:])


def test_sequences_of_max_length_fit_and_longer_ones_do_not(model):
    ids = torch.full((1, SIZES["max_length"]), 3)
    assert model(ids, ids).shape == (1, 10, 11)
    with pytest.raises(RuntimeError):
        model.encode(torch.full((1, 11), 3))


@pytest.mark.parametrize("n_heads", [0, 3, -2])
def test_heads_that_do_not_divide_the_width_are_a_value_error(n_heads):
    with pytest.raises(ValueError):
        reference.Transformer(**SIZES | {"n_heads": n_heads})


def test_positions_are_saved_with_the_weights_and_not_trained(model):
    assert "positions" in model.state_dict()
    assert "positions" not in dict(model.named_parameters())


def test_classifier_sees_the_order_of_the_rows_and_each_image_alone():
    torch.manual_seed(0)
    classifier = reference.DigitClassifier().eval()
    images = 16 * torch.rand(3, 8, 8)
    logits = classifier(images)
    assert logits.shape == (3, 10)
    assert not torch.allclose(logits, classifier(images.flip(1)))
    torch.testing.assert_close(logits[1:2], classifier(images[1:2]))


def test_train_step_does_what_torch_does_by_hand(model):
    torch.manual_seed(0)
    twin = reference.Transformer(**SIZES)
    twin.load_state_dict(model.state_dict())
    src, tgt = torch.tensor([[3, 4, 5], [6, 7, PAD]]), torch.tensor([[4, 5, EOS], [9, EOS, PAD]])
    ours, theirs = torch.optim.SGD(model.parameters(), 0.1), torch.optim.SGD(twin.parameters(), 0.1)
    for _ in range(2):
        loss = F.cross_entropy(
            twin(src, torch.tensor([[BOS, 4, 5], [BOS, 9, EOS]])).flatten(0, 1), tgt.flatten(), ignore_index=PAD
        )
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        assert reference.train_step(model, ours, src, tgt, PAD, BOS) == pytest.approx(loss.item(), rel=1e-5)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, twin.state_dict()[name])
    assert model.training


class Script(nn.Module):
    """Says given ids one after the other."""

    def __init__(self, ids):
        super().__init__()
        self.ids, self.encoded = ids, 0
        self.weight = nn.Parameter(torch.zeros(1))

    def encode(self, src):
        self.encoded += 1
        return src[..., None].float()

    def decode(self, tgt_in, memory, memory_mask=None):
        assert tgt_in[0, 0] == BOS and not self.training
        wanted = [self.ids[min(i, len(self.ids) - 1)] for i in range(tgt_in.shape[1])]
        return F.one_hot(torch.tensor([wanted]), 13).float()


def test_translate_encodes_once_and_leaves_bos_and_eos_out():
    model = Script([5, 3, 12, EOS])
    assert reference.translate(model.train(), [7, 8]) == [5, 3, 12]
    assert model.encoded == 1


def test_translate_ends_where_the_model_never_does():
    assert reference.translate(Script([5]), [7, 8]) == [5] * MAX_LENGTH
