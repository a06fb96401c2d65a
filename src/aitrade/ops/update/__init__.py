"""A newer version, with a way back: not in market hours, backup first, migrate, preflight, and back when one fails."""

from aitrade.ops.update.applying import Updated, apply, checked, take_back
from aitrade.ops.update.installation import Checkout, Installation, Wheel, installed

__all__ = ["Checkout", "Installation", "Updated", "Wheel", "apply", "checked", "installed", "take_back"]
