"""One loss for each head of a model."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from torch import Tensor, nn

from lossary_losses._core.base import define_loss
from lossary_losses._core.counting import asking_counts, asking_fractions, scaled
from lossary_losses._core.reduction import Fraction
from lossary_losses.composite.calling import Call
from lossary_losses.composite.selectors import check_selector, entry, select, selector_of
from lossary_losses.composite.terms import Evaluation, WeightedTerms, only_given
from lossary_losses.errors import OptionTypeError, OptionValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["Heads"]


def _check_inputs(loss: "Heads | None", attribute: "attrs.Attribute[Any]", inputs: object) -> None:
    if inputs is None:
        return
    if not isinstance(inputs, Mapping):
        raise OptionTypeError(f"{attribute.name} must map heads to selectors, got {type(inputs).__name__}")
    for head, selectors in inputs.items():
        if loss is not None and head not in loss.selecting():
            heads = ", ".join(loss.selecting())
            raise OptionValueError(f"{attribute.name} has {head!r}, which is no head: the heads are {heads}")
        if not isinstance(selectors, Mapping):
            raise OptionTypeError(f"{attribute.name}[{head!r}] must map arguments to selectors")
        for argument, selector in selectors.items():
            check_selector(selector, f"{attribute.name}[{head!r}][{argument!r}]")


@loss_registry.register(name="heads", aliases=["Heads"], tags=["composite"])
@define_loss(kw_only=False)
class Heads(WeightedTerms):
    r"""The weighted sum of one loss for each head of a model.

    .. math:: \ell = \sum_k w_k\, \ell_k(x_k, t_k)

    Convention:
        A head finds its input and its target, if it takes one, under its own name; ``inputs`` says
        otherwise, argument by argument. Weights are as in :class:`WeightedSum`: used as given, saved,
        changeable.

    Shapes:
        ``input``: a mapping or sequence of tensors, nested at will; ``target``: the same.
        Result: that of the heads, which must agree; a scalar if each reduces.

    Args:
        terms: A loss (any ``nn.Module``) for each head.
        weights: A finite number >= 0, or a schedule, for each head that should not weigh one. Default: None,
            all one.
        inputs: For each head that needs it, where each argument of its loss is found: a selector that begins
            with ``input``, ``target`` or ``batch`` and goes on with ``.name`` or ``[index]``. Default: None.

    Raises:
        OptionTypeError: A head is no module, a weight no number, or a selector no text.
        OptionValueError: There is no head, a name is unusable, or a selector cannot be read.

    Example:
        >>> import torch
        >>> from lossary_losses import L1Loss, MSELoss
        >>> loss = Heads(
        ...     terms={"depth": L1Loss(), "flow": MSELoss()},
        ...     weights={"flow": 0.5},
        ...     inputs={"depth": {"target": "target.depth_in_metres"}},
        ... )
        >>> output = {"depth": torch.tensor([1.0]), "flow": torch.tensor([2.0])}
        >>> truth = {"depth_in_metres": torch.tensor([3.0]), "flow": torch.tensor([4.0])}
        >>> loss(output, truth)
        tensor(4.)

    Reference:
        None: it is plain arithmetic.
    """

    inputs: Mapping[str, Mapping[str, str]] | None = attrs.field(
        default=None, validator=_check_inputs, repr=False, kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        """Refuse the target of a loss that takes none."""
        super().__attrs_post_init__()
        self._selectors = {
            head: {argument: selector_of(text) for argument, text in selectors.items()}
            for head, selectors in (self.inputs or {}).items()
        }
        for head, selectors in self._selectors.items():
            if "target" in selectors and head in self._calls and not self._calls[head].takes_target:
                raise OptionValueError(f"inputs[{head!r}] has a target, and the loss takes none")

    def selecting(self) -> Mapping[str, nn.Module]:
        """Give what ``inputs`` may name."""
        return self.terms

    def forward(
        self,
        input: Any,  # noqa: ANN401 - what a model gives
        target: Any = None,  # noqa: ANN401 - what a dataset gives
        *,
        batch: Any = None,  # noqa: ANN401 - as above
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the weighted sum over the heads.

        Args:
            input: What the model gives: a tensor for each head, or what ``inputs`` selects from.
            target: What it should have given, likewise.
            batch: Anything else that ``inputs`` selects from.
            mask: Handed to every head that does not select its own.
            weight: Handed to every head that does not select its own.

        Raises:
            InputValueError: A selector leads nowhere; the message says what was there.
        """
        return self.evaluate(input, target, batch=batch, mask=mask, weight=weight).total

    def evaluate(
        self,
        input: Any,  # noqa: ANN401 - as above
        target: Any = None,  # noqa: ANN401 - as above
        *,
        batch: Any = None,  # noqa: ANN401 - as above
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Evaluation:
        """Compute the weighted sum over the heads, and what each adds to it, in one pass."""
        values = self.values(input, target, batch=batch, mask=mask, weight=weight)
        return self._evaluate(input, values)

    def values(
        self,
        input: Any,  # noqa: ANN401 - as above
        target: Any = None,  # noqa: ANN401 - as above
        *,
        batch: Any = None,  # noqa: ANN401 - as above
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the loss of each head that is not switched off, unweighted and as part of the graph."""
        roots, given = self._handed({"input": input, "target": target, "batch": batch}, mask, weight)
        return {name: self._head(self.terms[name], name, roots, given) for name in self.active_terms()}

    def parts(self) -> Mapping[str, nn.Module]:
        """Give the losses of the heads."""
        return self.terms

    def fraction(
        self,
        input: Any,  # noqa: ANN401 - as above
        target: Any = None,  # noqa: ANN401 - as above
        *,
        batch: Any = None,  # noqa: ANN401 - as above
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Fraction]:
        """Give numerator, weight included, and denominator of each loss within, by its path.

        Raises:
            NotAdditiveError: The loss of a head tells no denominator, or looks at the batch as a whole.
        """
        roots, given = self._handed({"input": input, "target": target, "batch": batch}, mask, weight)
        found: dict[str, Fraction] = {}
        for name in self.active_terms():
            ask = asking_fractions(self.terms[name], name)
            found |= scaled(self._head(ask, name, roots, given), self._factor(name))
        return found

    def counts(
        self,
        target: Any = None,  # noqa: ANN401 - as above
        *,
        like: Any,  # noqa: ANN401 - as an input
        batch: Any = None,  # noqa: ANN401 - as above
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the denominators that ``fraction`` would give, before there is an input.

        ``like`` holds shapes, or tensors of which only the shapes are used, where the input holds tensors.

        Raises:
            NotAdditiveError: The loss of a head tells no denominator, or looks at the batch as a whole.
        """
        roots, given = self._handed({"input": like, "target": target, "batch": batch}, mask, weight)
        found: dict[str, Tensor] = {}
        for name in self.active_terms():
            found |= self._head(asking_counts(self.terms[name], name), name, roots, given)
        return found

    def _handed(
        self, roots: Mapping[str, object], mask: Tensor | None, weight: Tensor | None
    ) -> tuple[Mapping[str, object], Mapping[str, Tensor]]:
        """Give what heads select from, and what all of them are handed."""
        return roots, only_given(mask=mask, weight=weight)

    def _head(
        self,
        loss: Callable[..., Any],
        name: str,
        roots: Mapping[str, object],
        given: Mapping[str, Tensor],
    ) -> Any:  # noqa: ANN401 - what the loss gives
        """Call a loss, or what is called as one is, with what a head has."""
        arguments = {**given, **self._selected(self._calls[name], name, roots)}
        return self._calls[name](loss, arguments.pop("input"), arguments.pop("target", None), arguments)

    def _selected(self, call: Call, name: str, roots: Mapping[str, object]) -> dict[str, Any]:
        """Find the arguments of a head: where ``inputs`` says, else under its name."""
        arguments: dict[str, Any] = {}
        for argument, selector in self._selectors.get(name, {}).items():
            arguments[argument] = select(selector, roots, f"inputs[{name!r}][{argument!r}]")
        for argument in ("input", "target") if call.takes_target else ("input",):
            if argument not in arguments:
                arguments[argument] = entry(roots[argument], name, f"head {name!r}: {argument}")
        return arguments
