#!/usr/bin/env python3
"""Does the studio stay well under load and attack?

usage: scripts/soak.py FAUSSAIRE [--seconds 900] [--smoke]

Trains two small runs, starts `faussaire studio` on 127.0.0.1 in front of them, and sends it ordinary requests and attacks
for as long as asked: half-open heads, slow bodies, floods of event streams, many steps of one lesson, lessons that ask for
too much, deep keys, pipes in the place of a run's files, clients that leave or do not read. Meanwhile, GET /api/runs is
timed from a process of its own.

Prints the memory, threads and descriptors of the server and the 99th percentile of GET /api/runs. Exits with 1 if memory
reaches 512 MB, the percentile 200 ms, threads or descriptors grow, or the server ends. `--smoke` checks the same without
the percentile, which says nothing on a machine that others use.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HOST = "127.0.0.1"
MOST_MEMORY_MB = 512
MOST_MS = 200
# Descriptors and threads that may be more at the end than after the warm-up.
SLACK = 24
# Time for connections to end before what is left is counted: longer than any of the server's own limits.
CALM_S = 15


class Client:
    """Requests with the token, each over a connection of its own."""

    def __init__(self, port, token):
        self.port, self.token = port, token

    def ask(self, method, path, body=None, headers=None, timeout=30):
        """The status and body of an answer; None where the connection was closed."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        head = {"authorization": f"Bearer {self.token}"} if headers is None else dict(headers)
        text = None
        if body is not None:
            text = body if isinstance(body, (str, bytes)) else json.dumps(body)
            head["content-type"] = "application/json"
        try:
            connection.request(method, path, text, head)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None, b""
        finally:
            connection.close()

    def raw(self, data):
        """A connection over which only `data` was sent."""
        try:
            stream = socket.create_connection((HOST, self.port), timeout=10)
            stream.sendall(data)
            return stream
        except OSError:
            return None

    def head(self, method, path, more=""):
        """The head of a request."""
        return (
            f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self.token}\r\n{more}\r\n".encode()
        )


def load(client, runs, stop):
    """What visitors do."""
    lesson = None
    while not stop.is_set():
        run, seed = random.choice(runs), random.randrange(1000)
        match random.randrange(9):
            case 0:
                client.ask("GET", f"/api/runs/{run}")
            case 1:
                client.ask("GET", f"/api/runs/{run}/history")
            case 2 | 3:
                client.ask("POST", f"/api/runs/{run}/images", {"seed": seed, "n": 16, "format": "values"})
            case 4:
                client.ask("GET", f"/api/runs/{run}/noise?seed={seed}&n=8")
            case 5:
                client.ask("GET", "/")
            case 6:
                client.ask("POST", "/api/recipe", {"preset": "quick", "set": {"train.batch": 8 + seed % 56}})
            case 7:
                status, body = client.ask("GET", f"/api/runs/{run}/export?to=safetensors")
                client.ask("GET", f"/api/runs/{run}/report")
            case 8:
                if lesson is None:
                    status, body = client.ask("POST", "/api/learn", {"data": "ring", "seed": seed})
                    lesson = json.loads(body)["lesson"] if status == 200 else None
                else:
                    path = f"/api/learn/{lesson}/step"
                    status, _ = client.ask("POST", path, {"half": "both", "count": 5})
                    lesson = lesson if status in (200, 429) else None
        time.sleep(0.02)


def hold(client, stop, count, data, seconds):
    """Keeps `count` connections open over which `data` was sent, and opens them anew after some seconds."""
    while not stop.is_set():
        held = [stream for stream in (client.raw(data) for _ in range(count)) if stream]
        stop.wait(seconds)
        for stream in held:
            stream.close()


def one_lesson(client, stop):
    """Many requests at once for the same lesson."""
    while not stop.is_set():
        status, body = client.ask("POST", "/api/learn", {"data": "ring", "set": {"train.batch": 512}})
        if status != 200:
            stop.wait(1)
            continue
        path = f"/api/learn/{json.loads(body)['lesson']}/step"
        step = lambda path=path: client.ask("POST", path, {"half": "both", "count": 500})
        threads = [threading.Thread(target=step) for _ in range(80)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def nonsense(client, runs, stop):
    """Requests that ask for too much, or for what is not theirs."""
    large = lambda middle: {
        "discriminator.layers": ["reshape 1 1 2", *middle, "globalpool", "dense 1"],
        "train.batch": 1,
        "train.penalties": "{}",
    }
    deep = "train" + ".a" * 20_000
    while not stop.is_set():
        run = random.choice(runs)
        match random.randrange(9):
            case 0:
                for path, name in [("/api/learn", "data"), ("/api/recipe", "preset"), ("/api/runs", "preset")]:
                    client.ask("POST", path, {name: "ring", "set": {deep: 1}})
            case 1:
                client.ask(
                    "POST", "/api/learn", {"data": "ring", "set": large(["upsample 16", "upsample 16", "upsample 4"])}
                )
            case 2:
                client.ask("POST", "/api/learn", {"data": "ring", "set": large(["upsample 16", *["conv 1 99x99"] * 3])})
            case 3:
                client.ask("POST", "/api/recipe", "[" * 100_000)
            case 4:
                for path in [
                    "/..%2f..%2fetc%2fpasswd",
                    "/api/runs/%2e%2e/history",
                    f"/api/runs/{run}/sheets/..%2fconfig.toml",
                ]:
                    client.ask("GET", path)
            case 5:
                for headers in [{}, {"authorization": "Bearer "}, {"cookie": "a=b"}, {"origin": "http://evil.example"}]:
                    client.ask("GET", "/api/runs", headers=headers)
            case 6:
                for rest in ["", "/history", "/report", "/noise", "/export?to=safetensors"]:
                    client.ask("GET", f"/api/runs/pipe{rest}")
            case 7:
                # Leaves before the answer, or never reads it.
                body = json.dumps({"n": 512, "format": "values"}).encode()
                head = client.head(
                    "POST",
                    f"/api/runs/{run}/images",
                    f"content-type: application/json\r\ncontent-length: {len(body)}\r\n",
                )
                streams = [client.raw(head + body) for _ in range(8)]
                stop.wait(random.choice([0, 0.2, 2]))
                for stream in filter(None, streams):
                    stream.close()
            case 8:
                body = {"pixels": "A" * 1048, "steps": 2000}
                client.ask("POST", f"/api/runs/{run}/invert", body, timeout=1)
        time.sleep(0.01)


def attack(port, token, runs, stop):
    """All attacks, a thread each."""
    client = Client(port, token)
    half = b"GET /api/runs HTTP/1.1\r\nhost: loc"
    body = client.head("POST", "/api/learn", "content-type: application/json\r\ncontent-length: 9\r\n") + b"{"
    work = [
        lambda: hold(client, stop, 300, half, 4),
        lambda: hold(client, stop, 40, body, 6),
        lambda: hold(client, stop, 300, client.head("GET", "/api/events"), 7),
        lambda: one_lesson(client, stop),
        lambda: nonsense(client, runs, stop),
        lambda: nonsense(client, runs, stop),
    ]
    run_all(work)


def visit(port, token, runs, stop):
    """Ordinary visitors, a thread each."""
    client = Client(port, token)
    run_all([lambda: load(client, runs, stop)] * 4)


def run_all(work):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = [threading.Thread(target=task) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def probe(port, token, stop, times):
    """Times GET /api/runs; a request that fails counts as endless."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    client, all_times = Client(port, token), []
    while not stop.is_set():
        began = time.monotonic()
        status, _ = client.ask("GET", "/api/runs")
        all_times.append((time.monotonic() - began) * 1000 if status == 200 else float("inf"))
        stop.wait(0.05)
    times.put(all_times)


def vitals(pid):
    """Memory in MB, threads and descriptors of a process; None if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        number = lambda name: int(re.search(rf"{name}:\s+(\d+)", status).group(1))
        return number("VmRSS") / 1024, number("Threads"), len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, AttributeError):
        return None


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


def train(program, folder):
    """Two small runs, and a third whose log is a pipe; the names of the first two."""
    for name, data, preset in [("digits", "strokes", "quick"), ("points", "ring", "ring")]:
        arguments = ["train", data, "--preset", preset, "--steps", "20", "--run", str(folder / name), "--quiet"]
        subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)
    pipe = folder / "pipe"
    pipe.mkdir()
    (pipe / "config.toml").write_bytes((folder / "digits" / "config.toml").read_bytes())
    os.mkfifo(pipe / "events.jsonl")
    return ["digits", "points"]


def start(program, folder, token):
    """The server and its port."""
    server = subprocess.Popen(
        [program, "studio", str(folder), "--host", HOST, "--port", "0"],
        env={**os.environ, "FAUSSAIRE_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    found = re.search(rf"http://{re.escape(HOST)}:(\d+)/", server.stdout.readline())
    if found is None:
        server.kill()
        sys.exit("the studio printed no address of this machine alone")
    return server, int(found.group(1))


def watch(server, seconds, every):
    """The vitals while `seconds` pass; None among them if the server has ended."""
    seen, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        seen.append(vitals(server.pid) if server.poll() is None else None)
        if seen[-1] is None:
            break
        if len(seen) % every == 1:
            print("{:6.0f} MB, {:3d} threads, {:4d} descriptors".format(*seen[-1]), flush=True)
        time.sleep(1)
    return seen


def soak(program, seconds, smoke):
    with tempfile.TemporaryDirectory(prefix="faussaire-soak-") as scratch:
        folder, token = Path(scratch), secrets.token_hex(16)
        runs = train(program, folder)
        server, port = start(program, folder, token)
        stop, times = multiprocessing.Event(), multiprocessing.Queue()
        others = [
            multiprocessing.Process(target=visit, args=(port, token, runs, stop)),
            multiprocessing.Process(target=attack, args=(port, token, runs, stop)),
            multiprocessing.Process(target=probe, args=(port, token, stop, times)),
        ]
        try:
            warm = vitals(server.pid)
            for other in others:
                other.start()
            seen = watch(server, seconds, max(1, seconds // 20))
            stop.set()
            all_times = times.get(timeout=120)
            for other in others:
                other.join(60)
            time.sleep(CALM_S)
            calm = vitals(server.pid) if server.poll() is None else None
        finally:
            stop.set()
            for other in others:
                other.kill()
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
    return report(warm, seen, calm, all_times, smoke)


def report(warm, seen, calm, times, smoke):
    """Prints what was seen; the exit status."""
    if calm is None or None in seen:
        print("the server has ended")
        return 1
    memory = max(one[0] for one in seen)
    middle, late = seen[len(seen) // 3 : 2 * len(seen) // 3] or seen, seen[2 * len(seen) // 3 :]
    threads = [max(one[1] for one in part) for part in (middle, late)]
    p99 = percentile(times, 0.99)
    print(f"memory: at most {memory:.0f} MB; {calm[0]:.0f} MB at the end")
    print(f"threads: {threads[0]} in the middle third, {threads[1]} in the last, {calm[1]} at the end")
    print(f"descriptors: {warm[2]} before, at most {max(one[2] for one in seen)}, {calm[2]} at the end")
    print(f"GET /api/runs: median {percentile(times, 0.5):.0f} ms, 99th of 100 {p99:.0f} ms, of {len(times)} requests")
    failed = [
        what
        for what, is_bad in [
            (f"memory reached {MOST_MEMORY_MB} MB", memory >= MOST_MEMORY_MB),
            ("threads grow", threads[1] > threads[0] + SLACK),
            ("descriptors are left open", calm[2] > warm[2] + SLACK),
            (f"GET /api/runs took {MOST_MS} ms or longer", p99 >= MOST_MS and not smoke),
        ]
        if is_bad
    ]
    print("; ".join(failed) or "all is well")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faussaire", help="the program")
    parser.add_argument("--seconds", type=int, default=None, help="default: 900; with --smoke, 20")
    parser.add_argument("--smoke", action="store_true", help="20 s, without the limit on times")
    given = parser.parse_args()
    seconds = given.seconds or (20 if given.smoke else 900)
    sys.exit(soak(given.faussaire, seconds, given.smoke))


if __name__ == "__main__":
    main()
