"""What holds for every test: a slow machine fails none of them."""

from hypothesis import settings

settings.register_profile("aitrade", deadline=None)
settings.load_profile("aitrade")
