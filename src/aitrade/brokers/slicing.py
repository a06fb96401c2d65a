"""Orders above the freeze quantity go to the exchange in slices."""

from aitrade.core.errors import OrderRefused


def slice_quantity(quantity: int, freeze: int, lot: int) -> list[int]:
    """Return `quantity` units as slices that the exchange takes, largest first; they sum to `quantity`.

    The largest legal slice is floor(freeze / lot) * lot; a `freeze` of 0 means that no limit is known. Raises
    OrderRefused when `quantity` is not a positive multiple of `lot`, or when not even one lot is legal.
    """
    if quantity <= 0 or quantity % lot:
        raise OrderRefused(f"Quantity {quantity} is not a positive multiple of the lot of {lot}; correct it first.")
    largest = freeze // lot * lot if freeze else quantity
    if not largest:
        raise OrderRefused(f"The freeze quantity {freeze} is below one lot of {lot}; check the contract master.")
    whole, rest = divmod(quantity, largest)
    return [largest] * whole + [rest] * bool(rest)
