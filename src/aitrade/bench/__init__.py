"""Benches: each prints the figures that the product promises."""
