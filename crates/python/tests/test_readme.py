"""The programs of the package's README run."""

from __future__ import annotations

import re
from pathlib import Path

SHORTER = {
    'load_data("mnist")': 'load_data("strokes", count=128)',
    "range(1000)": "range(2)",
    "epochs=10": "epochs=1, verbose=0",
}


def test_the_programs_run() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(programs) == 2
    whole = "\n".join(programs)
    for long, short in SHORTER.items():
        assert long in whole
        whole = whole.replace(long, short)
    names: dict[str, object] = {}
    exec(compile(whole, "README.md", "exec"), names)
    assert names["gan"].step == 2 and names["images"].shape == (10, 28, 28, 1)  # type: ignore[attr-defined]
