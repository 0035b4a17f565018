"""The command: `faussaire`, `python -m faussaire`."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command with this process's arguments."""
    from . import _faussaire

    return _faussaire.main(["faussaire", *sys.argv[1:]], sys.executable, ["-m", "faussaire"])


if __name__ == "__main__":
    sys.exit(main())
