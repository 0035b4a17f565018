"""The course's notebooks: they are what their sources make, their solutions run from the first cell to the last, and every
gap is told as one. Small parameters take the place of the notebooks' own: drawn digits, one pass over few images."""

import importlib.util
import json
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("ipykernel")
pytest.importorskip("faussaire")

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
NAMES = sorted(path.stem for path in (NOTEBOOKS / "source").glob("[!_]*.py"))
SMALL = {"source": "strokes", "images": 512, "epochs": 1}
# Where the same code has run with more, or images are large.
SMALLER = {"source": "strokes", "images": 128, "epochs": 1}
TO_DO = {"en": "TO DO", "fr": "À COMPLÉTER"}


def ending(language):
    return "" if language == "en" else f".{language}"


def small(name, notebook, parameters):
    """The notebook with `parameters` behind its own."""
    cells = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    assert len(cells) == 1, "one cell has the tag `parameters`"
    before = cells[0]["source"]
    for key, value in parameters.items():
        assert f"\n{key} = " in f"\n{before}", f"{key} is no parameter of {name}"
        cells[0]["source"] += f"\n{key} = {value!r}"
    return notebook


def read(name, version, language):
    path = NOTEBOOKS / f"{name}{version}{ending(language)}.ipynb"
    return nbformat.read(path, as_version=4)


def test_notebooks_are_what_their_sources_make():
    spec = importlib.util.spec_from_file_location("make", NOTEBOOKS / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    made = dict(make.wanted())
    assert sorted(made) == sorted(NOTEBOOKS.glob("*.ipynb"))
    assert len(made) == 4 * len(NAMES)
    for path, text in made.items():
        assert path.read_text(encoding="utf8") == text, f"{path.name}: run {NOTEBOOKS / 'make.py'}"
        nbformat.validate(json.loads(text))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", NAMES)
def test_a_solution_runs_from_the_first_cell_to_the_last(name, language, tmp_path):
    parameters = SMALL if language == "en" and name != "faces" else SMALLER
    notebook = small(name, read(name, ".solution", language), parameters)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    printed = "".join(output.get("text", "") for cell in code for output in cell["outputs"])
    checks = [cell for cell in code if "check" in cell["metadata"].get("tags", [])]
    assert printed.count("✓") >= len(checks)
    pictures = [output for cell in code for output in cell["outputs"] if "image/png" in output.get("data", {})]
    assert len(pictures) >= 3


class Handle:
    """What `display` gives in a notebook."""

    def update(self, *_):
        pass


@pytest.mark.parametrize("name", NAMES)
def test_every_gap_is_told_and_filled_by_the_solution(name, tmp_path, monkeypatch):
    """In the French version, cell by cell: a gap left as it is stops at its check; the solution passes it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    matplotlib.use("agg")
    versions = [small(name, read(name, version, "fr"), SMALLER) for version in ("", ".solution")]
    codes = [[cell["source"] for cell in version["cells"] if cell["cell_type"] == "code"] for version in versions]
    assert len(codes[0]) == len(codes[1])
    space, told = {"__name__": "notebook"}, 0

    def run(code):
        exec(compile(code, name, "exec"), space)

    for number, (gap, filled) in enumerate(zip(*codes)):
        if gap == filled:
            run(filled)
            continue
        assert TO_DO["fr"] in gap, f"cell {number} differs and doesn't say so"
        assert TO_DO["fr"] not in filled
        check = codes[0][number + 1]
        with pytest.raises(space["NotYet"]) as said:
            run(gap)
            run(check)
        assert TO_DO["fr"] in str(said.value) or "compile" in str(said.value), said.value
        told += 1
        run(filled)
    assert told >= 4
