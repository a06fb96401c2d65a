"""Devices and model sessions."""
