"""The strategies that ship."""

from aitrade.core.strategy import Kernel
from aitrade.strategies.moving_average import MOVING_AVERAGE
from aitrade.strategies.opening_range import OPENING_RANGE

KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (OPENING_RANGE, MOVING_AVERAGE)}
"""Kernel strategies by name."""

__all__ = ["KERNELS", "MOVING_AVERAGE", "OPENING_RANGE"]
