"""Threads, forks, signals, memory: what a library does to the process that it is in."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faussaire as fa
import numpy as np
import pytest
from conftest import DISCRIMINATOR, discriminator, gan, generator

LINUX = sys.platform.startswith("linux")


def test_threads_share_a_model_and_a_sampler(images: np.ndarray) -> None:
    model = gan()
    model.fit(images, steps=1, verbose=0)
    sampler, d = model.sampler(), discriminator()
    d.compile(1e-3)
    z = sampler.noise(16, seed=1)
    expected = sampler.decode(z)

    def work(turn: int) -> bool:
        d.train_on_batch(expected, np.ones(16))
        return np.array_equal(sampler.decode(z), expected) and d.predict(expected).shape == (16, 1)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))
    assert d._native.updates == 40


def test_other_threads_run_while_it_computes(images: np.ndarray) -> None:
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.wait(0.002):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    wide = fa.Sequential(["conv 64 5x5", "relu", "conv 64 5x5"], (32, 32, 3))
    before = ticks
    wide.predict(np.ones((64, 32, 32, 3)))
    seen = ticks - before
    over.set()
    thread.join()
    assert seen > 3


def _child(images: np.ndarray) -> float:
    model = gan()
    model.fit(images, steps=2, verbose=0)
    return float(model.predict(np.ones((1, 4))).sum())


@pytest.mark.skipif(not LINUX, reason="forks are Linux's")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_a_child_computes_what_its_parent_does(images: np.ndarray, how: str) -> None:
    expected = _child(images)
    with multiprocessing.get_context(how).Pool(2) as pool:
        assert pool.map_async(_child, [images] * 2).get(timeout=60) == [expected] * 2
    assert _child(images) == expected


def _interrupted(code: str, signals: int) -> subprocess.CompletedProcess[str]:
    """Runs `code`, and sends it SIGINT `signals` times once it has printed a line."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        for _ in range(signals):
            time.sleep(0.3)
            os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess([], process.returncode, out, err)


TRAINING = """
    import sys, time
    import numpy as np
    import faussaire as fa

    g = fa.Sequential(["dense 8*8*1", "reshape 8 8 1", "sigmoid"], 4)
    d = fa.Sequential(["flatten", "dense 1"], (8, 8, 1))
    gan = fa.DCGAN(d, g)
    images = (np.arange(64 * 64).reshape(64, 8, 8) % 251).astype("uint8")

    def first(batch, logs):
        if batch == 0 and logs["step"] == 1:
            print("training", flush=True)
        {more}

    first = fa.callbacks.LambdaCallback(on_train_batch_end=first)
    began = time.monotonic()
    history = gan.fit(images, epochs=10**9, batch_size=8, callbacks=[first], verbose=0)
    print(history.ending, gan.step > 1, time.monotonic() - began < 5)
    gan.fit(images, steps=3, verbose=0)
    print(gan.history.ending, gan.predict(2).shape)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_an_interrupted_training_leaves_a_usable_model() -> None:
    done = _interrupted(TRAINING.format(more="pass"), 1)
    assert done.stdout == "interrupted True True\ncomplete (2, 8, 8, 1)\n", done
    assert "Ctrl-C again" in done.stderr and done.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_a_second_one_is_raised() -> None:
    done = _interrupted(TRAINING.format(more="time.sleep(3)"), 2)
    assert "KeyboardInterrupt" in done.stderr and done.returncode != 0, done


def test_memory_stays_where_it_is(images: np.ndarray) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("the size of a process is read from /proc")

    def size() -> int:
        gc.collect()
        fa.release_memory()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def round_trip() -> None:
        model = gan()
        model.fit(images, steps=3, verbose=0)
        model.predict(64)

    for _ in range(5):
        round_trip()
    before = size()
    for _ in range(50):
        round_trip()
    assert size() - before < 5 << 20


def test_the_number_of_threads_changes_no_bit(images: np.ndarray) -> None:
    from faussaire import _faussaire

    try:
        expected = _child(images)
        fa.set_threads(1)
        assert _faussaire.threads() == 1 and _child(images) == expected
        fa.set_threads(3)
        assert _faussaire.threads() == 3 and _child(images) == expected
        with pytest.raises(fa.UsageError, match="0 threads"):
            fa.set_threads(0)
    finally:
        fa.set_threads(None)


def test_a_wrong_variable_is_told() -> None:
    code = "import faussaire as fa; fa.Sequential(['dense 1'], 1).summary()"
    env = os.environ | {"FAUSSAIRE_THREADS": "many"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert 'FAUSSAIRE_THREADS is "many"' in done.stderr


def test_import_is_quick_and_starts_no_thread() -> None:
    code = """
        import time, threading, numpy
        began = time.process_time()
        import faussaire
        print(time.process_time() - began, threading.active_count())
        import sys
        print([name for name in ("torch", "keras", "IPython", "matplotlib", "pandas") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    took, rest = done.stdout.split(" ", 1)
    assert float(took) < 0.3 and rest == "1\n[]\n"


def test_models_made_in_a_parent_work_in_its_child() -> None:
    if not LINUX:
        pytest.skip("forks are Linux's")
    model = fa.Sequential(DISCRIMINATOR, (8, 8, 1), name="critic")
    x = np.ones((4, 8, 8, 1))
    expected = model.predict(x)
    generator().predict(np.ones((4, 4)))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        same = np.array_equal(model.predict(x), expected)
        os.write(writer, b"same" if same else b"other")
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"same"
    assert os.waitpid(child, 0)[1] == 0
