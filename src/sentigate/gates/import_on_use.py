"""Modules that Great Expectations imports at the top and uses, if at all, in a function."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def import_on_use(name: str) -> None:
    """Let ``import name`` give a module that is imported when something in it is looked up.

    One that is imported already stays. Altair and scipy.stats together are a quarter of the time
    that the import of Great Expectations takes. (importlib.util.LazyLoader does not serve: with it
    a second ``import`` statement loads the module.)
    """
    if name in sys.modules:
        return
    sys.modules[name] = module = _Unloaded(name)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), child, module)


class _Unloaded(ModuleType):
    def __getattr__(self, attribute: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)
