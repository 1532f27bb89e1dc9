"""The small disk: a file system in a file, which can be filled to the last byte and be made to hang.

Needs Linux, root and loop devices; where they are not there, `small_disk` says so and whoever wants it goes without.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE_BYTES = 402_653_184
TOOLS = ("mkfs.ext4", "mount", "umount", "fsfreeze")
FILLER = "filler"


class DiskError(Exception):
    """There can be no such disk here; the message says why."""


class Disk:
    """A mounted file system of some hundred megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_frozen = False

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / FILLER).open("wb", buffering=0) as file:
            for size in (1 << 20, 4_096, 1):
                with suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def clear(self) -> None:
        """Give the room back."""
        (self.folder / FILLER).unlink(missing_ok=True)

    def freeze(self) -> None:
        """Let every write wait."""
        if not self._is_frozen:
            _run("fsfreeze", "--freeze", self.folder)
            self._is_frozen = True

    def thaw(self) -> None:
        """Let them go on."""
        if self._is_frozen:
            _run("fsfreeze", "--unfreeze", self.folder)
            self._is_frozen = False


@contextmanager
def small_disk(home: Path) -> Iterator[Disk]:
    """A disk below `home`, gone at the end.

    Raises:
        DiskError: this machine or this user cannot have one.

    """
    if os.geteuid() != 0:
        raise DiskError("only root may mount one")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise DiskError(f"not installed: {', '.join(missing)}")
    image, folder = home / "disk.img", home / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    _run("mkfs.ext4", "-q", "-m", "0", image)
    _run("mount", "-o", "loop", image, folder)
    disk = Disk(folder)
    try:
        yield disk
    finally:
        disk.thaw()
        _run("umount", "--lazy", folder)


def _run(*words: str | Path) -> None:
    done = subprocess.run(list(map(os.fspath, words)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DiskError(f"{words[0]}: {done.stderr.strip()}")
