"""Two ranks in one process, each a thread, between which torch can spread tensors.

Torch keeps one world of groups for each process. Its own tests put one for each thread in its place, for as
long as they run, and so does this; no message leaves the process.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from threading import Thread
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.utils import _python_dispatch

__all__ = ["on_two_ranks_of_a_mesh"]

_Result = TypeVar("_Result")
_PATIENCE = 60.0
"""In seconds."""


def on_two_ranks_of_a_mesh(work: Callable[[int, Any], _Result]) -> list[_Result]:
    """Run work on two ranks, each with its number and the mesh of both; what a rank raises is raised."""
    # Here, since torch may have been built without: only what spreads tensors needs them.
    from torch.distributed.device_mesh import init_device_mesh  # noqa: PLC0415
    from torch.testing._internal.distributed import multi_threaded_pg as threaded  # noqa: PLC0415

    store = distributed.HashStore()  # type: ignore[attr-defined]
    done: list[Future[_Result]] = [Future(), Future()]

    def run(rank: int) -> None:
        try:
            distributed.init_process_group("threaded", rank=rank, world_size=2, store=store)
            done[rank].set_result(work(rank, init_device_mesh("cpu", (2,))))
        except BaseException as error:  # noqa: BLE001 - whatever a rank raises is raised where it is awaited
            done[rank].set_exception(error)

    # Torch writes down once for all threads that a mode is on: of two that come and go at the same time one
    # may write down what the other had, and no compiler would do anything any more.
    flags = {name: value for name, value in vars(_python_dispatch).items() if isinstance(value, bool)}
    isolated = torch._C._distributed_c10d._set_thread_isolation_mode  # type: ignore[attr-defined]  # noqa: SLF001 - as in torch's tests
    threaded.ProcessLocalGroup.reset()  # type: ignore[no-untyped-call]
    threaded._install_threaded_pg()  # type: ignore[no-untyped-call]  # noqa: SLF001 - as above
    isolated(True)
    try:
        for rank in (0, 1):
            Thread(target=run, args=(rank,), daemon=True).start()
        return _awaited(done, threaded.ProcessLocalGroup)
    finally:
        for name, value in flags.items():
            setattr(_python_dispatch, name, value)
        isolated(False)
        threaded._uninstall_threaded_pg()  # type: ignore[no-untyped-call]  # noqa: SLF001 - as above


def _awaited(done: list["Future[_Result]"], group: Any) -> list[_Result]:  # noqa: ANN401 - torch names no type for it
    """Wait for both ranks, unless one has failed: the other would wait for its messages."""
    wait(done, _PATIENCE, return_when=FIRST_EXCEPTION)
    failed = [each for each in done if each.done() and each.exception()]
    if failed or not all(each.done() for each in done):
        group.exception_handle(None)  # wakes who waits
        wait(done, _PATIENCE)
        for each in failed:
            each.result()
        raise AssertionError("the two ranks wait for each other, and do not end")
    return [each.result() for each in done]
