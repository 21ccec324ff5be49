"""Saboteurs of reductions, and of what there is where there is nothing."""

from lossary_losses import BCELoss, Fraction, MSELoss
from saboteurs.breaking import breaks
from saboteurs.plain import Plain


@breaks("a_batch_may_be_empty", "the loss of no samples is nan")
class MeanOfNothing(Plain):
    def reduce(self, each, share):
        return each.mean()


@breaks("a_class_may_be_absent", "the value is not finite with no positives")
class DiceWithoutSmoothing(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        p = input.sigmoid()
        return 1 - 2 * (p * target).sum() / (p.sum() + target.sum())


@breaks("a_class_may_be_absent", "the gradient is not finite with no positives")
class RootOfAbsent(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return (input.sigmoid() * target).sum().sqrt()


@breaks("sum_is_the_sum_of_none", "the sum: got")
@breaks("sums_of_parts_add_up", "the sum of both batches: got")
class SumOverBatch(Plain):
    def reduce(self, each, share):
        result = super().reduce(each, share)
        return result / len(each) if self.reduction == "sum" else result


@breaks("sum_is_the_sum_of_none", 'reduction="none" gives a single number')
class NoneIsTheSum(Plain):
    def reduce(self, each, share):
        return super().reduce(each, share).sum()


@breaks("counts_are_the_denominator", "the count with mask: got")
class CountsWhatIsMasked(MSELoss):
    def counts(self, target=None, *, like, mask=None, weight=None):
        return super().counts(target, like=like, weight=weight)


@breaks("mean_is_the_fraction", "numerator over denominator, masked: got")
class OtherFraction(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return self.reduced(super().fraction(input, target, mask=mask, weight=weight))

    def fraction(self, input, target, *, mask=None, weight=None):
        numerator, denominator = super().fraction(input, target, mask=mask, weight=weight)
        return Fraction(numerator, denominator + 1)


@breaks("fractions_of_parts_add_up", "the mean of added fractions: got")
class MeanOverOne(MSELoss):
    def fraction(self, input, target, *, mask=None, weight=None):
        numerator, denominator = super().fraction(input, target, mask=mask, weight=weight)
        return Fraction(numerator / denominator, denominator / denominator)


@breaks("weight_zero_is_a_mask", "weights of one and zero: got")
class DividesByTheNumber(Plain):
    def share(self, counts, weight):
        return counts * (1 if weight is None else 1 + weight.unsqueeze(1))


@breaks("weight_two_counts_twice", "weights of two: got")
class SquaresWeights(Plain):
    def share(self, counts, weight):
        return super().share(counts, None if weight is None else weight.square())


@breaks("order_of_samples_does_not_matter", "the batch turned around: got")
class FirstSampleCountsTwice(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target) + super().forward(input[:1], target[:1])


@breaks("none_is_zero_where_masked", "a masked element costs something")
class KeepsMaskedCosts(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if self.reduction == "none":
            return (input - target).square()
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("mean_is_the_fraction", "numerator over denominator, weight: got")
class FractionWithoutWeight(MSELoss):
    def fraction(self, input, target, *, mask=None, weight=None):
        return super().fraction(input, target, mask=mask)

    def forward(self, input, target, *, mask=None, weight=None):
        return MSELoss(reduction=self.reduction)(input, target, mask=mask, weight=weight)
