"""Runs Spikescope and measures it from outside: wall time, CPU time and memory of the process.

The wall time of a simulation is Spikescope's own `seconds.snn`. It does not tell the CPU time of it, so the process' CPU
clock is read every few milliseconds while it runs, together with what it says about its progress. ANN, simulation and
measures take turns, one group of samples after the other, between "running ANN" and "measuring"; of the CPU time of all three
the simulation has the share that it has of their wall time. The peak of the memory is read at that word too; it covers loading
and calibration besides.
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
    """What one simulation or training cost: seconds, and the highest memory of the process up to its end."""

    wall: float
    cpu: float
    peak_mib: float


class Watched:
    """A process whose terminal is read and whose CPU clock is sampled."""

    def __init__(self, command, threads):
        self.master, terminal = pty.openpty()
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        self.child = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
        os.close(terminal)
        self.clock = (~self.child.pid << 3) | 2
        self.samples, self.heard, self.text, self.peak = [], {}, "", 0.0

    def run(self, *words):
        """Waits for the end, which must be a good one. Notes the moment and the memory when each of `words` is first said."""
        while True:
            self._sample()
            self._peak_mib()
            if select.select([self.master], [], [], POLL_SECONDS)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
                for word in words:
                    if word not in self.heard and word in self.text:
                        self.heard[word] = (time.monotonic(), self._peak_mib())
                        self._sample()
        os.close(self.master)
        if self.child.wait() != 0 or len(self.heard) != len(words):
            raise SystemExit(f"spikescope ended with code {self.child.returncode}: {self.text.strip()}")

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

    def _peak_mib(self):
        # The kernel's figure for an ended process would count what its parent held before it started. Of one that has just
        # ended there is none here: then the last one counts.
        with open(f"/proc/{self.child.pid}/status") as lines:
            self.peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), self.peak)
        return self.peak


def run(binary, out, threads, options, dump=False):
    """`spikescope run` with `options`; the summary and what the simulation in it cost."""
    watched = Watched(command(binary, "run", out, options) + (["--dump", "counts"] if dump else []), threads)
    watched.run("running ", "measuring")
    summary = json.loads((Path(out) / "summary.json").read_text())
    seconds, (end, peak) = summary["seconds"], watched.heard["measuring"]
    if dump:
        # All samples at once: the simulation comes right before.
        return summary, Measured(seconds["snn"], watched.cpu_between(end - seconds["snn"], end), peak)
    share = seconds["snn"] / (seconds["ann"] + seconds["snn"] + seconds["measure"])
    return summary, Measured(seconds["snn"], watched.cpu_between(watched.heard["running "][0], end) * share, peak)


def train(binary, out, threads, options):
    """`spikescope train` with `options`; what the training itself cost, without drawing the samples."""
    watched = Watched(command(binary, "train", out, options), threads)
    watched.run(" parameters,", "trained after")
    (start, _), (end, peak) = (watched.heard[word] for word in (" parameters,", "trained after"))
    return Measured(end - start, watched.cpu_between(start, end), peak)


def command(binary, word, out, options):
    """The command line."""
    return [str(binary), word, "--out", str(out), *(str(part) for pair in options.items() for part in pair)]
