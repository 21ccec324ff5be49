"""The names that somebody probably meant who wrote another one."""

import pytest

from lossary_registry import nearest_names

LOSSES = ["dice_loss", "DiceLoss", "focal_loss", "cross_entropy_loss", "l1_loss", "masked"]


@pytest.mark.parametrize("written", ["DICE_LOSS", "dice-loss", "Dice Loss", "diceloss", "dice", "Dice"])
def test_case_separators_and_a_shared_ending_make_no_difference(written):
    """What differs from a name in nothing else is that name, in its first spelling, and no other is."""
    assert nearest_names(written, LOSSES) == ("dice_loss",)


@pytest.mark.parametrize("written", ["dise_loss", "dise", "DiseLoss", "dice_los", "dice_lsso", "dcie-loss"])
def test_typing_errors(written):
    """A letter that is wrong, missing or too much leads back to the name, wherever it stands."""
    assert nearest_names(written, LOSSES) == ("dice_loss",)


def test_typing_errors_in_names_of_two_letters():
    """Of a very short name, the ending tells that it was meant, where nothing else is near."""
    assert nearest_names("l2_loss", LOSSES) == ("l1_loss",)


@pytest.mark.parametrize("written", ["total", "bar_loss", "weight", "xx", "", "_"])
def test_nothing_is_near(written):
    """A shared ending alone makes no name near, nor does a letter or two."""
    assert nearest_names(written, ["dice_loss", "mse_loss", "cross_entropy_loss"]) == ()


@pytest.mark.parametrize("written", ["ce", "CELoss", "ce_loss"])
def test_initials(written):
    """The letters with which the words of a name begin stand for it."""
    assert nearest_names(written, LOSSES) == ("cross_entropy_loss",)


def test_a_part_of_names():
    """A word that no whole name resembles finds the names that hold it, the shortest first."""
    names = ["generalized_cross_entropy_loss", "cross_entropy_loss", "dice_loss"]
    assert nearest_names("entro", names) == ("cross_entropy_loss", "generalized_cross_entropy_loss")


def test_a_name_at_the_beginning():
    """What begins as a name does, without its ending, leads to the longest such name."""
    names = ["bce_loss", "bce_dice_loss", "focal_loss"]
    assert nearest_names("BCEWithLogitsLoss", names) == ("bce_loss",)
    assert nearest_names("bce_dice_with_something_else", names) == ("bce_dice_loss",)


def test_the_best_come_first_and_are_three_at_most():
    """Of many names that are near, the nearest are told, and those that are much less alike are not."""
    assert nearest_names("gama", ["gammas", "gamma", "gamma_max", "alpha"]) == ("gamma", "gammas")
    assert len(nearest_names("size_0", [f"size_{number}" for number in range(1, 9)])) == 3


def test_the_order_of_names_decides_nothing():
    """A set, whose order changes from run to run, gives the same names as a list."""
    names = ["mae_loss", "mse_loss", "bce_loss"]
    assert nearest_names("mxe", names) == nearest_names("mxe", names[::-1]) == ("mae_loss", "mse_loss")


def test_the_name_itself_goes_before_one_without_the_ending():
    """Where both a stem and the stem with the ending are names, each leads to itself."""
    names = ["pos", "pos_weight", "neg_weight"]
    assert [nearest_names(name, names) for name in names] == [(name,) for name in names]


def test_an_ending_that_few_names_have_tells_them_apart():
    """Only what most names end with may be missing; the rest of a name is part of its spelling."""
    assert nearest_names("lebel", ["label_smoothing", "edge_smoothing"]) == ("label_smoothing",)
    assert nearest_names("lebel", ["label_smoothing", "gamma", "alpha"]) == ()


@pytest.mark.parametrize("written", [3, None, ("dice", "loss"), b"dice_loss", "dice_loss" * 9])
def test_what_is_no_name_has_none_near(written):
    """Whatever a look-up was asked for may be given; of long texts none is compared."""
    assert nearest_names(written, LOSSES) == ()


def test_what_is_no_string_among_the_names_is_passed_over():
    """The keys of a mapping may be given as they are."""
    assert nearest_names("dept", {0: None, "depth": None, None: None}) == ("depth",)
    assert nearest_names("dept", []) == ()
