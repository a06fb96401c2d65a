"""What holds for every test: a slow machine fails none of them, and none writes into this user's keyring."""

import os

from hypothesis import settings

settings.register_profile("aitrade", deadline=None)
settings.load_profile("aitrade")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
