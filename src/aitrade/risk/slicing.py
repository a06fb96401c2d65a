"""A quantity over the freeze limit goes as several orders, each of whole lots and at most the freeze quantity."""


def slice_quantity(quantity: int, freeze: int, lot: int) -> list[int]:
    """Return the quantities of the orders that `quantity` units take, largest first; `freeze` 0 means no limit.

    The largest legal slice is floor(freeze / lot) * lot: NIFTY's freeze of 1,800 and lot of 65 give 1,755.
    """
    largest = freeze // lot * lot
    if not freeze or quantity <= freeze or not largest:
        return [quantity]
    whole, rest = divmod(quantity, largest)
    return [largest] * whole + ([rest] if rest else [])
