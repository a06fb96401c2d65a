"""The venue seam, and what stands behind it."""

ADAPTERS: dict[str, str] = {}
"""Broker adapters by name: where each class lives. Without one nothing trades live."""
DRILLS: dict[str, str] = {}
"""Drills by checklist item (core/drills.py): `failover` and `paper-is-live` come with the adapters."""
