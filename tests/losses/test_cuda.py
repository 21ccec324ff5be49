"""On a GPU the losses are what they are on the CPU, and keep the promises that a CPU cannot show."""

import pytest
import torch
from torch.testing import assert_close

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def on_gpu(tensors):
    """Move tensors to the GPU."""
    return [tensor.detach().cuda() for tensor in tensors]


def test_values_and_gradients_are_those_of_the_cpu(case, gradient):
    """In float64 a GPU gives what the CPU gives."""
    data = case.data(space=(16, 16))
    assert_close(case.loss().cuda()(*on_gpu(data)).cpu(), case.loss()(*data))
    assert_close(gradient(case.loss().cuda(), *on_gpu(data)).cpu(), gradient(case.loss(), *data))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_autocast_changes_nothing(case, dtype):
    """Under autocast, half-precision logits give the float32 loss of the same numbers."""
    input, target = on_gpu(case.data(space=(256, 256), dtype=dtype))
    with torch.autocast("cuda", dtype=dtype):
        inside = case.loss().cuda()(input, target)
    assert inside.dtype == torch.float32
    wide = target.float() if target.is_floating_point() else target
    assert_close(inside, case.loss().cuda()(input.float(), wide), rtol=0, atol=0)


def test_the_same_call_gives_the_same_bits(case, gradient):
    """Twice the same call gives bitwise the same gradient: nothing adds up in random order."""
    input, target = on_gpu(case.data(space=(128, 128), dtype=torch.float32))
    loss = case.loss().cuda()
    assert torch.equal(loss(input, target), loss(input, target))
    assert torch.equal(gradient(loss, input, target), gradient(loss, input, target))


def test_class_weights_are_found_on_another_device(case):
    """A loss that was left on the CPU still computes on the GPU."""
    assert_close(case.loss()(*on_gpu(case.data())).cpu(), case.loss()(*case.data()))


def test_compiles_for_the_gpu(case, gradient):
    """Under inductor the loss is one graph with the value and gradient of eager."""
    torch._dynamo.reset()
    input, target = on_gpu(case.data(space=(32, 32), dtype=torch.float32))
    loss = case.loss().cuda()
    compiled = torch.compile(loss, fullgraph=True)
    assert_close(compiled(input, target), loss(input, target))
    assert_close(gradient(compiled, input, target), gradient(loss, input, target))
