"""How a call of another library is migrated, built and compared."""

import ast
import functools
import inspect
from types import SimpleNamespace
from typing import Any, NamedTuple

import mmseg_formulas
import torch
from parity_data import ARGUMENTS, SAMPLES
from parity_record import NAMES

from lossary_factory import build
from lossary_factory._migration import Migration, migrate
from lossary_losses import loss_registry

__all__ = ["Call", "call_in", "gap", "migrated", "plain", "resolve"]

LIBRARIES = {
    **NAMES,
    "mmseg": SimpleNamespace(models=SimpleNamespace(losses=mmseg_formulas.losses)),
    "segmentation_models_pytorch": NAMES["smp"],
}


LAYOUTS = ("t", "t.unsqueeze(1)", "t.unsqueeze(1).double()", "t[:, 0]")
"""Targets as a library wants them laid out, where ours take them as they are."""


class Call(NamedTuple):
    """A call of a loss in an expression: what is constructed, and what that is called with."""

    name: str
    positional: list[ast.expr]
    keywords: dict[str, ast.expr]
    input: ast.expr
    others: list[ast.expr]
    options: dict[str, ast.expr]

    def config(self) -> dict[str, Any]:
        """Write the construction as hydra and MONAI do."""
        about: dict[str, Any] = {"_target_": self.name}
        if self.positional:
            about["_args_"] = [_as_config(each) for each in self.positional]
        return {**about, **{name: _as_config(value) for name, value in self.keywords.items()}}


def call_in(expression: str, names: set[str]) -> Call | None:
    """Find the call of a callable with one of these names."""
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if not isinstance(node, ast.Call):
            continue
        made = node.func if isinstance(node.func, ast.Call) else node
        name = ast.unparse(made.func)
        if name not in names or node.args == []:
            continue
        keywords = {str(each.arg): each.value for each in made.keywords}
        if made is node:  # a function, which takes input and target before its options
            if inspect.isclass(resolve(name)):
                continue
            return Call(name, [], keywords, node.args[0], node.args[1:], {})
        options = {str(each.arg): each.value for each in node.keywords}
        return Call(name, made.args, keywords, node.args[0], node.args[1:], options)
    return None


def resolve(name: str) -> Any:
    """Return what has a dotted name in its library."""
    top, *rest = name.split(".")
    return functools.reduce(getattr, rest, LIBRARIES[top])


def migrated(call: Call, records: Any) -> Migration:
    """Migrate the config of a call."""
    return migrate(call.config(), loss_registry, records)


def gap(call: Call, data: str, config: dict[str, Any]) -> tuple[float, float]:
    """Give how far value and gradient of theirs and of ours are apart, relative to the larger."""
    theirs, theirs_slopes = _value(call, data, None)
    ours, ours_slopes = _value(call, data, config)
    return _distance(ours, theirs), max(map(_distance, ours_slopes, theirs_slopes))


def _value(call: Call, data: str, config: dict[str, Any] | None) -> tuple[torch.Tensor, list[torch.Tensor]]:
    x, t = SAMPLES[data]()
    leaves = [each.requires_grad_() for each in (x if isinstance(x, list) else [x])]
    names = {**LIBRARIES, "x": x, "t": t}
    others = [_evaluated(each, names) for each in call.others]
    options = {name: _evaluated(each, names) for name, each in call.options.items()}
    given = _evaluated(call.input, names)
    if config is None:
        made = resolve(call.name)
        keywords = {name: _evaluated(each, names) for name, each in call.keywords.items()}
        if inspect.isclass(made):
            loss = made(*(_evaluated(each, names) for each in call.positional), **keywords)
        else:
            loss = functools.partial(made, **keywords)
    else:
        loss = build(config)
        options |= {name: ARGUMENTS[name] for each in call.others[1:] for name in [_root(each)]}
        others = [t if ast.unparse(call.others[0]) in LAYOUTS else others[0]]
    value = loss(given, *others, **options)
    return value.detach(), list(torch.autograd.grad(value.sum(), leaves))


def _root(node: ast.expr) -> str:
    return next(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _as_config(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return {"_target_": name, **{str(each.arg): _as_config(each.value) for each in node.keywords}}
    if isinstance(node, ast.Attribute):
        return ast.unparse(node)
    return plain(_evaluated(node, {**NAMES, **ARGUMENTS}))


def plain(value: Any) -> Any:
    """Write tensors as a config does."""
    return value.tolist() if isinstance(value, torch.Tensor) else value


def _evaluated(node: ast.expr, names: dict[str, object]) -> Any:
    return eval(ast.unparse(node), dict(names))  # noqa: S307 - it stands in a record


def _distance(one: torch.Tensor, other: torch.Tensor) -> float:
    if one.numel() != other.numel():
        return 1.0
    one, other = one.double().flatten(), other.double().flatten()
    largest = max(one.abs().max().item(), other.abs().max().item())
    return (one - other).abs().max().item() / largest if largest else 0.0
