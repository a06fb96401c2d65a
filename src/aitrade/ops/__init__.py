"""Supervision of the processes that make a running system."""
