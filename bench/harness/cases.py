"""The cases: each measures nginx and the candidate in interleaved rounds and gives rows of the table."""

import statistics
import time

from .processes import PROXY_CORE, TOOLS, Process
from .servers import Bench
from .soak import reload_soak
from .table import Row, verdict

MIB = 1024 * 1024
median = statistics.median


def spread(values: list[float]) -> str:
    """Median with the range of the middle half."""
    if len(values) < 4:
        return f"{median(values):.2f}"
    quarter = statistics.quantiles(values, n=4)
    return f"{median(values):.2f} ({quarter[0]:.2f}–{quarter[2]:.2f})"


def cpu_of(bench: Bench, server, what: str, **options) -> tuple[float, dict]:
    before = server.cpu_ns()
    figures = bench.load(what, server.port, **options)
    return (server.cpu_ns() - before) / 1e3, figures


def cpu_rounds(bench: Bench, rounds: int, unit: str, what: str, **options) -> tuple[list, list, float]:
    """Microseconds of CPU per unit, by round: nginx, candidate; and the errors of both."""
    costs: dict = {server: [] for server in bench.servers}
    errors = 0
    bench.start_both()
    for server in bench.servers:
        bench.load(what, server.port, **options)  # warm
    for number in range(rounds):
        for server in bench.servers if number % 2 == 0 else reversed(bench.servers):
            cpu, figures = cpu_of(bench, server, what, **options)
            costs[server].append(cpu / figures[unit])
            errors += figures["errors"]
    bench.stop_both()
    return costs[bench.nginx], costs[bench.candidate], errors


def cpu_row(title: str, costs: tuple[list, list, float], must: float, aim: float) -> Row:
    nginx, ours, errors = costs
    ratio = median([b / a for a, b in zip(nginx, ours)])
    return Row(title, spread(nginx), spread(ours), f"{ratio:.2f}", f"≤ {must} ×", f"≤ {aim} ×", verdict(ratio, must, aim, errors))


def chat(bench: Bench) -> list[Row]:
    rounds, count = (3, 10_000) if bench.quick else (9, 60_000)
    costs = cpu_rounds(bench, rounds, "requests", "chat", requests=count, connections=32)
    return [cpu_row("CPU per 1 KB chat request, concurrency 32, µs", costs, 1.5, 1.2)]


def chunks(bench: Bench) -> list[Row]:
    rounds, total = (3, 50) if bench.quick else (7, 200)
    costs = cpu_rounds(bench, rounds, "chunks", "streams", streams=50, chunks=200, interval_us=5000, total=total)
    return [cpu_row("CPU per streamed chunk, 50 streams × 200 chunks, µs", costs, 1.5, 1.1)]


def latency(bench: Bench) -> list[Row]:
    rounds, seconds = (3, 2) if bench.quick else (7, 10)
    p99: dict = {"direct": [], "nginx": [], "ours": []}
    errors = 0
    bench.start_both()
    ports = {"direct": bench.upstream.port, "nginx": bench.nginx.port, "ours": bench.candidate.port}
    for _ in range(rounds):
        for name, port in ports.items():
            figures = bench.load("chat", port, rate=500, seconds=seconds)
            p99[name].append(figures["p99_us"])
            errors += figures["errors"]
    bench.stop_both()
    nginx, ours = ([a - b for a, b in zip(p99[name], p99["direct"])] for name in ("nginx", "ours"))
    beyond = median([b - a for a, b in zip(nginx, ours)])
    return [Row("p99 added over direct at 500 requests a second, µs", spread(nginx), spread(ours), f"{beyond:+.0f} µs", "≤ nginx + 100",
                "≤ nginx", verdict(beyond, 100, 0, errors))]


def held_bytes(bench: Bench, server, streams: int) -> tuple[float, float]:
    """KiB of resident memory per idle stream of a fresh process; and how many streams were lost."""
    server.start()
    bench.load("chat", server.port, requests=2000, connections=64)
    time.sleep(0.5)
    before = server.rss_kib()
    load = bench.load_process("hold", server.port, streams=streams)
    load.line()
    time.sleep(1)
    after = server.rss_kib()
    lost = load.finish()["errors"]
    server.stop()
    return (after - before) / streams, lost


def idle_streams(bench: Bench) -> list[Row]:
    rounds, streams = (1, 2000) if bench.quick else (3, 9000)
    sizes: dict = {server: [] for server in bench.servers}
    errors = 0
    for _ in range(rounds):
        for server in bench.servers:
            size, lost = held_bytes(bench, server, streams)
            sizes[server].append(size)
            errors += lost
    nginx, ours = sizes[bench.nginx], sizes[bench.candidate]
    return [Row(f"memory per idle stream, {streams:,} streams, KiB", spread(nginx), spread(ours), f"{median(ours) / median(nginx):.2f}",
                "≤ 16", "≤ 8", verdict(median(ours), 16, 8, errors))]


def idle_memory(server) -> float:
    server.start()
    time.sleep(0.7)
    size = server.rss_kib() / 1024
    server.stop()
    return size


def start_time(bench: Bench, server) -> tuple[float, float]:
    command = [TOOLS / "bench_load", "start", "--port", server.port, "--core", PROXY_CORE, "--", *server.command()]
    process = Process("start", command, 1, bench.folder)
    figures = process.finish()
    return figures["milliseconds"], figures["errors"]


def start(bench: Bench) -> list[Row]:
    rounds = 3 if bench.quick else 15
    sizes: dict = {server: [] for server in bench.servers}
    times: dict = {server: [] for server in bench.servers}
    errors = 0
    for number in range(rounds):
        for server in bench.servers:
            if number < 3:
                sizes[server].append(idle_memory(server))
            took, failed = start_time(bench, server)
            times[server].append(took)
            errors += failed
    a, b = bench.servers
    return [
        Row("idle RSS, MiB (nginx: both its processes)", spread(sizes[a]), spread(sizes[b]), f"{median(sizes[b]) / median(sizes[a]):.2f}",
            "≤ 16", "≤ 9", verdict(median(sizes[b]), 16, 9)),
        Row("start to first answer, ms", spread(times[a]), spread(times[b]), f"{median(times[b]) / median(times[a]):.2f}", "≤ 30", "≤ 10",
            verdict(median(times[b]), 30, 10, errors)),
    ]


def growth(bench: Bench, server, what: str, size: int, rate: int) -> tuple[float, float]:
    """MiB by which the resident memory of a fresh process grows at most during one transfer."""
    server.start()
    bench.load(what, server.port, bytes=4 * MIB, rate=64 * MIB)  # the code and the first buffers are in memory now
    time.sleep(0.2)
    server.reset_peak_rss()
    before = server.rss_kib()
    figures = bench.load(what, server.port, bytes=size, rate=rate)
    peak = server.peak_rss_kib()
    server.stop()
    return (peak - before) / 1024, figures["errors"]


def bulk(bench: Bench) -> list[Row]:
    size, rate = (64 * MIB, 64 * MIB) if bench.quick else (1024 * MIB, 128 * MIB)
    rows = []
    for what in ("upload", "download"):
        (a, _), (b, errors) = (growth(bench, server, what, size, rate) for server in bench.servers)
        rows.append(Row(f"{size // MIB:,} MiB {what}, peer at {rate // MIB} MiB/s: growth of RSS, MiB", f"{a:.2f}", f"{b:.2f}", "", "≤ 4",
                        "≤ 1", verdict(b, 4, 1, errors)))
    return rows


def under_attack(bench: Bench, server, connections: int, seconds: int) -> tuple[float, float, dict, float]:
    """p99 of normal traffic undisturbed and disturbed, what became of the attackers, and errors of normal traffic."""
    server.start()
    bench.load("chat", server.port, rate=500, seconds=1)
    calm = bench.load("chat", server.port, rate=500, seconds=seconds)
    attackers = bench.load_process("attack", server.port, background=True, connections=connections)
    attackers.line()
    disturbed = bench.load("chat", server.port, rate=500, seconds=seconds)
    tally = attackers.finish()
    server.stop()
    return calm["p99_us"], disturbed["p99_us"], tally, calm["errors"] + disturbed["errors"]


def attack(bench: Bench) -> list[Row]:
    rounds, connections, seconds = (1, 1000, 3) if bench.quick else (3, 10_000, 20)
    ratios: dict = {server: [] for server in bench.servers}
    refused: dict = {server: 0 for server in bench.servers}
    seen: dict = {}
    for _ in range(rounds):
        for server in bench.servers:
            calm, disturbed, tally, errors = under_attack(bench, server, connections, seconds)
            ratios[server].append(disturbed / calm)
            refused[server] += errors
            seen[server] = f"{disturbed:.0f}/{calm:.0f} µs, {tally['held']:.0f} held, {tally['cut']:.0f} cut"
    a, b = (median(ratios[server]) for server in bench.servers)
    print(f"  attack, last round: nginx {seen[bench.nginx]}; candidate {seen[bench.candidate]}", flush=True)
    return [Row(f"{connections:,} slow connections: p99 of normal traffic, disturbed / undisturbed", f"{a:.2f}", f"{b:.2f}", "", "≤ 2", "≤ 2",
                verdict(b, 2, 2, refused[bench.candidate]))]


CASES = {
    "chat": chat,
    "chunks": chunks,
    "latency": latency,
    "idle_streams": idle_streams,
    "start": start,
    "bulk": bulk,
    "attack": attack,
    "reload": reload_soak,
}
