"""One folder of temporary files for each process, locked while the process runs.

A killed process cannot remove its folder; the next process of the same user that needs one does.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from threading import Lock

_PREFIX = "geofence-files-"
_lock = Lock()
_mine: list[Path] = []


def scratch() -> Path:
    """A folder of this process alone, removed when it ends. Raises OSError."""
    with _lock:
        if not _mine or not _mine[-1].is_dir():
            _mine.append(_made(Path(tempfile.gettempdir())))
        return _mine[-1]


def _made(root: Path) -> Path:
    for left in root.glob(f"{_PREFIX}*"):
        _remove_unless_locked(left)
    fresh = Path(tempfile.mkdtemp(prefix="geofence-new-", dir=root))
    fcntl.flock(os.open(fresh, os.O_RDONLY), fcntl.LOCK_EX)  # the system holds it to the end
    # only under this name do other processes look at it
    named = fresh.rename(fresh.with_name(fresh.name.replace("geofence-new-", _PREFIX)))
    atexit.register(shutil.rmtree, named, ignore_errors=True)
    return named


def _remove_unless_locked(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return  # gone meanwhile, another user's, or no folder
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return  # its process lives
    finally:
        os.close(handle)
