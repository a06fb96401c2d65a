"""Scores and patterns that suggest trades."""
