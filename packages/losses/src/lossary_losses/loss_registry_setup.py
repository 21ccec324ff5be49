"""The registry of the collection, where training repositories register their own losses as well."""

from torch import nn

from lossary_registry import Registry

__all__ = ["loss_registry"]

loss_registry: Registry[nn.Module] = Registry(base_class=nn.Module, name="LossFunctions")
"""Names to loss classes: those of the collection, and those that users add."""
