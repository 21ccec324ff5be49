"""Hydra composes the config, the factory checks and builds the loss.

python docs/examples/interop/hydra_app.py loss=focal_dice loss.sum.pixel.weight=0.5
"""

from __future__ import annotations

import hydra
from omegaconf import DictConfig, OmegaConf

from lossary_factory import build


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """Build the loss in both ways: from what was composed, and by the one target that has to be trusted."""
    loss = build(OmegaConf.to_container(config.loss, resolve=True))
    same = hydra.utils.instantiate(config.criterion)
    print(loss)
    print(f"the same by its target: {repr(same) == repr(loss)}")


if __name__ == "__main__":
    main()
