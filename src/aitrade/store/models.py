"""The model registry: `models/<name>/<version>/`, each version a file, its hash and its metrics; one may be active.

Version 0 is what the package brings. A new version is a candidate; making one active is a person's act, and which are
active stands in `models/active.json`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from aitrade.core.errors import DataRefused, Refused
from aitrade.core.files import FileLock, write_private

PACKAGED = 0
ACTIVE = Path("models") / "active.json"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One version: `sha256` of its file, `made` in ns UTC, what it was made from, and how good it was."""

    name: str
    version: int
    file: str
    sha256: str
    made: int
    source: str
    metrics: dict[str, float]


class Models:
    """The registry of one data folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "models"
        self._active = home / ACTIVE

    def all(self, name: str = "") -> list[Model]:
        """Return the versions of a model, or of all, oldest first; raise DataRefused for a damaged entry."""
        found = [_entry(path) for path in self.folder.glob(f"{name or '*'}/*/model.json")]
        return sorted(found, key=lambda one: (one.name, one.version))

    def add(self, name: str, data: bytes, file: str, *, made: int, source: str, metrics: Mapping[str, float]) -> Model:
        """Keep a candidate; the same bytes as the newest version make no new one. Return the entry."""
        if not _NAME.fullmatch(name):
            raise Refused(f"A model is named in small letters, digits and dashes, not {name!r}.")
        with FileLock(self.folder / ".lock", wait=True):
            versions = self.all(name)
            digest = hashlib.sha256(data).hexdigest()
            if versions and versions[-1].sha256 == digest:
                return versions[-1]
            version = versions[-1].version + 1 if versions else PACKAGED + 1
            model = Model(
                name=name, version=version, file=file, sha256=digest, made=made, source=source, metrics=dict(metrics)
            )
            write_private(self.path(model), data)
            write_private(self.path(model).with_name("model.json"), msgspec.json.encode(model))
            return model

    def remove(self, model: Model) -> None:
        """Forget a candidate that was only half made; raise Refused for the active one."""
        if self.active(model.name) == model:
            raise Refused(f"{model.name} {model.version} is active; activate another version first.")
        entry = self.path(model).with_name("model.json")
        for path in (entry, self.path(model)):
            path.unlink(missing_ok=True)
        entry.parent.rmdir()

    def activate(self, name: str, version: int) -> Model | None:
        """Make a version the active one, 0 the package's own; return it (None for 0).

        Raises Refused for one that there is not, DataRefused when its file does not have its hash any more.
        """
        with FileLock(self.folder / ".lock", wait=True):
            model = None if version == PACKAGED else self.find(name, version)
            if model:
                self.read(model)
            rest = {key: value for key, value in self._versions().items() if key != name}
            write_private(self._active, msgspec.json.encode(rest | ({name: version} if model else {}), order="sorted"))
        return model

    def active(self, name: str) -> Model | None:
        """Return the active version, None where it is the package's own; raise DataRefused for a damaged registry."""
        version = self._versions().get(name, PACKAGED)
        return self.find(name, version) if version else None

    def find(self, name: str, version: int) -> Model:
        """Return a version; raise Refused naming those that there are."""
        versions = self.all(name)
        found = next((one for one in versions if one.version == version), None)
        if found is None:
            known = ", ".join(str(one.version) for one in versions) or "none but 0, the package's own"
            raise Refused(f"There is no version {version} of model {name or '?'}; there are: {known}.")
        return found

    def read(self, model: Model) -> bytes:
        """Return a version's file; raise DataRefused when it is not what it was."""
        try:
            data = self.path(model).read_bytes()
        except OSError as error:
            raise DataRefused(f"Model {model.name} {model.version} cannot be read: {error}.") from None
        if hashlib.sha256(data).hexdigest() != model.sha256:
            raise DataRefused(f"Model {model.name} {model.version} has changed since it was made; restore a backup.")
        return data

    def path(self, model: Model) -> Path:
        """Return where a version's file lies."""
        return self.folder / model.name / str(model.version) / model.file

    def fingerprint(self) -> str:
        """Return SHA-256 over what is active: an activation changes it."""
        parts = [f"{model.name} {model.version} {model.sha256}" for model in self._all_active()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _all_active(self) -> Iterator[Model]:
        for name in sorted(self._versions()):
            model = self.active(name)
            if model:
                yield model

    def _versions(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._active.read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            raise DataRefused(f"{self._active} is not understood ({error}); restore a backup, or remove it.") from None


def _entry(path: Path) -> Model:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Model)
    except msgspec.DecodeError as error:
        raise DataRefused(f"{path} is not understood ({error}); restore a backup, or remove its folder.") from None
