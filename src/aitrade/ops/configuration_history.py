"""The history of the configuration: each change a commit in a git repository in the data folder.

`configuration/history.git` is a bare repository that any git reads (`git -C … log -p`); none has to be installed to
write it. It keeps settings, limits, alert rules, facts over the package's, and strategies' parameters.
"""

import getpass
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from aitrade.compliance.operations import note
from aitrade.core.files import FileLock

if TYPE_CHECKING:
    from dulwich.repo import Repo

PATTERNS = ("*.toml", "facts/*", "strategies/*")
WHAT = "configuration"
_BRANCH = b"refs/heads/main"
_FILE, _FOLDER = 0o100644, 0o040000


class Change(msgspec.Struct, frozen=True):
    """A commit: its id, when (ns UTC), who, and the files that it added, changed or removed."""

    id: str
    at: int
    who: str
    files: tuple[str, ...]


def folder(home: Path) -> Path:
    """Return where the repository lies."""
    return home / "configuration" / "history.git"


def keep(home: Path, *, at: int = 0) -> Change | None:
    """Commit the configuration as it is now and note it; return the change, None where nothing changed."""
    with FileLock(home / "run" / "configuration.lock", wait=True):
        current = {name: (home / name).read_bytes() for name in files(home)}
        with _opened(home) as repository:
            before = _kept(repository)
            changed = tuple(sorted(name for name in before | current if before.get(name) != current.get(name)))
            if not changed:
                return None
            change = _commit(repository, current, changed, at or time.time_ns())
    note(home, WHAT, ", ".join(changed)[:200], "changed", change, at=at)
    return change


def changes(home: Path) -> Iterator[Change]:
    """Yield the changes, newest first; nothing where no history is kept."""
    if not folder(home).exists():
        return
    with _opened(home) as repository:
        for entry in repository.get_walker() if _BRANCH in repository.refs else ():
            commit = entry.commit
            names = tuple(commit.message.decode().splitlines()[2:])
            yield Change(commit.id.decode(), commit.commit_time * 10**9, commit.author.decode(), names)


def files(home: Path) -> list[str]:
    """Return the configuration's files, relative to the data folder."""
    found = {path for pattern in PATTERNS for path in home.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(home).as_posix() for path in found)


def unkept(home: Path) -> list[str]:
    """Return the configuration's files that are not as the newest commit has them."""
    current = {name: (home / name).read_bytes() for name in files(home)}
    if not folder(home).exists():
        return sorted(current)
    with _opened(home) as repository:
        before = _kept(repository)
    return sorted(name for name in before | current if before.get(name) != current.get(name))


def at_change(home: Path, id_: str) -> dict[str, bytes]:
    """Return the configuration's files as a commit has them; raise KeyError for one that there is not."""
    with _opened(home) as repository:
        return dict(_files_of(repository, repository[id_.encode()].tree))


def _opened(home: Path) -> "Repo":
    from dulwich.repo import Repo

    where = folder(home)
    if (where / "HEAD").exists():
        return Repo(str(where))
    where.mkdir(parents=True, exist_ok=True)
    repository: Repo = Repo.init_bare(str(where))
    repository.refs.set_symbolic_ref(b"HEAD", _BRANCH)
    return repository


def _kept(repository: "Repo") -> dict[str, bytes]:
    if _BRANCH not in repository.refs:
        return {}
    return dict(_files_of(repository, repository[repository.refs[_BRANCH]].tree))


def _files_of(repository: Any, tree: bytes, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for name, mode, id_ in repository[tree].items():
        path = prefix + name.decode()
        if mode == _FOLDER:
            yield from _files_of(repository, id_, path + "/")
        else:
            yield path, repository[id_].data


def _commit(repository: Any, current: dict[str, bytes], changed: tuple[str, ...], at: int) -> Change:
    from dulwich.objects import Commit

    who = getpass.getuser()
    commit = Commit()
    commit.tree = _tree(repository, current)
    commit.parents = [repository.refs[_BRANCH]] if _BRANCH in repository.refs else []
    commit.author = commit.committer = f"{who} <{who}@localhost>".encode()
    commit.author_time = commit.commit_time = at // 10**9
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = f"Configuration changed\n\n{chr(10).join(changed)}\n".encode()
    repository.object_store.add_object(commit)
    repository.refs[_BRANCH] = commit.id
    return Change(commit.id.decode(), at, who, changed)


def _tree(repository: Any, current: dict[str, bytes]) -> bytes:
    from dulwich.objects import Blob, Tree

    tree, below = Tree(), dict[str, dict[str, bytes]]()
    for name, data in current.items():
        first, _, rest = name.partition("/")
        if rest:
            below.setdefault(first, {})[rest] = data
        else:
            blob = Blob.from_string(data)
            repository.object_store.add_object(blob)
            tree.add(name.encode(), _FILE, blob.id)
    for name, inner in below.items():
        tree.add(name.encode(), _FOLDER, _tree(repository, inner))
    repository.object_store.add_object(tree)
    id_: bytes = tree.id
    return id_
