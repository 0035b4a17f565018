"""Folders that live as long as an object."""

from __future__ import annotations

import shutil
import tempfile
import weakref


def scratch(owner: object) -> str:
    """A new folder, which is removed with `owner`."""
    folder = tempfile.mkdtemp(prefix="faussaire-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder
