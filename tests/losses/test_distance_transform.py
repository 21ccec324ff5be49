"""Distances on a grid against a search through all positions, and the maps that are made of them."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, signed_distance_map
from lossary_losses._core import distance
from lossary_losses._core.distance import squared_distance

GRIDS = [((9,), [1.0]), ((1, 8), [1.0, 1.0]), ((7, 11), [1.0, 1.0]), ((13, 6), [2.0, 0.5])]
GRIDS += [((5, 6, 7), [1.0, 1.0, 1.0]), ((5, 1, 7), [3.0, 1.0, 0.5])]


def by_search(sources, spacing):
    """Compute the squared distance to each source in turn, and take the least."""
    grid = np.stack(np.meshgrid(*map(np.arange, sources.shape), indexing="ij"), axis=-1)
    least = np.full(sources.shape, np.inf)
    for source in np.argwhere(sources):
        least = np.minimum(least, (((grid - source) * spacing) ** 2).sum(axis=-1))
    return least


@pytest.fixture(params=[10, 64, 2**17], ids="parts of {}".format)
def part(request, monkeypatch):
    """Work on few positions at once, or on all."""
    monkeypatch.setattr(distance, "_PART", {"cpu": request.param})


@pytest.mark.parametrize(("shape", "spacing"), GRIDS, ids=str)
@pytest.mark.parametrize("density", [0.0, 0.02, 0.2, 0.7, 1.0])
@pytest.mark.usefixtures("part")
def test_distances_are_exact(shape, spacing, density):
    """Each position has the distance of the nearest source of its own sample and channel."""
    sources = torch.rand((2, 3, *shape), generator=torch.Generator().manual_seed(0)) < density
    result = squared_distance(sources, spacing)
    assert result.dtype == torch.float32
    for found, given in zip(result.flatten(0, 1).numpy(), sources.flatten(0, 1).numpy(), strict=True):
        np.testing.assert_allclose(found, by_search(given, np.array(spacing)), rtol=1e-6)


def test_a_far_corner():
    """The longest way through a large image is exact."""
    sources = torch.zeros(1, 1, 300, 400, dtype=torch.bool)
    sources[..., 0, 0] = True
    assert squared_distance(sources, [1.0, 1.0])[0, 0, -1, -1] == 299**2 + 399**2


@pytest.mark.parametrize("spacing", [[1.0, 1.0], [2.0, 0.3]], ids=str)
@pytest.mark.parametrize("lesions", [[(30, 20)], [(2, 2), (57, 45)], [(30, 20), (31, 20), (55, 3)]], ids=str)
def test_small_regions_in_a_large_image(lesions, spacing):
    """Far from the few places that have any, each position has the distance of the nearest one still."""
    sources = np.zeros((60, 50), dtype=bool)
    for place in lesions:
        sources[place] = True
    result = squared_distance(torch.from_numpy(sources), spacing).numpy()
    np.testing.assert_allclose(result, by_search(sources, np.array(spacing)), rtol=1e-6)


def test_a_large_image_against_two_shapes():
    """A disc and its outside have the distances of geometry, up to the width of a position."""
    y, x = torch.meshgrid(torch.arange(200.0), torch.arange(160.0), indexing="ij")
    radius = ((y - 90) ** 2 + (x - 70) ** 2).sqrt()
    result = squared_distance((radius <= 40)[None, None], [1.0, 1.0]).sqrt()[0, 0]
    assert (result - (radius - 40).clamp(min=0)).abs().max() < 1.0


def test_it_is_an_operator():
    """Torch's own checks of an operator hold: its schema, its fake, its place in a traced graph."""
    sources = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)) < 0.3
    results = torch.library.opcheck(squared_distance, (sources, [1.0, 1.0]))
    assert set(results.values()) == {"SUCCESS"}


def test_it_maps_over_samples():
    """Under vmap, over any dimension, each sample has its own distances."""
    sources = torch.rand(3, 2, 6, 5, generator=torch.Generator().manual_seed(0)) < 0.2
    mapped = torch.func.vmap(lambda each: squared_distance(each, [1.0, 1.0]), in_dims=1, out_dims=1)(sources)
    assert_close(mapped, squared_distance(sources, [1.0, 1.0]))


@pytest.mark.parametrize(
    "shape", [(0, 2, 3, 4), (2, 0, 3, 4), (2, 3, 0, 4), (2, 3, 4, 0), (2, 3, 0)], ids=str
)
def test_nothing_has_no_distances(shape):
    """Empty tensors have empty results."""
    sources = torch.zeros(shape, dtype=torch.bool)
    assert squared_distance(sources, [1.0] * (len(shape) - 2)).shape == shape


class TestSignedMaps:
    """The map of a target, for the boundary loss."""

    labels = torch.randint(0, 3, (2, 6, 7), generator=torch.Generator().manual_seed(1))

    def expected(self, truth, spacing):
        """Compute the map of one region by search; zero where there is no boundary."""
        if truth.all() or not truth.any():
            return np.zeros(truth.shape)
        outside, inside = (by_search(side, spacing) ** 0.5 for side in (truth, ~truth))
        return np.where(truth, min(spacing) - inside, outside)

    @pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.5, 0.5)])
    def test_class_indices(self, spacing):
        """Each class has the distance to its own boundary, negative inside."""
        labels = self.labels.clone()
        labels[1] = labels[1].clamp(max=1)
        result = signed_distance_map(labels, 4, spacing=spacing)
        assert result.shape == (2, 4, 6, 7)
        for b in range(2):
            for c in range(4):
                expected = self.expected(labels[b].numpy() == c, np.array(spacing))
                np.testing.assert_allclose(result[b, c], expected, rtol=1e-6)

    @pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32, torch.float16], ids=str)
    def test_values(self, dtype):
        """Values of 0 and 1, of any dtype, give what class indices give."""
        hard = self.labels.unsqueeze(1) == torch.arange(3)[:, None, None]
        assert_close(signed_distance_map(hard.to(dtype)), signed_distance_map(self.labels, 3))

    def test_by_hand(self):
        """Outside it is the way to the class, inside the way out less one, negative."""
        result = signed_distance_map(torch.tensor([[[0, 0, 0, 1, 1, 1, 1, 1, 0]]]))
        assert result.tolist() == [[[3, 2, 1, 0, -1, -2, -1, 0, 1]]]

    def test_without_a_boundary(self):
        """A class that is nowhere, or everywhere, has zero."""
        assert (signed_distance_map(torch.zeros(1, 4, 4, dtype=torch.long), 2) == 0).all()

    def test_ignored_positions_are_on_no_side(self):
        """The distance goes past what is ignored, to what is known."""
        labels = torch.tensor([[1, 1, 255, 255, 0, 0]])
        result = signed_distance_map(labels, 2, ignore_index=255)
        assert result[0, 1].tolist() == [-3, -2, 1, 2, 3, 4]
        assert result[0, 0, [0, 1, 4, 5]].tolist() == [4, 3, -2, -3]
        values = torch.tensor([[[1.0, 1.0, -1.0, -1.0, 0.0, 0.0]]])
        assert_close(signed_distance_map(values, ignore_index=-1)[0, 0], result[0, 1])

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((torch.tensor([[0, 3]]), 3), InputValueError, "target holds the label 3, outside the classes 0"),
            ((torch.tensor([[0.0, 1.0]]), 3), InputTypeError, "target must hold class indices as integers"),
            ((torch.tensor([[[0.0, 0.5]]]),), InputValueError, "target must hold 0 and 1 and nothing"),
            (("target",), InputTypeError, "target must be a tensor, got str"),
        ],
    )
    def test_bad_targets(self, arguments, error, message):
        """What cannot be a hard target raises an error that says why."""
        with pytest.raises(error, match=message):
            signed_distance_map(*arguments)

    @pytest.mark.parametrize("spacing", [(1.0,), (1.0, 0.0), (1.0, float("nan")), (1.0, -1.0)])
    def test_bad_spacings(self, spacing):
        """Spacings are positive, and one for each axis."""
        with pytest.raises(InputValueError, match="spacing must hold a finite number > 0 for each of 2 axes"):
            signed_distance_map(torch.zeros(1, 3, 3, dtype=torch.long), 2, spacing=spacing)
