"""Log-probabilities of tokens against torch on logits that are held, and where other implementations fail."""

import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, linear_log_probs, log_probs, sequence_log_probs
from lossary_losses.errors import OptionValueError

SMALL, LARGE = (7, 5, 11), (150, 6, 7200)
"""Tokens, features and vocabulary: the logits of the second are computed in parts, the last of them short."""


def drawn(shape, seed=0):
    """Draw float64 numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def data(sizes, *, frozen=False):
    """Draw hidden states, a weight, labels and a bias."""
    tokens, features, vocabulary = sizes
    hidden = drawn((tokens, features)).requires_grad_()
    weight, bias = drawn((vocabulary, features), 1), drawn((vocabulary,), 2)
    labels = torch.randint(0, vocabulary, (tokens,), generator=torch.Generator().manual_seed(3))
    return hidden, weight.requires_grad_(not frozen), labels, bias.requires_grad_(not frozen)


def held(hidden, weight, labels, bias, softcap):
    """Compute log-probabilities, log-partitions and entropies from all logits."""
    logits = hidden @ weight.T + bias
    logits = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    every = logits.log_softmax(-1)
    of_labels = every.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return of_labels, logits.logsumexp(-1), torch.special.entr(every.exp()).sum(-1)


@pytest.mark.parametrize("sizes", [SMALL, LARGE], ids=["whole", "parts"])
@pytest.mark.parametrize("frozen", [False, True], ids=["trained", "frozen"])
@pytest.mark.parametrize("softcap", [None, 0.5])
@pytest.mark.parametrize("entropy", [False, True], ids=["", "entropy"])
def test_they_are_those_of_the_logits(sizes, frozen, softcap, entropy):
    """Values, and gradients under any upstream for each token, are those of logits that are held."""
    hidden, weight, labels, bias = data(sizes, frozen=frozen)
    ours = linear_log_probs(hidden, weight, labels, linear_bias=bias, softcap=softcap, entropy=entropy)
    theirs = held(hidden, weight, labels, bias, softcap)[: 2 + entropy]
    assert_close(ours, theirs)
    leaves = [hidden] if frozen else [hidden, weight, bias]
    above = [drawn((len(labels),), 5 + index) for index in range(len(ours))]
    # Twice: a graph that is kept gives the same again.
    for _ in range(2):
        slopes = torch.autograd.grad(ours, leaves, above, retain_graph=True)
        assert_close(slopes, torch.autograd.grad(theirs, leaves, above, retain_graph=True))


def test_second_derivatives_of_parts():
    """Differentiated twice, what is computed in parts has the derivatives of the whole."""
    hidden, weight, labels, bias = data(LARGE)
    second = []
    for found in (
        linear_log_probs(hidden, weight, labels, linear_bias=bias, softcap=2.0, entropy=True),
        held(hidden, weight, labels, bias, 2.0),
    ):
        (slope,) = torch.autograd.grad(sum(found).sum(), hidden, create_graph=True)
        second.append(torch.autograd.grad(slope.square().sum(), (hidden, weight, bias)))
    assert_close(*second)


def test_functions_of_logits_agree():
    """From logits the log-probabilities are the same, in any shape before the vocabulary."""
    hidden, weight, labels, _ = data(SMALL)
    expected, _ = linear_log_probs(hidden, weight, labels)
    logits = (hidden @ weight.T).reshape(1, *SMALL[::2])
    assert_close(log_probs(logits, labels.reshape(1, -1)), expected.reshape(1, -1))


@pytest.mark.parametrize("sizes", [SMALL, LARGE], ids=["whole", "parts"])
def test_what_does_not_count_may_hold_anything(sizes):
    """A masked or ignored token is zero, has a gradient of zero, and its hidden state may be NaN."""
    hidden, weight, labels, _ = data(sizes)
    kept = torch.arange(len(labels)) % 3 != 0
    mask = kept | (torch.arange(len(labels)) % 2 == 0)
    spoiled = hidden.detach().masked_fill(~kept.unsqueeze(1), torch.nan).requires_grad_()
    marked = labels.masked_fill(mask & ~kept, -100)
    found = linear_log_probs(spoiled, weight, marked, entropy=True, mask=mask, ignore_index=-100)
    expected = linear_log_probs(hidden[kept], weight, labels[kept], entropy=True)
    for ours, theirs in zip(found, expected, strict=True):
        assert_close(ours[kept], theirs)
        assert (ours[~kept] == 0).all()
    slopes = torch.autograd.grad(sum(found).sum(), (spoiled, weight))
    assert (slopes[0][~kept] == 0).all()
    assert_close(slopes[1], torch.autograd.grad(sum(expected).sum(), weight)[0])


def test_minus_infinity_is_no_token():
    """A vocabulary padded by a bias of minus infinity has no NaN, in an entropy neither."""
    hidden, weight, labels, bias = data(SMALL)
    padded = torch.cat([bias.detach(), torch.full((2,), -torch.inf, dtype=torch.float64)])
    wide = torch.cat([weight.detach(), drawn((2, 5), 4)])
    for ours, theirs in zip(
        linear_log_probs(hidden, wide, labels, linear_bias=padded, entropy=True),
        linear_log_probs(hidden, weight, labels, linear_bias=bias, entropy=True),
        strict=True,
    ):
        assert_close(ours, theirs)
        slopes = (torch.autograd.grad(each.sum(), hidden, retain_graph=True) for each in (ours, theirs))
        assert_close(*slopes)


def test_half_precision_comes_out_single():
    """From bfloat16 come float32 numbers, as exact as those of the same numbers in float32."""
    hidden, weight, labels, bias = (each.detach() for each in data(LARGE))
    halves = [each.bfloat16().requires_grad_() for each in (hidden, weight, bias)]
    ours, _ = linear_log_probs(halves[0], halves[1], labels, linear_bias=halves[2])
    singles = [each.detach().float().requires_grad_() for each in halves]
    theirs, *_ = held(singles[0], singles[1], labels, singles[2], None)
    assert ours.dtype == torch.float32
    assert_close(ours, theirs)
    # Computed in float32 to the end: what is left is the rounding to bfloat16, in however many parts.
    for ours_slope, slope in zip(
        torch.autograd.grad(ours.sum(), halves), torch.autograd.grad(theirs.sum(), singles), strict=True
    ):
        assert ours_slope.dtype == torch.bfloat16
        assert (ours_slope.float() - slope).norm() < 2e-3 * slope.norm()


@pytest.mark.parametrize("tokens", [1, 600_000], ids=["whole", "parts"])
def test_certain_tokens_keep_their_digits(tokens):
    """A log-probability near zero has the digits that a large logit less its log-partition would lose."""
    expected = -torch.tensor(-5.0, dtype=torch.float64).exp().log1p()
    labels = torch.zeros(tokens, dtype=torch.long)
    weight = torch.tensor([[80.0], [75.0]])
    ours, _ = linear_log_probs(torch.ones(tokens, 1), weight, labels)
    for found in (ours[0], log_probs(weight.mT, labels[:1])[0]):
        assert_close(found.double(), expected, rtol=5e-5, atol=0)


def test_sums_of_sequences():
    """Masked tokens, NaN included, are left out of a sum and of an average; nothing gives zero."""
    tokens = drawn((3, 4)).requires_grad_()
    mask = torch.tensor([[True] * 4, [False, True, True, False], [False] * 4])
    spoiled = tokens.masked_fill(~mask, torch.nan)
    total = sequence_log_probs(spoiled, mask)
    assert_close(total, torch.stack([tokens[0].sum(), tokens[1, 1:3].sum(), tokens.new_zeros(())]))
    assert_close(sequence_log_probs(spoiled, mask, average=True), total / torch.tensor([4, 2, 1]))
    (slope,) = torch.autograd.grad(total.sum(), tokens)
    assert_close(slope, mask.to(slope.dtype))
    assert_close(sequence_log_probs(tokens), tokens.sum(1))
    half = torch.full((1, 1000), -9.03, dtype=torch.bfloat16)
    assert_close(sequence_log_probs(half), half.float().sum(1))


def test_nothing_is_something():
    """No token gives no number, connected to what there is none of."""
    hidden, weight, _, _ = data(SMALL)
    found = linear_log_probs(hidden[:0], weight, torch.zeros(0, dtype=torch.long), entropy=True)
    assert [tuple(each.shape) for each in found] == [(0,)] * 3
    assert (torch.autograd.grad(sum(found).sum(), weight)[0] == 0).all()


def test_what_does_not_fit_is_refused():
    """Shapes, labels, dtypes and bounds that cannot be raise, and nothing broadcasts."""
    hidden, weight, labels, bias = data(SMALL)
    with pytest.raises(InputValueError, match=r"input \(7, 5\), linear_weight \(11, 4\)"):
        linear_log_probs(hidden, weight[:, 1:], labels)
    with pytest.raises(InputValueError, match=r"linear_bias \(10,\)"):
        linear_log_probs(hidden, weight, labels, linear_bias=bias[1:])
    with pytest.raises(InputValueError, match=r"target \(1,\); accepted for the target: \(7,\)"):
        linear_log_probs(hidden, weight, labels[:1])
    with pytest.raises(InputValueError, match="the label -100"):
        linear_log_probs(hidden, weight, labels.index_fill(0, torch.tensor(1), -100))
    with pytest.raises(InputValueError, match="two or more"):
        linear_log_probs(hidden, weight[:1], torch.zeros_like(labels))
    with pytest.raises(InputTypeError, match="labels must hold integers"):
        linear_log_probs(hidden, weight, labels.double())
    with pytest.raises(InputValueError, match=r"mask \(1,\)"):
        log_probs(hidden, labels % 5, mask=torch.ones(1, dtype=torch.bool))
    with pytest.raises(InputValueError, match=r"mask \(7, 1\)"):
        sequence_log_probs(hidden, torch.ones(7, 1, dtype=torch.bool))
    with pytest.raises(OptionValueError, match="softcap must be"):
        linear_log_probs(hidden, weight, labels, softcap=0.0)


def test_it_compiles():
    """In one graph, with the gradients of the eager form."""
    hidden, weight, labels, bias = data(SMALL)

    def work(hidden, weight):
        found = linear_log_probs(hidden, weight, labels, linear_bias=bias, softcap=2.0, entropy=True)
        return sequence_log_probs(sum(found).unsqueeze(0)).sum()

    compiled = torch.compile(work, fullgraph=True, backend="aot_eager")
    results = [torch.autograd.grad(each(hidden, weight), (hidden, weight)) for each in (compiled, work)]
    assert_close(*results)
