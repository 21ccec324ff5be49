"""Every kind of data of the suite: found by what losses claim, drawn from a seed, and proved by a loss."""

import pytest
import torch
from doubles import DOUBLES

from lossary_losses import Claims, ReducedLoss, define_loss, loss_registry
from lossary_losses.building import Elements
from lossary_losses.testing import Kind, check_loss, example_of, find_kind, kind_registry, rule_registry
from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds import Size

NAMES = list(kind_registry)
EXEMPT = {
    "docstring_says_it_all": "it is a stand-in",
    "example_runs": "it is a stand-in",
    "two_processes_are_one": "it looks at its own process",
}
UNWRITTEN = ("docstring_says_it_all", "example_runs")
ALL = [each for each in map(loss_registry.get, loss_registry) if hasattr(each, "claims")] + DOUBLES


NEEDED = {
    "hidden_states": {"linear_weight": "projection"},
    "top_log_probabilities": {"indices": "top"},
}
"""What says, beside input and target, which prediction is perfect."""


def drawn(name, **given):
    """Draw a sample of a kind."""
    kind = kind_registry.get(name)()
    data = Data(kind, kind.inputs[0], NEEDED.get(name, {}), 4)
    return data, data.draw(**given)


OF_COMPILERS = ["compiles_in_one_graph", "compiles_with_mask_and_weight", "exports"]
OTHERS = [name for name in rule_registry if name not in OF_COMPILERS]


@pytest.mark.parametrize("double", DOUBLES)
@pytest.mark.parametrize(
    "rules", [OTHERS, pytest.param(OF_COMPILERS, marks=pytest.mark.compilers)], ids=["", "compilers"]
)
def test_a_stand_in_keeps_the_contract(double, rules):
    """A sound loss of each kind of data keeps every rule that concerns it."""
    exempt = EXEMPT if double.claims.couples else {name: EXEMPT[name] for name in UNWRITTEN}
    check_loss(double, exempt=exempt, only=rules)


def test_every_kind_is_proved():
    """Each kind is that of a loss of the collection, or of a stand-in."""
    proved = {
        find_kind(each.claims.input, target).__class__ for each in ALL for target in each.claims.targets
    }
    assert proved == {kind_registry.get(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_depends_on_its_seed_alone(name):
    """The same seed gives the same data, and another seed other data."""
    _, first = drawn(name)
    _, again = drawn(name)
    _, other = drawn(name, seed=1)
    assert all(torch.equal(one, two) for one, two in zip(first.given, again.given, strict=True))
    assert not torch.equal(first.input, other.input)


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_says_what_it_is(name):
    """A kind has a sentence, a layout and an element, and the changes that it calls usual."""
    kind = kind_registry.get(name)
    assert kind.__doc__.endswith(".")
    assert kind.layout
    assert kind.element
    assert set(kind.usual) <= set(kind().changes())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_perfect_is_not_what_is_wrong(name):
    """Perfect and worst predictions have the input's shape, and are not the same."""
    data, sample = drawn(name)
    perfect, opposite = data.perfect(sample), data.opposite(sample)
    assert perfect.shape == opposite.shape == sample.input.shape
    assert not torch.equal(perfect, opposite)


@pytest.mark.parametrize("name", [name for name in NAMES if kind_registry.get(name).can_cut])
def test_cutting_leaves_what_is_kept(name):
    """What is left after a cut is what the mask keeps, in its order."""
    data, sample = drawn(name)
    kept = data.most(sample)
    left = data.kind.cut(sample, kept)
    inside = data.kind.over(kept, sample.input)
    if inside.all():  # the mask is one of the target
        inside, whole, cut = data.kind.over(kept, sample.truth), sample.truth, left.truth
    elif data.has_channels or data.kind.layout == "B M *S":
        inside, whole, cut = (each.movedim(1, -1) for each in (inside, sample.input, left.input))
    else:
        whole, cut = sample.input, left.input
    assert 0 < inside.sum() < inside.numel()
    torch.testing.assert_close(cut.flatten(), whole[inside])


@define_loss
class Loudness(ReducedLoss):
    """How much louder one sound is than another: a loss of a kind of one's own."""

    claims = Claims(targets={"loudness": {}}, input="sounds", invariant=("louder",))

    def elements(self, input, target, *, mask=None, weight=None):
        return Elements((input.square().sum(-1).log() - target).square(), None)


def test_a_kind_of_ones_own_is_taken():
    """Once registered, a kind is found by what a loss claims, and rules run on its data."""

    class Loud(Kind):
        """Sounds, and how loud they should be."""

        inputs = ("sounds",)
        target = "loudness"
        layout = "B T"
        element = "sound"

        def shape(self, size):
            return (size.batch, size.positions)

        def draw_target(self, input, size, generator):
            return torch.randn(size.batch, generator=generator, dtype=torch.float64)

        def changes(self):
            return {
                "louder": lambda sample: sample._replace(input=2 * sample.input, target=sample.truth + 4**0.5)
            }

    with kind_registry.isolated():
        kind_registry.register(name="sounds")(Loud)
        assert isinstance(find_kind("sounds", "loudness"), Loud)
        report = check_loss(Loudness, only=["order_of_samples_does_not_matter", "a_batch_may_be_empty"])
        assert len(report.having("passed")) == 2
        with pytest.raises(AssertionError, match="after louder: got"):
            check_loss(Loudness, only=["what_must_not_matter_does_not"])
        assert example_of(Loudness).tensors[0].shape == (2, 15)
    with pytest.raises(ValueError, match="there is no kind of input 'sounds'"):
        find_kind("sounds", "loudness")


def test_an_example_is_of_the_kind_that_a_loss_claims():
    """Data to try a loss on have the shapes of its kind; a class without claims has none."""
    tensors, arguments = example_of(DOUBLES[-1])
    assert [tuple(each.shape) for each in tensors] == [(2, 15, 6), (2, 15)]
    assert arguments["linear_weight"].shape == (4, 6)
    with pytest.raises(ValueError, match="Linear claims nothing"):
        example_of(torch.nn.Linear)


def test_an_unknown_argument_is_refused():
    """A kind of argument that does not exist is refused with the nearest."""
    data = Data(find_kind("scores", "scores"), "scores", {"margin": "postive"}, 4)
    with pytest.raises(ValueError, match=r"no kind of argument 'postive': did you mean 'positive'\?"):
        data.draw()


def test_a_size_has_positions():
    """How many positions a space has; one where it has no dimension."""
    assert Size(2, (3, 5), 4).positions == 15
    assert Size(2, (), 4).positions == 1
