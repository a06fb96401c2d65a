"""aitrade: a research-to-production platform for trading the Indian markets."""

__version__ = "0.1.0"
