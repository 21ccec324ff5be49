"""The grammar of configs: documents and nodes.

.. code-block:: text

    document := {version?: 1, defs?: {ID: node}, loss: node} | node
    node     := NAME
              | {name: NAME, params?: {PARAMETER: value}}
              | {sum: {KEY: term}} | {product: {KEY: term}} | {heads: {KEY: term}}
              | {deep_supervision: {PARAMETER: value}} | {permutation_invariant: {PARAMETER: value}}
              | {matched: {PARAMETER: value}}
              | {use: ID, params?: {PARAMETER: value}}
    term     := node + {weight?: NUMBER >= 0 | part, inputs?: {ARGUMENT: SELECTOR}}
    part     := {KEYWORD: NAME, PARAMETER: value ...}

A product's terms have no weights, and only those of heads have inputs.
"""

from __future__ import annotations

from .by_name import LOSS, instead_of
from .document import read_config
from .inputs import PATTERN
from .terms import weight_kind

__all__ = ["LOSS", "PATTERN", "instead_of", "read_config", "weight_kind"]
