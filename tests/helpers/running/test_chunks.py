"""Reading in pieces, and the made-up model and chooser that `generate` is judged with."""

import numpy as np
import pytest
import torch

from helpers.exercise import Built, Case, Tensor
from helpers.judging import catalog
from helpers.running import chunks, objects, runner
from helpers.running.errors import NotRunnable


def running_sum(ids, cache=None):
    """The sum of all ids so far, for each place."""
    total = ids.cumsum(-1) + (0 if cache is None else cache)
    return total[..., None].float(), total[..., -1:]


@pytest.mark.parametrize("lengths", [(5,), (2, 3), (1,) * 5])
def test_pieces_are_joined_to_what_the_whole_gives(lengths):
    whole = torch.tensor([[3, 1, 4, 1, 5]])
    assert chunks.read(running_sum, lengths, whole)[0, :, 0].tolist() == [3, 4, 8, 9, 14]


def test_a_caller_who_goes_on_twice_from_one_cache_sees_whether_it_was_changed():
    def careless(ids, cache=None):
        cache = [0] if cache is None else cache
        total = ids.cumsum(-1) + cache[0]
        cache[0] = int(total[0, -1])
        return total[..., None].float(), cache

    assert chunks.read(careless, (2, 2), torch.ones(1, 4, dtype=torch.long))[0, :, 0].tolist() == [1, 2, 5, 6]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (torch.ones(1, 2, 3), "a Tensor; expected two"),
        ((torch.ones(1, 2, 3), None, None), "3 results; expected two"),
        ((torch.ones(2), None), r"a tensor of shape \(2,\)"),
        (("text", None), "a str; expected a tensor"),
    ],
)
def test_what_is_no_pair_of_a_tensor_and_a_cache_is_told(returned, told):
    with pytest.raises(NotRunnable, match=told):
        chunks.read(lambda ids: returned, (2,), torch.ones(1, 2))


def test_the_runner_reads_a_case_in_its_pieces():
    case = Case("in pieces", (Tensor(np.array([[3, 1, 4]])),), chunks=(2, 1))
    (answer,) = runner.run(running_sum, [case])
    assert answer["value"].ravel().tolist() == [3, 4, 8] and answer["status"] == "returned"


def reader(**changed):
    logits = np.random.default_rng(0).normal(size=(5, 6, 6))
    return objects.build("reader", {"logits": logits, "prompt": 3, "n_new": 2} | changed)


def test_the_reader_says_the_same_in_pieces_and_counts_what_is_read_again():
    model, ids = reader(), torch.tensor([[1, 2, 3]])
    whole, _ = model(ids)
    first, cache = model(ids[:, :2])
    rest, _ = model(ids[:, 2:], cache)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole)
    assert model.observe()["tokens read again"] == 1


def test_the_reader_counts_passes_that_were_not_needed():
    model, cache = reader(), None
    for token in (1, 2, 3, 4):
        _, cache = model(torch.tensor([[token]]), cache)
    assert model.observe() == {"tokens read again": 0, "passes too many": 1}


@pytest.mark.parametrize("given", [[1, 2], torch.tensor([1, 2]), torch.ones(1, 0, dtype=torch.long)])
def test_the_reader_refuses_what_is_no_batch(given):
    with pytest.raises(ValueError, match="a batch of texts"):
        reader()(given)


def test_the_chooser_takes_the_token_at_its_share_and_refuses_what_are_no_probabilities():
    choose = objects.build("chooser", {"shares": [0.1, 0.95]})
    assert [choose(torch.tensor([0.2, 0.7, 0.1])) for _ in range(3)] == [0, 2, 0]
    assert objects.build("chooser", {})(torch.tensor([0.2, 0.7, 0.1])) == 1
    for bad in (torch.tensor([2.0, -1.0]), torch.tensor([0.5, 0.4]), torch.tensor([[1.0]]), [1.0]):
        with pytest.raises(ValueError, match="choose wants"):
            choose(bad)


def test_built_objects_of_the_cases_are_known_by_name():
    cases = catalog.find("generate").cases(np.random.default_rng(0))
    named = {item.name for case in cases for item in case.args if isinstance(item, Built)}
    assert named == {"reader", "chooser"}
