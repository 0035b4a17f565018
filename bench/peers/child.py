"""One program run to its end, and what it took: time, peak memory, and the cores that others took meanwhile."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

from machine import busy_seconds


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    status: int  # its exit status; a signal's number, negative, where one ended it
    out: str
    err: str
    seconds: float
    memory_mb: float  # the most that it, or a program that it started, had resident at a time
    others: float  # cores, on average, that worked for anybody else on the cores it might use


def stop(process):
    """Asks it to end, as Ctrl-C would, and doesn't ask a second time."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def run(command, environment=None, limit_s=None, shown=False):
    """Runs `command` to its end, or until `limit_s` seconds are over; then it and what it started are killed. What it
    says on stderr is kept, or `shown` as it comes."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        busy, began = busy_seconds(), time.perf_counter()
        streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": None if shown else err}
        process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)
        alarm = threading.Timer(limit_s or threading.TIMEOUT_MAX, os.killpg, [process.pid, signal.SIGKILL])
        alarm.daemon = True
        alarm.start()
        try:
            # Not process.wait(): this gives the memory too. A child counts its parent's size at its start as its own,
            # which is one more reason for this program to stay small.
            _, status, used = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            stop(process)
            raise
        finally:
            alarm.cancel()
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        others = (busy_seconds() - busy - used.ru_utime - used.ru_stime) / seconds
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
        return Outcome(process.returncode, *texts, seconds, used.ru_maxrss * 1024 / 1e6, round(max(others, 0.0), 2))
