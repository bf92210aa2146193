"""Runs Spikescope and measures it from outside: wall time, CPU time and memory of the process.

The wall time of a simulation is Spikescope's own `seconds.snn`. It does not tell the CPU time of it, so the process' CPU
clock is read every few milliseconds while it runs, together with what it says about its progress: "measuring" follows
the simulation directly, so the simulation is the `seconds.snn` before that word.
"""

import json
import os
import pty
import select
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

POLL_SECONDS = 0.004


@dataclass
class Measured:
    """What one process cost."""

    wall: float
    cpu: float | None
    process_cpu: float
    peak_mib: float


class Watched:
    """A process whose terminal is read and whose CPU clock is sampled."""

    def __init__(self, command, threads):
        self.master, terminal = pty.openpty()
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        self.child = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
        os.close(terminal)
        self.clock = (~self.child.pid << 3) | 2
        self.samples, self.heard, self.text = [], {}, ""

    def run(self, *words):
        """Waits for the end; notes when each of `words` is first said. Returns the exit code and the usage."""
        while True:
            self._sample()
            if select.select([self.master], [], [], POLL_SECONDS)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
                for word in words:
                    if word not in self.heard and word in self.text:
                        self.heard[word] = time.monotonic()
        os.close(self.master)
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        return self.child.returncode, usage

    def cpu_between(self, start, end):
        """CPU seconds of the process between two moments of the monotonic clock."""
        moments, cpu = zip(*self.samples)
        return float(np.interp(end, moments, cpu) - np.interp(start, moments, cpu))

    def _sample(self):
        try:
            self.samples.append((time.monotonic(), time.clock_gettime(self.clock)))
        except OSError:
            # It has ended.
            pass


def run(binary, out, threads, options, dump=False):
    """`spikescope run` with `options`; the summary and what the simulation in it cost."""
    command = [str(binary), "run", "--out", str(out), *(f"{part}" for pair in options.items() for part in pair)]
    watched = Watched(command + (["--dump", "counts"] if dump else []), threads)
    code, usage = watched.run("measuring")
    if code != 0:
        raise SystemExit(f"spikescope failed ({code}): {watched.text.strip()}")
    summary = json.loads((Path(out) / "summary.json").read_text())
    seconds, end = summary["seconds"]["snn"], watched.heard.get("measuring")
    cpu = watched.cpu_between(end - seconds, end) if end else None
    return summary, Measured(seconds, cpu, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def train(binary, out, threads, options):
    """`spikescope train`; the text it printed and what the training itself cost."""
    command = [str(binary), "train", "--out", str(out), *(f"{part}" for pair in options.items() for part in pair)]
    watched = Watched(command, threads)
    code, usage = watched.run(" parameters,", "trained after")
    if code != 0:
        raise SystemExit(f"spikescope failed ({code}): {watched.text.strip()}")
    start, end = watched.heard[" parameters,"], watched.heard["trained after"]
    return watched.text, Measured(end - start, watched.cpu_between(start, end), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
