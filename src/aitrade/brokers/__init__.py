"""The venue seam, and what stands behind it."""
