"""Processes of a benchmark: started on a core, measured through /proc, ended by their id."""

import json
import os
import pathlib
import random
import resource
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "build" / "bench"
PROXY_CORE = 0
LOAD_CORE = 1 if (os.cpu_count() or 1) > 1 else 0

_running: list["Process"] = []


def raise_limits() -> None:
    """Descriptors up to the hard limit; children inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def raise_priority() -> None:
    """Ahead of whatever else runs here, where the user may; children inherit it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        pass


def free_port() -> int:
    """Below the range of ports that outgoing connections get."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for_port(port: int, process: "Process", seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.popen.poll() is not None:
                break
            time.sleep(0.01)
    raise RuntimeError(f"{process.name} does not listen; its output:\n{process.log.read_text(errors='replace')[-2000:]}")


class Process:
    """A child on one core. Its standard input is a pipe: the benchmark's own tools finish when it is closed."""

    def __init__(self, name: str, command: list, core: int, folder: pathlib.Path, background: bool = False):
        self.name = name
        self.log = folder / f"{name}.log"
        words = ["taskset", "-c", str(core)] + (["chrt", "--other", "0"] if background else []) + [str(word) for word in command]
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        _running.append(self)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def pids(self) -> list[int]:
        """This process and its descendants."""
        found = [self.pid]
        for pid in found:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        found += [int(child) for child in children.read().split()]
            except OSError:
                pass
        return found

    def cpu_ns(self) -> int:
        """User and system time of all its threads and children. /proc/PID/stat counts hundredths of a second; schedstat has the same
        sum in nanoseconds."""
        total = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as stat:
                    total += int(stat.read().split()[0])
        return total

    def _status(self, field: str) -> int:
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as status:
                total += sum(int(line.split()[1]) for line in status if line.startswith(field))
        return total

    def rss_kib(self) -> int:
        return self._status("VmRSS:")

    def peak_rss_kib(self) -> int:
        return self._status("VmHWM:")

    def reset_peak_rss(self) -> None:
        for pid in self.pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def line(self) -> str:
        return self.popen.stdout.readline().decode()

    def finish(self, seconds: float = 180) -> dict:
        """Closes standard input and reads the last line of figures."""
        try:
            out = self.popen.communicate(timeout=seconds)[0].decode().strip().splitlines()
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{self.name} does not end: something it waits for never comes") from None
        _running.remove(self)
        if self.popen.returncode != 0 or not out:
            raise RuntimeError(f"{self.name} failed: {self.log.read_text(errors='replace')[-2000:]}")
        return json.loads(out[-1])

    def stop(self, wait: float = 3) -> None:
        if self in _running:
            _running.remove(self)
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(wait)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()


def first_errors(folder: pathlib.Path) -> str:
    """What the load said about errors since the last time it was asked."""
    log = folder / "load.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    log.write_text("")
    return text.strip()


def stop_all() -> None:
    for process in list(_running):
        process.stop(1)
