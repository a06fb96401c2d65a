"""All exceptions that aitrade raises on purpose.

AitradeError
├── Refused            a request was understood and not done; the text says why and what to do
│   ├── OrderRefused   risk or venue rules said no
│   ├── DataRefused    a data file was not understood
│   ├── UnknownDate    the rules or the calendar do not reach that date
│   └── VaultLocked    the key that was given does not open the vault, or there is none
├── JournalBroken      the hash chain does not verify
├── VaultDamaged       the vault, or a file sealed by it, does not verify
├── Conflict           another process holds what we need (data folder, port)
├── ImpossibleTransition  an order was told to do what its state does not allow
└── Unreachable        the engine, a broker or a feed does not answer
"""


class AitradeError(Exception):
    """Root of all aitrade exceptions; its text is one sentence for a person."""


class Refused(AitradeError):
    """A request was understood and not done."""


class OrderRefused(Refused):
    """An order was refused before it was sent, or by the venue."""


class DataRefused(Refused):
    """A data file was not understood; the text names the file, the line and the reason."""


class UnknownDate(Refused):
    """A date lies outside what the rules or the calendar know."""


class VaultLocked(Refused):
    """The key that was given does not open the vault, or there is none."""


class JournalBroken(AitradeError):
    """The journal's hash chain does not verify."""


class VaultDamaged(AitradeError):
    """The vault, or a file sealed by it, does not verify."""


class Conflict(AitradeError):
    """Another process holds the data folder or the port."""


class ImpossibleTransition(AitradeError):
    """An order was told to do what its state does not allow."""


class Unreachable(AitradeError):
    """A process or service that is needed does not answer."""
