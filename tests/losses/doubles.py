"""Sound losses of every kind of data for which the collection has none yet: stand-ins, to prove the kinds."""

import torch
from torch.nn import functional

from lossary_losses import Claims, ReducedLoss, TargetlessLoss, define_loss
from lossary_losses._core.checks import check_nonnegative
from lossary_losses._core.dense import require_mask, require_tensor
from lossary_losses._core.reduction import weigh, widened
from lossary_losses.errors import InputTypeError, InputValueError

__all__ = ["DOUBLES"]


def fits(tensor, name, shape, input):
    """Refuse what is of another shape."""
    require_tensor(tensor, name)
    if tuple(tensor.shape) != tuple(shape):
        raise InputValueError(
            f"{name} {tuple(tensor.shape)}, input {tuple(input.shape)}: must be {tuple(shape)}"
        )


def beside(mask, tensor):
    """Bring a mask to the rank of a tensor that has further dimensions."""
    return mask.reshape(*mask.shape, *[1] * (tensor.ndim - mask.ndim))


class Double:
    """What the stand-ins share: elements of some leading dimensions, each with a cost."""

    positions = 1
    """How many dimensions say of which element something is."""
    whole_numbers = False
    """Whether the target is of integers."""
    shared = ()
    """The arguments that belong to no element."""
    elementwise = True
    """Whether what a mask takes out is an element, and not a part of one."""

    def places(self, input):
        return tuple(input.shape[: self.positions])

    def target_shape(self, input):
        return tuple(input.shape)

    def seen(self, mask, tensor):
        return torch.where(beside(mask, tensor), tensor, 0).to(tensor.dtype)

    def cost(self, input, target, mask, **arguments):
        raise NotImplementedError

    def elements(self, input, target=None, *, mask=None, weight=None, **arguments):
        places = self.places(input)
        if mask is not None:
            require_mask(mask)
            fits(mask, "mask", places, input)
        if target is not None:
            fits(target, "target", self.target_shape(input), input)
            if target.is_complex() or (self.whole_numbers and target.is_floating_point()):
                raise InputTypeError(f"target must be real, and whole for labels, got {target.dtype}")
        input = widened(input)
        seen = torch.ones(places, dtype=torch.bool, device=input.device) if mask is None else mask
        clean = [each if each is None else self.seen(seen, each) for each in (input, target)]
        arguments = {
            name: each if name in self.shared else self.seen(seen, each) for name, each in arguments.items()
        }
        value = self.cost(clean[0], clean[1], seen, **arguments)
        counts = seen if self.elementwise else seen.flatten(1).any(1)
        share = counts.to(value.dtype)
        if weight is not None:
            fits(weight, "weight", value.shape, input)
            if weight.is_complex():
                raise InputTypeError(f"weight must be real, got {weight.dtype}")
            share = torch.where(counts, weight, 0).to(value.dtype)
            check_nonnegative(share, "weight")
        return weigh(torch.where(counts, value, 0), share)


@define_loss
class RealOrNot(Double, ReducedLoss):
    """The cross entropy of what is real."""

    claims = Claims(targets={"is_real": {}}, input="scores")
    positions = 2

    def cost(self, input, target, mask):
        return functional.softplus(input) - input * target


@define_loss
class Distance(Double, ReducedLoss):
    """The squared difference, of scores or returns."""

    claims = Claims(targets={"scores": {}}, input="scores", invariant=("shift",))
    positions = 2

    def cost(self, input, target, mask):
        return (input - target).square()


@define_loss
class Returns(Distance):
    claims = Claims(targets={"returns": {}}, input="expected_returns", invariant=("order_of_tokens",))


@define_loss
class Together(Double, ReducedLoss):
    """How far embeddings are from the mean of those of the same identity."""

    claims = Claims(targets={"identities": {}}, input="embeddings", couples="batch", perfect=None)
    whole_numbers = True

    def target_shape(self, input):
        return input.shape[:1]

    def cost(self, input, target, mask):
        same = (target[:, None] == target[None]) & mask[None]
        shares = same / same.sum(1, keepdim=True).clamp(min=1)
        return (input - shares.to(input.dtype) @ input).square().sum(1)


@define_loss
class Apart(Double, TargetlessLoss):
    """Two less the variance of unit vectors: smallest where they are spread."""

    claims = Claims(targets={"nothing": {}}, input="embeddings", couples="batch", perfect=None, low=None)

    def cost(self, input, target, mask):
        count = mask.sum().clamp(min=1)
        return 1 - (input - input.sum(0) / count).square().sum(1) / (1 + input.square().sum(1))


@define_loss
class Hazard(Double, ReducedLoss):
    """The likelihood of an event in its bin, or of none until then."""

    claims = Claims(targets={"bins": {}}, input="hazards", arguments={"event": "event"})
    whole_numbers = True

    def target_shape(self, input):
        return input.shape[:1]

    def forward(self, input, target, *, event=None, mask=None, weight=None):
        return self.result(input, target, event=event, mask=mask, weight=weight)

    def cost(self, input, target, mask, event):
        bins = torch.arange(input.shape[1], device=input.device)
        before, at = bins < target[:, None], bins == target[:, None]
        survives = (functional.softplus(input) * before).sum(1)
        happens = (functional.softplus(torch.where(event[:, None], -input, input)) * at).sum(1)
        return survives + happens


@define_loss
class Spread(Double, ReducedLoss):
    """The likelihood of a Laplace distribution."""

    claims = Claims(
        targets={"values": {}}, input="location", arguments={"scale": "positive"}, low=None, perfect=None
    )
    positions = 3

    def forward(self, input, target, *, scale=None, mask=None, weight=None):
        return self.result(input, target, scale=scale, mask=mask, weight=weight)

    def cost(self, input, target, mask, scale):
        scale = torch.where(mask, scale, 1)
        return (input - target).square() / scale + scale.log()


@define_loss
class Ensemble(Double, ReducedLoss):
    """The squared distance of the mean of the members."""

    claims = Claims(targets={"values": {}}, input="ensembles", invariant=("order_of_members", "shift"))

    def places(self, input):
        return (input.shape[0], *input.shape[2:])

    def target_shape(self, input):
        return self.places(input)

    def seen(self, mask, tensor):
        return torch.where(mask if mask.ndim == tensor.ndim else mask.unsqueeze(1), tensor, 0)

    def cost(self, input, target, mask):
        return (input.mean(1) - target).square()


@define_loss
class Policy(Double, ReducedLoss):
    """Advantage times log-probability, with the other sign."""

    claims = Claims(
        targets={"advantages": {}},
        input="log_probabilities",
        low=None,
        perfect=None,
        invariant=("order_of_tokens",),
        exempt={"second_derivative_is_right": "it is linear"},
    )
    positions = 2

    def cost(self, input, target, mask):
        return -target * input


@define_loss
class Projected(Double, ReducedLoss):
    """The cross entropy of what hidden states are projected to."""

    claims = Claims(targets={"labels": {}}, input="hidden_states", arguments={"linear_weight": "projection"})
    positions = 2
    whole_numbers = True
    shared = ("linear_weight",)

    def target_shape(self, input):
        return input.shape[:-1]

    def forward(self, input, target, *, linear_weight=None, mask=None, weight=None):
        return self.result(input, target, linear_weight=linear_weight, mask=mask, weight=weight)

    def cost(self, input, target, mask, linear_weight):
        logits = input @ linear_weight.to(input.dtype).T
        return logits.logsumexp(-1) - logits.gather(-1, target.long().unsqueeze(-1)).squeeze(-1)


DOUBLES = [
    RealOrNot,
    Distance,
    Returns,
    Together,
    Apart,
    Hazard,
    Spread,
    Ensemble,
    Policy,
    Projected,
]
