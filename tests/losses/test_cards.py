"""Cards say of a loss what its docstring and its claims say."""

import json

import pytest
from torch import nn

from lossary_losses import DiceLoss, FocalLoss, card_of, cards, loss_registry


def test_every_loss_has_a_card_by_its_name():
    """There is a card for each loss of the registry, under its canonical name."""
    assert list(cards()) == list(loss_registry)
    assert all(card.name == name for name, card in cards().items())


def test_a_card_says_what_the_docstring_says():
    """Summary, formula, options and papers are those of the docstring."""
    card = card_of(FocalLoss)
    assert card.summary == "Cross entropy that looks away from what is already easy."
    assert card.formula == r"\ell = -\alpha_t\, (1 - p_t)^\gamma \log p_t"
    assert list(card.options)[:2] == ["gamma", "alpha"]
    assert (card.papers[0].authors, card.papers[0].year) == ("Lin et al.", 2017)
    assert card.papers[0].id == "arXiv:1708.02002"
    assert set(card.shapes) == {"input", "target", "Result"}


def test_a_card_goes_to_json_and_back(registered):
    """What a card exports holds nothing that JSON does not know, and loses nothing of it."""
    card = card_of(registered)
    assert json.loads(card.to_json()) == card.to_dict()
    assert card.to_dict()["name"] == card.name


def test_claims_are_part_of_a_card():
    """A card carries what the suite tests."""
    assert card_of(DiceLoss).to_dict()["claims"]["high"] == 1.0


class Undocumented(nn.Module):
    pass


class Brief(nn.Module):
    """Only a sentence."""


@pytest.mark.parametrize(("loss", "summary"), [(Undocumented, ""), (Brief, "Only a sentence.")])
def test_a_loss_of_your_own_need_not_say_more(loss, summary):
    """A class without sections, claims or an entry in the registry has a card that says as little."""
    card = card_of(loss)
    assert (card.name, card.summary, card.options, card.papers) == (loss.__name__, summary, {}, ())
    assert card.claims is None
    json.loads(card.to_json())
