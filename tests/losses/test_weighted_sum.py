"""The weighted sum of named losses."""

import copy
import pickle

import pytest
import torch
import torch._dynamo.testing
from torch import nn
from torch.testing import assert_close

from lossary_losses import BCELoss, DeepSupervision, DiceLoss, Heads, Masked, Product, WeightedSum


@pytest.fixture
def data():
    """Logits and a binary target."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 1, 4, 4, generator=generator, requires_grad=True)
    return input, torch.randint(0, 2, (2, 1, 4, 4), generator=generator).float()


@pytest.fixture
def loss():
    """Half a Dice loss and twice a cross entropy: weights that do not add up to one."""
    return WeightedSum({"region": DiceLoss(), "pixel": BCELoss()}, weights={"region": 0.5, "pixel": 2.0})


def test_it_is_the_sum(loss, data):
    """The total is the plain arithmetic, without normalisation."""
    assert_close(loss(*data), 0.5 * DiceLoss()(*data) + 2.0 * BCELoss()(*data))


def test_terms_add_up_to_the_total(loss, data):
    """One evaluation gives the same total, and what each term adds to it, detached."""
    total, terms = loss.evaluate(*data)
    assert_close(total, loss(*data))
    assert_close(
        terms, {"region": 0.5 * DiceLoss()(*data).detach(), "pixel": 2.0 * BCELoss()(*data).detach()}
    )
    assert total.requires_grad
    assert not terms["pixel"].requires_grad


@pytest.mark.compilers
@pytest.mark.parametrize("name", ["keys", "values", "type", "train", "half", "forward", "parameters"])
def test_a_term_may_have_the_name_of_a_method(data, name):
    """What the heads of a model are called is not ours to choose, and nothing of the module changes."""
    loss = WeightedSum(terms={name: BCELoss(), "region": DiceLoss()}, weights={name: 2.0})
    expected = 2 * BCELoss()(*data) + DiceLoss()(*data)
    assert_close(loss(*data), expected)
    assert_close(Product(terms={name: BCELoss()})(*data), BCELoss()(*data))
    assert_close(torch.compile(loss, backend="eager", fullgraph=True)(*data), expected)
    assert_close(pickle.loads(pickle.dumps(copy.deepcopy(loss)))(*data), expected)
    assert list(loss.terms.keys()) == [name, "region"]
    assert loss.train().double().terms["region"].training
    loss.load_state_dict(loss.state_dict())


def test_weights_default_to_one(data):
    """A term without a weight weighs one."""
    loss = WeightedSum(terms={"a": BCELoss(), "b": BCELoss()}, weights={"b": 0.0})
    assert loss.weights == {"a": 1.0, "b": 0.0}
    assert_close(loss(*data), BCELoss()(*data))


def test_weights_change_during_training(loss, data):
    """set_weight counts from the next call on."""
    loss.set_weight("region", 0.0)
    loss.set_weight("pixel", 3.0)
    assert_close(loss(*data), 3.0 * BCELoss()(*data))


@pytest.mark.compilers
def test_a_changing_weight_does_not_recompile(loss, data):
    """A schedule that changes a weight at every step compiles in the first step only."""
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(loss, fullgraph=True, backend=counter)
    compiled(*data)
    first = counter.frame_count
    for weight in (0.1, 0.2, 0.3):
        loss.set_weight("region", weight)
        assert_close(compiled(*data), loss(*data))
    assert counter.frame_count == first


class Counting(nn.Module):
    """A user's loss that knows neither mask nor weight, and counts its calls."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, input, target):
        """Compute the mean absolute error."""
        self.calls += 1
        return (input - target).abs().mean()


def test_a_term_of_weight_zero_is_not_computed(data):
    """A switched-off term costs nothing, is shown as zero, and can be switched on again."""
    counting = Counting()
    loss = WeightedSum({"on": BCELoss(), "off": counting}, weights={"off": 0})
    _, terms = loss.evaluate(*data)
    assert counting.calls == 0
    assert terms["off"] == 0
    loss.set_weight("off", 1.0)
    loss(*data)
    assert counting.calls == 1


def test_with_every_term_off_backward_still_works(data):
    """The total is zero and part of the graph."""
    loss = WeightedSum({"only": BCELoss()}, weights={"only": 0.0})(*data)
    loss.backward()
    assert loss == 0
    assert (data[0].grad == 0).all()


def test_mask_and_weight_reach_every_term(loss, data):
    """What excludes a position for one term excludes it for all."""
    mask = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(1)) < 0.5
    weight = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(2))
    expected = 0.5 * DiceLoss()(*data, mask=mask, weight=weight) + 2 * BCELoss()(
        *data, mask=mask, weight=weight
    )
    assert_close(loss(*data, mask=mask, weight=weight), expected)


def test_weights_are_saved_by_name(loss):
    """The state_dict holds each weight under its term's name, and loading brings it back."""
    loss.set_weight("region", 0.0)
    state = loss.state_dict()
    assert set(state) == {"weight_of_region", "weight_of_pixel"}
    other = WeightedSum({"region": DiceLoss(), "pixel": BCELoss()})
    other.load_state_dict(state)
    assert other.weights == {"region": 0.0, "pixel": 2.0}


def test_loading_switches_terms_on(data):
    """A term that was off computes again once a saved weight says so."""
    loss = WeightedSum({"only": BCELoss()}, weights={"only": 0.0})
    loss.load_state_dict({"weight_of_only": torch.tensor(2.0)})
    assert_close(loss(*data), 2 * BCELoss()(*data))


def test_weights_of_other_terms_do_not_load(loss):
    """A checkpoint with other terms is refused by name."""
    with pytest.raises(RuntimeError, match="weight_of_boundary"):
        loss.load_state_dict({"weight_of_boundary": torch.tensor(1.0), "weight_of_pixel": torch.tensor(1.0)})


def test_sums_nest(loss, data):
    """A sum is a loss like others."""
    nested = WeightedSum({"inner": loss, "more": BCELoss()}, weights={"inner": 0.5})
    assert_close(nested(*data), 0.5 * loss(*data) + BCELoss()(*data))


def test_parameters_of_terms_are_found():
    """A term with parameters of its own is trained along."""
    loss = WeightedSum({"learned": nn.Linear(2, 2)})
    assert [name for name, _ in loss.named_parameters()] == ["terms.learned.weight", "terms.learned.bias"]


def test_copies_and_pickles(loss, data):
    """A copy computes the same, and has weights of its own."""
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert_close(twin(*data), loss(*data))
        twin.set_weight("pixel", 0.0)
        assert loss.weights["pixel"] == 2.0


def test_results_of_different_shapes_are_refused(data):
    """Terms whose results do not agree raise ValueError instead of broadcasting."""
    loss = WeightedSum({"map": BCELoss(reduction="none"), "one": BCELoss()})
    with pytest.raises(ValueError, match=r"different shapes: \{'map': \(2, 1, 4, 4\), 'one': \(\)\}"):
        loss(*data)


def test_repr_shows_the_weights(loss):
    """The repr gives each weight by name."""
    assert "weights: region 0.5, pixel 2" in repr(loss)


@pytest.mark.parametrize(
    ("terms", "weights", "error", "message"),
    [
        ({}, None, ValueError, "terms must name one loss or more, got none"),
        ([BCELoss()], None, TypeError, "terms must map names to losses, got list"),
        ({"a": "bce_loss"}, None, TypeError, "terms['a'] must be an nn.Module, got str"),
        ({"a.b": BCELoss()}, None, ValueError, "terms has an unusable name, 'a.b'"),
        ({"": BCELoss()}, None, ValueError, "terms has an unusable name, ''"),
        ({"training": BCELoss()}, None, ValueError, "terms has an unusable name, 'training'"),
        ({1: BCELoss()}, None, ValueError, "terms has an unusable name, 1"),
        ({"pixel": BCELoss()}, {"pixl": 1.0}, ValueError, "'pixl', which is no term: did you mean 'pixel'?"),
        (
            {"pixel": BCELoss()},
            {"PIXEL": 1.0},
            ValueError,
            "'PIXEL', which is no term: did you mean 'pixel'?",
        ),
        ({"pixel": BCELoss()}, {"zzz": 1.0}, ValueError, "'zzz', which is no term: the terms are pixel"),
        ({"a": BCELoss()}, {"a": -1.0}, ValueError, "weights['a'] must be a finite number >= 0, got -1.0"),
        (
            {"a": BCELoss()},
            {"a": float("nan")},
            ValueError,
            "weights['a'] must be a finite number >= 0, got nan",
        ),
        ({"a": BCELoss()}, {"a": "1"}, TypeError, "weights['a'] must be a finite number >= 0, got '1'"),
        ({"a": BCELoss()}, {"a": True}, TypeError, "weights['a'] must be a finite number >= 0, got True"),
        ({"a": BCELoss()}, [1.0], TypeError, "weights must map names of terms to numbers, got list"),
    ],
)
def test_bad_terms_and_weights(terms, weights, error, message):
    """What cannot be summed is refused when the sum is built, naming the term."""
    with pytest.raises(error) as raised:
        WeightedSum(terms, weights=weights)
    assert message in str(raised.value)


def test_setting_the_weight_of_no_term(loss):
    """set_weight refuses names and values that the constructor would refuse, and changes nothing."""
    with pytest.raises(ValueError, match="'pixl', which is no term"):
        loss.set_weight("pixl", 1.0)
    with pytest.raises(ValueError, match="must be a finite number >= 0"):
        loss.set_weight("pixel", -1.0)
    assert loss.weights == {"region": 0.5, "pixel": 2.0}


def test_the_meta_device_has_no_weights():
    """A sum is built and shown on the meta device, and has its weights once they are loaded."""
    terms = {"region": DiceLoss(), "pixel": BCELoss()}
    with torch.device("meta"):
        loss = WeightedSum(terms, weights={"pixel": 0.5})
    assert "pixel nan" in repr(loss)
    loss.load_state_dict(WeightedSum(terms, weights={"pixel": 0.0}).state_dict(), assign=True)
    assert loss.weights == {"region": 1.0, "pixel": 0.0}


class TestWeightsAsGiven:
    """A weight is the number that was given, whatever becomes of the module's dtype."""

    @pytest.mark.parametrize(
        "change", [nn.Module.half, nn.Module.bfloat16, nn.Module.float, nn.Module.double]
    )
    def test_every_digit_stays(self, change):
        """The dtype of the module is not that of the weights of its terms."""
        weights = {"a": 0.1, "b": 70000.0}
        loss = WeightedSum({"a": nn.L1Loss(), "b": nn.L1Loss()}, weights=weights)
        assert loss.weights == weights
        assert change(loss).weights == weights
        loss.set_weight("a", 1 / 3)
        assert loss.weights == {"a": 1 / 3, "b": 70000.0}

    def test_float64_sums_are_exact(self):
        """In float64 the sum is the arithmetic of the weights as they were given."""
        input, target = torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        loss = WeightedSum({"a": nn.L1Loss(), "b": nn.MSELoss()}, weights={"a": 0.1, "b": 0.7})
        assert loss(input, target).item() == 0.1 * 1.0 + 0.7 * 1.0

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_they_may_change_before_the_backward_pass(self, loss, data, dtype):
        """The gradient is that of the weights in the forward pass."""
        input = data[0].detach().to(dtype).requires_grad_()
        (expected,) = torch.autograd.grad(loss(input, data[1]), input)
        value = loss(input, data[1])
        loss.set_weight("region", 7.0)
        loss.set_weight("pixel", 0.0)
        assert_close(torch.autograd.grad(value, input)[0], expected)


class TestWeightsThatChangeElsewhere:
    """What is skipped is decided by the weights as they are, whoever changed them."""

    @pytest.fixture
    def off(self):
        """A sum whose second term is switched off."""
        return WeightedSum({"a": nn.L1Loss(), "b": nn.MSELoss()}, weights={"b": 0.0})

    input, target = torch.full((3,), 2.0), torch.zeros(3)

    def test_in_place(self, off):
        """A weight that is written to switches its term on."""
        off.weight_of_b.fill_(1)
        assert off(self.input, self.target) == 2 + 4

    def test_by_assignment(self, off):
        """So does one that is replaced."""
        off.weight_of_b = torch.tensor(0.5)
        assert off(self.input, self.target) == 2 + 2

    def test_averaged(self, off):
        """So does one that is averaged along with a model."""
        averaged = torch.optim.swa_utils.AveragedModel(off, avg_fn=lambda _a, new, _n: new, use_buffers=True)
        averaged.update_parameters(off)
        off.set_weight("b", 1.0)
        averaged.update_parameters(off)
        assert averaged(self.input, self.target) == 2 + 4

    def test_functional_calls(self, off):
        """So does each that is put in for one call, and is gone afterwards."""
        for weight in (0.5, 0.0, 1.0):
            state = {"weight_of_b": torch.tensor(weight)}
            assert torch.func.functional_call(off, state, (self.input, self.target)) == 2 + 4 * weight
        assert off(self.input, self.target) == 2

    def test_a_weight_of_zero_with_a_gradient(self, off):
        """A weight that has a gradient has that of its term, be it zero."""
        weight = torch.tensor(0.0, requires_grad=True)
        torch.func.functional_call(off, {"weight_of_b": weight}, (self.input, self.target)).backward()
        assert weight.grad == 4

    def test_mapped(self, off):
        """Weights that are mapped over have no one value, and each its own result."""
        weights = torch.tensor([0.0, 1.0])
        mapped = torch.func.vmap(
            lambda weight: torch.func.functional_call(off, {"weight_of_b": weight}, (self.input, self.target))
        )(weights)
        assert mapped.tolist() == [2.0, 6.0]

    def test_copies(self, off):
        """A copy goes by its own weights."""
        for twin in (copy.deepcopy(off), copy.copy(off), pickle.loads(pickle.dumps(off))):
            assert twin(self.input, self.target) == 2
        twin.set_weight("b", 1.0)
        assert (off(self.input, self.target), twin(self.input, self.target)) == (2, 6)

    def test_inference(self):
        """A sum that was built in inference mode, which counts no changes, sees them."""
        with torch.inference_mode():
            loss = WeightedSum({"a": nn.L1Loss(), "b": nn.MSELoss()}, weights={"b": 0.0})
            assert loss(self.input, self.target) == 2
            loss.weight_of_b.fill_(1)
            assert loss(self.input, self.target) == 6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(
    "loss",
    [
        WeightedSum({"a": nn.L1Loss()}, weights={"a": 0.0}),
        WeightedSum({"a": nn.L1Loss(reduction="none")}),
        Product({"a": nn.L1Loss(), "b": nn.L1Loss()}),
        Masked(nn.L1Loss()),
        Masked(nn.L1Loss(), ignore_index=0),
    ],
    ids=repr,
)
def test_results_are_never_half(loss, dtype):
    """What foreign losses give in half precision is added and multiplied in float32; so is nothing at all."""
    assert loss(torch.ones(2, dtype=dtype), torch.zeros(2, dtype=dtype)).dtype == torch.float32


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_results_of_several_outputs_are_never_half(weight):
    """So it is for heads and resolutions."""
    half = torch.ones(1, 1, 2, dtype=torch.float16)
    heads = Heads({"a": nn.L1Loss()}, weights={"a": weight})
    assert heads({"a": half}, {"a": half}).dtype == torch.float32
    assert DeepSupervision(nn.L1Loss(), weights=[weight])([half], half).dtype == torch.float32
