"""Saboteurs of what a loss is besides a function, and of what it says of itself."""

import torch
from torch import nn

from lossary_losses import CrossEntropyLoss, MSELoss
from saboteurs.breaking import breaks
from saboteurs.plain import Plain


@breaks("copies_compute_the_same", "lambda")
class HoldsALambda(Plain):
    def __init__(self, reduction="mean", ignore_index=None):
        super().__init__(reduction, ignore_index)
        self.square = lambda value: value**2


@breaks("copies_compute_the_same", "a deep copy looks different")
class LooksLikeItsAddress(MSELoss):
    def extra_repr(self):
        return hex(id(self))


@breaks("copies_compute_the_same", "a pickled loss: got")
class ForgetsWhenPickled(MSELoss):
    factor = 2.0

    def __setstate__(self, state):
        super().__setstate__({**state, "factor": 1.0})

    def __deepcopy__(self, memo):
        return type(self)()

    def forward(self, input, target, *, mask=None, weight=None):
        return self.factor * super().forward(input, target, mask=mask, weight=weight)


class Weighted(nn.Module):
    """Cross entropy that keeps its weights as subclasses say."""

    claims = CrossEntropyLoss.claims

    def __init__(self, weight=(1.0, 1.0, 1.0, 1.0)):
        super().__init__()
        self.keep(weight)

    def forward(self, input, target, *, mask=None, weight=None):
        return torch.nn.functional.cross_entropy(input, target, self.weight.to(input.dtype))


@breaks("state_goes_round", "the state_dict holds the options weight", targets=["labels"])
class SavesItsOptions(Weighted):
    def keep(self, weight):
        self.register_buffer("weight", torch.tensor(weight))


@breaks("class_weights_are_copied", "after the caller's tensor has changed: got", targets=["labels"])
class SharesWeights(Weighted):
    def keep(self, weight):
        self.register_buffer("weight", torch.as_tensor(weight), persistent=False)


@breaks("class_weights_are_copied", r"weights do not follow .to\(torch.float64\)", targets=["labels"])
class WeightsStayBehind(Weighted):
    def keep(self, weight):
        self.weight = torch.as_tensor(weight).clone()


@breaks("class_weights_are_copied", "AttributeError|TypeError", targets=["labels"])
class TensorsOnly(Weighted):
    def keep(self, weight):
        self.register_buffer("weight", weight.clone(), persistent=False)


@breaks("lives_on_the_meta_device", "the result is on cpu, not on meta")
class AlwaysOnTheCPU(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return torch.zeros((), device="cpu", dtype=input.dtype)


@breaks("looks_like_its_call", "repr does not name the class: loss")
class Nameless(MSELoss):
    def __repr__(self):
        return "loss"


@breaks("looks_like_its_call", "repr does not show reduction='sum'")
class HidesItsOptions(MSELoss):
    def extra_repr(self):
        return ""


@breaks("docstring_says_it_all", "the docstring has no formula")
class WithoutFormula(MSELoss):
    """Mean squared error."""


@breaks("docstring_says_it_all", "the docstring has no section 'Raises'")
class WithoutSections(MSELoss):
    r"""Mean squared error.

    .. math:: \ell = (x - t)^2

    Convention:
        None.

    Shapes:
        Any.

    Args:
        reduction: How.
    """


@breaks("docstring_says_it_all", "not under Args: also")
class UndocumentedOption(MSELoss):
    __doc__ = MSELoss.__doc__

    def __init__(self, reduction="mean", process_group=None, ignore_index=None, also=1):
        super().__init__(reduction=reduction)


@breaks("example_runs", "Expected: 1 Got: 2")
class WrongExample(MSELoss):
    """Mean squared error.

    Example:
        >>> 1 + 1
        1
    """


@breaks("example_runs", "the docstring has no example")
class NoExample(MSELoss):
    """Mean squared error."""


@breaks("example_runs", "the docstring has no example")
class NoDocstring(MSELoss):
    __doc__ = None
