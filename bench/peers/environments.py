"""The interpreters that run the peers: given ones, or virtual environments made here, outside the source tree."""

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# What pip is asked for; requirements.txt, as constraints, says which versions. One environment each: TensorFlow and
# PyTorch bring libraries of the same names along, and whoever measures one of them needs no gigabytes of the other.
PACKAGES = {"keras": ("keras", "tensorflow-cpu", "numpy"), "torch": ("torch", "numpy")}


def default_folder():
    """Where environments are kept if nobody says otherwise."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("FAUSSAIRE_BENCH_ENV") or Path(cache) / "faussaire" / "bench-peers")


def interpreter(peer, folder):
    """The Python of `peer`'s environment in `folder`, made first if it isn't there complete and of these versions.

    Raises `subprocess.CalledProcessError` where pip fails.
    """
    home = Path(folder).expanduser().resolve() / peer
    python, stamp, wanted = home / "bin" / "python", home / "made-of.txt", REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {home} (hundreds of MB for keras, several GB for torch)", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--constraint", REQUIREMENTS, *PACKAGES[peer]]
        subprocess.run(install, check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return str(python)
