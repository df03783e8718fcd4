"""Package doors that import a module only when one of its names is used (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


def lazy_door(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of ``package``, whose public ``names`` live in the inner modules that they map to.

    ``dir`` of the package then lists its public names.
    """
    door = vars(sys.modules[package])

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{names[name]}"), name)

    door["__dir__"] = lambda: sorted({*names, *door.get("__all__", ())})
    return __getattr__


class _CallableDoor(ModuleType):
    """A package that can be called: it does what its function of the given name does."""

    _called: str

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(self, self._called)(*arguments, **options)


def callable_door(package: str, function: str) -> None:
    """Make ``package`` callable, so that ``mlpress.verify`` is both the package and what a user calls."""
    module = sys.modules[package]
    module.__class__ = _CallableDoor
    module.__dict__["_called"] = function
