"""The product of named losses."""

from collections.abc import Mapping
from typing import NoReturn

import attrs
from torch import Tensor, nn

from lossary_losses._core.base import Loss, define_loss
from lossary_losses._core.counting import no_denominator
from lossary_losses._core.reduction import widened
from lossary_losses.composite.calling import calls_of
from lossary_losses.composite.terms import Evaluation, checked_terms, held, only_given, require_one_shape
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["Product"]


@loss_registry.register(name="product", aliases=["Product"], tags=["composite"])
@define_loss(kw_only=False)
class Product(Loss):
    r"""The product of named losses on the same input and target.

    .. math:: \ell = \prod_k \ell_k(x, t)

    Convention:
        Each factor scales the gradients of the others, so that the product vanishes with any of them: a
        perfect overlap forgives everything else. Factors should not be negative.

    Shapes:
        ``input`` and ``target``: whatever all terms accept; a term that takes no target is given none.
        Result: that of the terms; a scalar if each reduces.

    Args:
        terms: A loss (any ``nn.Module``) for each name. A name is not empty, and holds no dot.

    Raises:
        OptionTypeError: A term is no module.
        OptionValueError: There is no term, or a name is unusable.

    Example:
        >>> import torch
        >>> from lossary_losses import BCELoss, DiceLoss
        >>> loss = Product(terms={"region": DiceLoss(), "pixel": BCELoss()})
        >>> loss(torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
        tensor(0.2310)

    Reference:
        None: it is plain arithmetic.
    """

    terms: Mapping[str, nn.Module] = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Check the terms, and hold them as submodules."""
        terms = checked_terms(self.terms)
        del self.terms
        self.terms = held(terms)
        self._calls = calls_of(terms)

    def forward(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the product; ``mask`` and ``weight`` are handed to every term.

        Raises:
            InputTypeError: There is no target, and a term needs one.
        """
        return self.evaluate(input, target, mask=mask, weight=weight).total

    def evaluate(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Evaluation:
        """Compute the product, and each of its factors, in one pass."""
        values = self.values(input, target, mask=mask, weight=weight)
        total, _ = self.combine(input, values)
        return Evaluation(total, {name: value.detach() for name, value in values.items()})

    def values(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give each factor, as part of the graph."""
        given = only_given(mask=mask, weight=weight)
        return {
            name: widened(self._calls[name](term, input, target, given)) for name, term in self.terms.items()
        }

    def combine(self, _input: object, values: Mapping[str, Tensor]) -> Evaluation:
        """Multiply what ``values`` gave."""
        require_one_shape(values)
        # Not math.prod, which does not compile.
        total, *others = values.values()
        for other in others:
            total = total * other
        return Evaluation(total, dict(values))

    def fraction(self, *_: object, **__: object) -> NoReturn:
        """Refuse: a product of means is no sum of fractions.

        Raises:
            NotAdditiveError: Always.
        """
        raise no_denominator(self)

    def counts(self, *_: object, **__: object) -> NoReturn:
        """Refuse: a product of means has no denominator.

        Raises:
            NotAdditiveError: Always.
        """
        raise no_denominator(self)
