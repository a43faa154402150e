"""How fast the log is, each figure beside its goal.

python -m tests.torture.bench DIRECTORY
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from console.client.replay import Recording
from state.attest.sshsig import ATTESTATION, check
from state.base import canonical
from state.base.clock import SystemClock
from state.events.samples import pack
from state.log.store import LogStore
from tests.drafts import draft
from tests.screens import story
from tests.state.attest.test_sshsig import MESSAGE, keygen, signed
from tests.state.log.support import OPENED, chained, forge, restamped, stamped

_TICK_S = 0.02
_VERY_SLOW = (", +50 ms per fsync", 50_000, "none")
_SAMPLES = (
    ("errors", (0.000614250614,)),
    ("latency", (0.0451046798, 0.181811224, 0.411640625)),
    ("requests", (36.7111111,)),
)
METRICS = draft("metric.batch", {"at_us": 1_795_000_000_000_000, "values": pack(_SAMPLES)})
"""Five series, as the engine records them."""


def main(arguments: list[str]) -> int:
    """Run every measurement and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--latency-only", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--events", type=int, default=1_000_000)
    asked = parser.parse_args(arguments)
    asked.directory.mkdir(parents=True, exist_ok=True)
    if asked.latency_only:
        found = asyncio.run(latency(asked.directory / f"{os.getpid()}.lclog", asked.seconds))
        sys.stdout.write(f"{json.dumps(found)}\n")
        return 0
    _latencies(asked.directory, asked.seconds)
    for writers, waiting in ((1, 1), (2, 1), (1, 16), (2, 16)):
        path = asked.directory / f"{writers}-{waiting}.lclog"
        rate, longest = throughput(path, writers, waiting, asked.seconds)
        what = f"{writers} writer(s), {waiting} waiting"
        _line(f"events/s, {what}", f"{rate:,.0f}", "≥ 1,000")
        _line(f"longest wait, {what}", f"{longest * 1000:.1f} ms", "≤ 250 ms")
    _line("events/s that this disk allows: five syncs each", f"{disk(asked.directory):,.0f}", "none")
    size, took = verification(asked.directory / "big.lclog", asked.events)
    _line("bytes per metric event", f"{size:.0f}", "≤ 360")
    _line(f"verify {asked.events:,} events", f"{took:.2f} s", "≤ 4 s for 1,000,000")
    half, most = seeks()
    _line("the view at any moment of a replay, p50 and p99", f"{half:.1f} / {most:.1f} ms", "≤ 5 and ≤ 16 ms")
    made, checked = signatures(asked.directory)
    _line("sign a word with ssh-keygen, p99", f"{made:.1f} ms", "≤ 100 ms")
    _line("check a signature in process, p99", f"{checked:.2f} ms", "≤ 5 ms")
    return 0


def seeks() -> tuple[float, float]:
    """Return p50 and p99 of going to a random moment of a replay, in ms; how long the log is changes nothing."""
    told = story.rolled_back()
    told.samples(15 * 10_000)
    recording = Recording(lambda after, limit: told.events[after : after + limit])
    while recording.read():
        pass
    chance, took = random.Random(8), []
    for _ in range(200):
        began = time.perf_counter()
        recording.view(chance.randint(1, recording.count))
        took.append(time.perf_counter() - began)
    return percentile(took, 50) * 1000, percentile(took, 99) * 1000


def signatures(directory: Path) -> tuple[float, float]:
    """Return p99 of making and of checking a signature, in ms."""
    key = keygen(directory, "ed25519")
    made, checked = [], []
    for _ in range(100):
        began = time.perf_counter()
        armored = signed(key)
        made.append(time.perf_counter() - began)
        began = time.perf_counter()
        check(armored, MESSAGE, ATTESTATION)
        checked.append(time.perf_counter() - began)
    return percentile(made, 99) * 1000, percentile(checked[1:], 99) * 1000


def _line(what: str, found: str, goal: str) -> None:
    sys.stdout.write(f"{what:<52} {found:>12}   goal {goal}\n")
    sys.stdout.flush()


def _latencies(directory: Path, seconds: float) -> None:
    program = [
        sys.executable,
        "-m",
        "tests.torture.bench",
        str(directory),
        "--latency-only",
        "--seconds",
        str(seconds),
    ]
    for told, delay_us, goal in (("", 0, "≤ 10 ms"), (", +5 ms per fsync", 5_000, "≤ 80 ms"), _VERY_SLOW):
        prefix = ["strace", "-f", "-o", os.devnull, "-e", "trace=fdatasync,fsync"] if delay_us else []
        prefix += ["-e", f"inject=fdatasync,fsync:delay_exit={delay_us}"] if delay_us else []
        if prefix and shutil.which("strace") is None:
            continue
        done = subprocess.run([*prefix, *program], check=True, capture_output=True, text=True)
        durable, lag = json.loads(done.stdout)
        _line(f"append to durable at 50/s{told}, p99", f"{durable:.1f} ms", goal)
        _line(f"event loop lag meanwhile{told}, p99", f"{lag:.1f} ms", "≤ 5 ms")


async def latency(path: Path, seconds: float) -> tuple[float, float]:
    """Append 50 events a second; return p99 of append to durable, and of the event loop's lag, in ms."""
    waits: list[float] = []
    lags: list[float] = []

    async def write() -> None:
        began = time.perf_counter()
        await store.write(METRICS)
        waits.append(time.perf_counter() - began)

    with LogStore.create(path, clock=SystemClock(), session="s-1") as store:
        tasks: list[asyncio.Task[None]] = []
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until:
            tasks.append(asyncio.create_task(write()))
            await asyncio.sleep(_TICK_S)
            lags.append(time.perf_counter() - now - _TICK_S)
        await asyncio.gather(*tasks)
    return percentile(waits, 99) * 1000, percentile(lags, 99) * 1000


def disk(directory: Path) -> float:
    """Return how many events a second could be written if nothing but the five syncs of each took time."""
    fd = os.open(directory / "syncs", os.O_RDWR | os.O_CREAT, 0o600)
    began = time.perf_counter()
    for number in range(1000):
        os.pwrite(fd, b"x" * 512, number % 8 * 512)
        os.fdatasync(fd)
    os.close(fd)
    return 200 / (time.perf_counter() - began)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that ``percent`` of the values don't exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def throughput(path: Path, writers: int, waiting: int, seconds: float) -> tuple[float, float]:
    """Let writers append, each with so many events waiting at a time.

    Returns events per second and the longest wait in seconds.
    """
    LogStore.create(path, clock=SystemClock(), session="s-0").close()
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    children = [
        context.Process(target=_append, args=(path, n, waiting, seconds, answers)) for n in range(writers)
    ]
    for child in children:
        child.start()
    found = [answers.get() for _ in children]
    for child in children:
        child.join()
    return sum(count for count, _ in found) / seconds, max(longest for _, longest in found)


def _append(
    path: Path,
    number: int,
    waiting: int,
    seconds: float,
    answers: multiprocessing.SimpleQueue[tuple[int, float]],
) -> None:
    count, longest = 0, 0.0
    with LogStore.open(path, clock=SystemClock(), session=f"s-{number}", alone=False) as store:
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            for answer in [store.append(METRICS) for _ in range(waiting)]:
                answer.result()
            longest = max(longest, time.perf_counter() - began)
            count += waiting
    answers.put((count, longest))


def verification(path: Path, events: int) -> tuple[float, float]:
    """Return bytes per event of a long log of metrics, and the seconds that ``launch-console verify`` took."""
    if not path.exists():
        as_recorded = {"kind": METRICS.kind, "actor": METRICS.actor, "session": "0123456789ab"}
        as_recorded["body"] = canonical.encode(METRICS.fields())
        first = restamped(stamped(1), body=canonical.encode(OPENED))
        rows = (restamped(stamped(n), **as_recorded) for n in range(2, events + 1))
        forge(path, chained([first, *rows]))
    words = [sys.executable, "-m", "console", "verify", "--no-witness", "--json", str(path)]
    began = time.perf_counter()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    took = time.perf_counter() - began
    return path.stat().st_size / int(json.loads(done.stdout)["events"]), took


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
