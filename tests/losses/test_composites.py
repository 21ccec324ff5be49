"""Products, heads, deep supervision, and weights that follow a schedule."""

import math
import re
from typing import ClassVar

import pytest
import torch
import torch._dynamo.testing
from torch import nn
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    ConstantSchedule,
    CosineSchedule,
    CrossEntropyLoss,
    DeepSupervision,
    DiceLoss,
    Heads,
    L1Loss,
    LinearSchedule,
    MSELoss,
    PiecewiseSchedule,
    Product,
    Schedule,
    WarmUpSchedule,
    WeightedSum,
    schedule_registry,
    set_progress,
)


@pytest.fixture
def binary():
    """Logits and a binary target."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 1, 4, 4, generator=generator, requires_grad=True)
    return input, torch.randint(0, 2, (2, 1, 4, 4), generator=generator).float()


class TestProduct:
    """The product of named losses."""

    def test_it_is_the_product(self, binary):
        """The total is the product of the terms, which are given by name."""
        total, terms = Product({"region": DiceLoss(), "pixel": BCELoss()}).evaluate(*binary)
        assert_close(total, DiceLoss()(*binary) * BCELoss()(*binary))
        assert_close(terms, {"region": DiceLoss()(*binary).detach(), "pixel": BCELoss()(*binary).detach()})

    def test_mask_reaches_every_term(self, binary):
        """What excludes a position for one factor excludes it for all."""
        mask = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(1)) < 0.5
        loss = Product({"region": DiceLoss(), "pixel": BCELoss()})
        assert_close(loss(*binary, mask=mask), DiceLoss()(*binary, mask=mask) * BCELoss()(*binary, mask=mask))

    def test_bad_terms(self):
        """What cannot be multiplied is refused when the product is built."""
        with pytest.raises(TypeError, match=re.escape("terms['a'] must be an nn.Module, got str")):
            Product({"a": "bce_loss"})

    def test_different_shapes(self, binary):
        """Factors whose results do not agree raise ValueError."""
        with pytest.raises(ValueError, match="different shapes"):
            Product({"map": BCELoss(reduction="none"), "one": BCELoss()})(*binary)


class TestHeads:
    """One loss for each head."""

    output: ClassVar = {
        "seg": torch.tensor([[[0.5, -1.0]]]),
        "depth": torch.tensor([2.0]),
        "aux": [torch.tensor([5.0])],
    }
    truth: ClassVar = {
        "seg": torch.tensor([[[1.0, 0.0]]]),
        "depth": torch.tensor([1.0]),
        "metres": torch.tensor([4.0]),
    }

    def test_each_head_finds_its_own(self):
        """A head named k gets input[k] and target[k]."""
        total, terms = Heads({"seg": BCELoss(), "depth": L1Loss()}, weights={"depth": 0.5}).evaluate(
            self.output, self.truth
        )
        assert_close(terms["seg"], BCELoss()(self.output["seg"], self.truth["seg"]))
        assert_close(terms["depth"], torch.tensor(0.5))
        assert_close(total, terms["seg"] + terms["depth"])

    def test_selectors(self):
        """Each argument can be found elsewhere, by names and indices, in input, target or batch."""
        inputs = {"depth": {"input": "input.aux[0]", "target": "target.metres", "mask": "batch.valid[-1]"}}
        loss = Heads({"depth": L1Loss()}, inputs=inputs)
        batch = {"valid": [torch.tensor([True])]}
        assert_close(loss(self.output, self.truth, batch=batch), torch.tensor(1.0))
        batch = {"valid": [torch.tensor([False])]}
        assert_close(loss(self.output, self.truth, batch=batch), torch.tensor(0.0))

    def test_names_that_are_no_identifiers(self):
        """A head may have any name that the model's output has."""
        assert (
            Heads({"depth-map": L1Loss()})({"depth-map": torch.ones(1)}, {"depth-map": torch.zeros(1)}) == 1
        )

    @pytest.mark.parametrize(
        ("selector", "message"),
        [
            (
                "input.dept",
                "wants input.dept, and input has no 'dept', but seg, depth, aux; did you mean 'depth'?",
            ),
            ("input.aux[3]", "wants input.aux[3], and input.aux has 1 entries, and no [3]"),
            ("input.depth.x", "wants input.depth.x, and input.depth is no mapping, but Tensor"),
            ("input[0]", "wants input[0], and input is no sequence, but dict"),
            ("batch.valid", "wants batch.valid, and batch is no mapping, but NoneType"),
        ],
    )
    def test_selectors_that_lead_nowhere(self, selector, message):
        """A selector that misses raises ValueError saying what was there."""
        loss = Heads({"depth": L1Loss()}, inputs={"depth": {"input": selector}})
        with pytest.raises(ValueError, match=re.escape(f"inputs['depth']['input'] {message}")):
            loss(self.output, self.truth)

    def test_a_head_that_the_model_lacks(self):
        """A head without output raises ValueError naming it."""
        with pytest.raises(ValueError, match="head 'edge': input has no 'edge', but seg, depth, aux"):
            Heads({"edge": L1Loss()})(self.output, self.truth)

    @pytest.mark.parametrize(
        ("inputs", "error", "message"),
        [
            ({"edge": {}}, ValueError, "inputs has 'edge', which is no head: the heads are depth"),
            ({"depth": {"input": "output.depth"}}, ValueError, "must begin with input, target or batch"),
            ({"depth": {"input": "input.__import__('os')"}}, ValueError, "must begin with input"),
            ({"depth": {"input": 3}}, TypeError, "must be a selector such as 'input.depth', got 3"),
            ({"depth": "input.depth"}, TypeError, "inputs['depth'] must map arguments to selectors"),
            (["depth"], TypeError, "inputs must map heads to selectors, got list"),
        ],
    )
    def test_bad_selectors(self, inputs, error, message):
        """What is no selector is refused when the loss is built."""
        with pytest.raises(error, match=re.escape(message)):
            Heads({"depth": L1Loss()}, inputs=inputs)

    def test_with_every_head_off_backward_still_works(self):
        """The total is zero and part of the graph of every output."""
        output: ClassVar = {"a": torch.ones(2, requires_grad=True), "b": [torch.ones(1, requires_grad=True)]}
        Heads({"a": L1Loss()}, weights={"a": 0})(output, {"a": torch.ones(2)}).backward()
        assert (output["a"].grad == 0).all()
        assert (output["b"][0].grad == 0).all()


class TestDeepSupervision:
    """The same loss at several resolutions."""

    outputs: ClassVar = [torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 1, 1)]
    labels = torch.arange(16).reshape(1, 4, 4) % 3

    def test_an_output_of_no_positions(self):
        """An output without positions has a target without positions, and the loss of nothing is zero."""
        outputs = [self.outputs[0], torch.zeros(1, 3, 0, 0)]
        _, terms = DeepSupervision(CrossEntropyLoss()).evaluate(outputs, self.labels)
        assert_close(terms, {"resolution_0": torch.tensor(math.log(3)), "resolution_1": torch.tensor(0.0)})

    def test_weights_halve(self):
        """Unless given, each resolution weighs half of the one before, and nothing is normalised."""
        total, terms = DeepSupervision(CrossEntropyLoss()).evaluate(self.outputs, self.labels)
        assert_close(total, torch.tensor(1.75 * math.log(3)))
        assert list(terms) == ["resolution_0", "resolution_1", "resolution_2"]
        assert_close(terms["resolution_2"], torch.tensor(0.25 * math.log(3)))

    def test_given_weights(self):
        """Weights are used as given, and zero leaves a resolution out."""
        loss = DeepSupervision(CrossEntropyLoss(), weights=[2.0, 0, 1.0])
        total, terms = loss.evaluate(self.outputs, self.labels)
        assert_close(total, torch.tensor(3 * math.log(3)))
        assert "resolution_1" not in terms

    def test_labels_are_taken_from_the_nearest_position(self):
        """A label of the coarse target is the label at the centre of what it covers."""
        seen = []

        class Spy(nn.Module):
            def forward(self, input, target, *, mask):
                seen.append((target, mask))
                return input.sum()

        mask = torch.eye(4, dtype=torch.bool)[None]
        DeepSupervision(Spy())(self.outputs, self.labels, mask=mask)
        assert [tuple(target.shape) for target, _ in seen] == [(1, 4, 4), (1, 2, 2), (1, 1, 1)]
        assert seen[1][0].tolist() == self.labels[:, 1::2, 1::2].tolist()
        assert seen[1][1].tolist() == mask[:, 1::2, 1::2].tolist()

    def test_values_are_resized_too(self):
        """A target with channels keeps them."""
        target = torch.rand(1, 3, 4, 4)
        expected = MSELoss()(self.outputs[0], target) + 0.5 * MSELoss()(
            self.outputs[1], target[..., 1::2, 1::2]
        )
        assert_close(DeepSupervision(MSELoss())(self.outputs[:2], target), expected)

    def test_given_targets(self):
        """With target="given" each resolution brings its own target."""
        targets = [torch.ones_like(output) for output in self.outputs]
        assert_close(DeepSupervision(L1Loss(), target="given")(self.outputs, targets), torch.tensor(1.75))

    @pytest.mark.parametrize(
        ("options", "outputs", "target", "error", "message"),
        [
            ({"weights": [1.0]}, outputs, labels, ValueError, "there are 1 weights for 3 outputs"),
            ({"target": "given"}, outputs, [labels], ValueError, "there are 1 targets for 3 outputs"),
            ({"target": "given"}, outputs, labels, TypeError, "needs a sequence of targets"),
            ({}, outputs, [labels], TypeError, "target='resize' needs one target"),
            ({}, outputs[0], labels, TypeError, "input must be a sequence of tensors, got Tensor"),
        ],
    )
    def test_what_does_not_fit(self, options, outputs, target, error, message):
        """Outputs, targets and weights that do not go together are refused."""
        with pytest.raises(error, match=re.escape(message)):
            DeepSupervision(CrossEntropyLoss(), **options)(outputs, target)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"loss": "bce_loss"}, TypeError, "loss must be an nn.Module, got str"),
            (
                {"loss": L1Loss(), "weights": [1, -1]},
                ValueError,
                "weights must hold finite numbers >= 0, got -1",
            ),
            (
                {"loss": L1Loss(), "weights": ["1"]},
                TypeError,
                "weights must hold finite numbers >= 0, got '1'",
            ),
            (
                {"loss": L1Loss(), "weights": 1.0},
                TypeError,
                "weights must be a sequence of numbers or None, got 1.0",
            ),
            (
                {"loss": L1Loss(), "target": "crop"},
                ValueError,
                "target must be one of 'resize', 'same', 'given'",
            ),
        ],
    )
    def test_bad_options(self, options, error, message):
        """A wrong option is refused when the loss is built."""
        with pytest.raises(error, match=re.escape(message)):
            DeepSupervision(**options)


class TestSchedules:
    """Weights that change while training goes on."""

    @pytest.mark.parametrize(
        ("schedule", "expected"),
        [
            (ConstantSchedule(value=0.3), {0: 0.3, 50: 0.3}),
            (
                LinearSchedule(initial=1.0, final=0.0, start=10, end=20),
                {0: 1.0, 10: 1.0, 15: 0.5, 20: 0.0, 99: 0.0},
            ),
            (
                CosineSchedule(initial=0.0, final=2.0, end=10),
                {0: 0.0, 2.5: 1 - 0.5**0.5, 5: 1.0, 10: 2.0, 11: 2.0},
            ),
            (WarmUpSchedule(final=0.5, end=4), {0: 0.0, 1: 0.125, 4: 0.5, 5: 0.5}),
            (PiecewiseSchedule(points={60: 0.5, 5: 0.1}), {0: 0.1, 5: 0.1, 59: 0.1, 60: 0.5, 99: 0.5}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_values(self, schedule, expected):
        """Each schedule is a pure function of progress, level outside its range."""
        assert {at: pytest.approx(schedule.at(at)) for at in expected} == expected

    @pytest.mark.parametrize(
        ("build", "error", "message"),
        [
            (
                lambda: LinearSchedule(initial=0, final=1, start=5, end=5),
                ValueError,
                "end must be > start (5), got 5",
            ),
            (
                lambda: LinearSchedule(initial=-1, final=1, end=5),
                ValueError,
                "initial must be a finite number >= 0",
            ),
            (lambda: WarmUpSchedule(final=1, end=0), ValueError, "end must be a finite number > 0, got 0"),
            (
                lambda: ConstantSchedule(value="1"),
                TypeError,
                "value must be a finite number >= 0, got '1' (str)",
            ),
            (
                lambda: ConstantSchedule(value=1, unit="day"),
                ValueError,
                "unit must be one of 'step', 'epoch'",
            ),
            (
                lambda: PiecewiseSchedule(points={}),
                ValueError,
                "points must have one point or more, got none",
            ),
            (
                lambda: PiecewiseSchedule(points=[1]),
                TypeError,
                "points must map progress to weights, got list",
            ),
            (lambda: PiecewiseSchedule(points={0: -1}), ValueError, "all finite and >= 0, got (0, -1)"),
            (
                lambda: PiecewiseSchedule(points={"0": 1}),
                TypeError,
                "must map numbers to numbers, got ('0', 1)",
            ),
        ],
    )
    def test_bad_options(self, build, error, message):
        """A wrong option is refused, naming it."""
        with pytest.raises(error, match=re.escape(message)):
            build()

    def test_weights_follow(self, binary):
        """set_progress brings scheduled weights up to date, each in its own unit, and leaves the others."""
        loss = WeightedSum(
            {"a": BCELoss(), "b": BCELoss(), "c": BCELoss()},
            weights={
                "a": LinearSchedule(initial=0.0, final=1.0, end=4),
                "b": PiecewiseSchedule(points={0: 0.0, 2: 0.5}, unit="epoch"),
                "c": 2.0,
            },
        )
        assert loss.weights == {"a": 0.0, "b": 0.0, "c": 2.0}
        loss.set_progress(step=2)
        assert loss.weights == {"a": 0.5, "b": 0.0, "c": 2.0}
        loss.set_progress(step=3, epoch=2)
        assert loss.weights == {"a": 0.75, "b": 0.5, "c": 2.0}
        assert_close(loss(*binary), 3.25 * BCELoss()(*binary))

    def test_weights_within_follow(self):
        """Sums within sums, and within any other module, are brought up to date as well."""
        inner = WeightedSum({"a": BCELoss()}, weights={"a": WarmUpSchedule(final=1.0, end=2)})
        outer = nn.Sequential(WeightedSum({"inner": inner}))
        set_progress(outer, step=1)
        assert inner.weights == {"a": 0.5}

    def test_scheduled_weights_are_saved(self):
        """The state_dict holds the present weight, and a loaded loss goes on from there."""
        weights = {"a": WarmUpSchedule(final=1.0, end=2)}
        loss = WeightedSum({"a": BCELoss()}, weights=weights)
        loss.set_progress(step=1)
        other = WeightedSum({"a": BCELoss()}, weights=weights)
        other.load_state_dict(loss.state_dict())
        assert other.weights == {"a": 0.5}

    def test_names(self):
        """Schedules are registered under short names, and under their class names."""
        assert schedule_registry.list() == ["constant", "cosine", "linear", "piecewise", "warm_up"]
        assert schedule_registry.get("WarmUpSchedule") is WarmUpSchedule

    def test_a_schedule_of_ones_own(self):
        """Any subclass of Schedule can be a weight."""

        class Step(Schedule):
            def at(self, progress):
                return float(progress >= 3)

        loss = WeightedSum({"a": BCELoss()}, weights={"a": Step()})
        loss.set_progress(step=3)
        assert loss.weights == {"a": 1.0}


class TestWeightsThatStay:
    """A training that never says how far it is."""

    @staticmethod
    def scheduled(**options):
        """Build a sum of which one weight follows a schedule."""
        return WeightedSum({"a": MSELoss(), "b": L1Loss()}, weights={"b": LinearSchedule(**options)})

    def test_a_training_without_progress_is_told(self):
        """A scheduled weight that nobody moves is warned of, by the name of its term."""
        input = torch.ones(2, requires_grad=True)
        with pytest.warns(UserWarning, match="the weight of b follows a schedule, and stays where it begins"):
            self.scheduled(initial=0.0, final=1.0, end=4)(input, torch.zeros(2))

    @pytest.mark.parametrize("move", ["set_progress", "set_weight", "eval", "no gradient"])
    def test_what_moves_or_does_not_train_is_not_told(self, move):
        """Who says how far the training is, sets the weight, or only evaluates, hears nothing."""
        loss = self.scheduled(initial=0.0, final=1.0, end=4)
        {
            "set_progress": lambda: loss.set_progress(step=0),
            "set_weight": lambda: loss.set_weight("b", 0.5),
            "eval": loss.eval,
            "no gradient": lambda: None,
        }[move]()
        loss(torch.ones(2, requires_grad=move != "no gradient"), torch.zeros(2))


@pytest.mark.compilers
def test_products_compile(binary):
    """A sum of a sum and a product compiles in one graph, and a changed weight compiles nothing anew."""
    torch._dynamo.reset()
    pair = {"region": DiceLoss(), "pixel": BCELoss()}
    loss = WeightedSum({"sum": WeightedSum(pair), "product": Product(pair)}, weights={"product": 0.5})
    counter = torch._dynamo.testing.CompileCounter()
    compiled = torch.compile(loss, fullgraph=True, backend=counter)
    for weight in (0.5, 0.25):
        loss.set_weight("product", weight)
        assert_close(compiled(*binary), loss(*binary))
    assert counter.frame_count == 1


@pytest.mark.parametrize("output", [{}, {"a": torch.ones(2), "name": "a", "count": 3, "rest": None}], ids=str)
def test_heads_that_weigh_nothing_look_at_nothing(output):
    """Where no head counts the loss is zero, whatever else a model gives besides tensors."""
    assert Heads({"a": L1Loss()}, weights={"a": 0.0})(output, {}) == 0


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        ([], ValueError, "one output or more"),
        ([torch.zeros(1, 1, 2), "a"], TypeError, r"input\[1\] must be a tensor, got str"),
    ],
    ids=["none", "text"],
)
def test_deep_supervision_needs_outputs(output, error, message):
    """No output, or one that is no tensor, raises an error that says so."""
    with pytest.raises(error, match=message):
        DeepSupervision(BCELoss())(output, torch.zeros(1, 1, 2))


@pytest.mark.parametrize("shape", [(), (8,), (2, 0, 8)], ids=str)
def test_what_cannot_be_resized_is_refused_by_the_loss(shape):
    """A target without the dimensions of space, or without positions, raises ValueError with both shapes."""
    message = re.escape(f"input (2, 3, 4, 4), target {shape}")
    with pytest.raises(ValueError, match=message):
        DeepSupervision(CrossEntropyLoss())([torch.zeros(2, 3, 4, 4)], torch.zeros(shape).long())


@pytest.mark.parametrize("progress", [float("nan"), -1, "3", True], ids=repr)
def test_progress_is_a_number(progress):
    """Progress that is no finite number >= 0 raises an error that names the unit, not a weight."""
    loss = WeightedSum({"pixel": BCELoss()}, weights={"pixel": WarmUpSchedule(final=1.0, end=4)})
    with pytest.raises((TypeError, ValueError), match="step must be a finite number >= 0"):
        loss.set_progress(step=progress)
