"""What losses of other libraries are of ours, as data for ``lossary migrate``: tested, and written down.

python tests/peers/migrations.py --output packages/losses/src/lossary_losses/lossary-migrations.json
"""

import argparse
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import migrations_of_kornia
import migrations_of_mmseg
import migrations_of_monai
import migrations_of_monai_others
import migrations_of_monai_sums
import migrations_of_pytorch_optimizer
import migrations_of_smp
import migrations_of_timm
import migrations_of_torch
from migration_record import Callable

__all__ = ["CALLABLES", "FILE", "data_of", "text_of"]

FILE = Path(__file__).parents[2] / "packages/losses/src/lossary_losses/lossary-migrations.json"

CALLABLES = [
    *migrations_of_torch.CALLABLES,
    *migrations_of_monai.CALLABLES,
    *migrations_of_monai_sums.CALLABLES,
    *migrations_of_monai_others.CALLABLES,
    *migrations_of_smp.CALLABLES,
    *migrations_of_kornia.CALLABLES,
    *migrations_of_timm.CALLABLES,
    *migrations_of_pytorch_optimizer.CALLABLES,
    *migrations_of_mmseg.CALLABLES,
]


def data_of(callables: Iterable[Callable]) -> dict[str, Any]:
    """Return what the file holds."""
    return {
        "format": 1,
        "version": version("lossary-losses"),
        "callables": [each.data for each in callables],
    }


def text_of(callables: Iterable[Callable]) -> str:
    """Write the file."""
    return json.dumps(data_of(callables), indent=1) + "\n"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=FILE)
    parser.parse_args().output.write_text(text_of(CALLABLES), encoding="utf-8")


if __name__ == "__main__":
    main()
