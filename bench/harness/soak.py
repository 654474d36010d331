"""Reloads under live streams and WebSockets: nothing may break, not a byte may be lost or repeated."""

import http.client
import json
import os
import time

from .processes import free_port
from .servers import Bench, Gateway
from .table import Row, verdict

BROKEN = (
    "listen: [\n",  # no YAML
    "{}",  # nobody answers
    "",
    "listn: 127.0.0.1:1\n",
    "providers: {up: {type: openai, base_url: 17, api_key: test}}\nworkers: many\n",
    "providers: {up: {type: nobody}}\n",
)


def good_config(gateway: Gateway, number: int, second_port: int) -> str:
    """Every third as before; the others change models, providers, the upstream's identity, limits, and a second listener."""
    if number % 3 == 0:
        return json.dumps(gateway.settings())
    config = gateway.settings(keep_alive_comment=f"{60 + number % 5}s", limits={"max_header_count": 100 + number % 20})
    config["models"][f"extra-{number % 7}"] = {"targets": [{"use": "up/mock", "weight": 1 + number % 5}]}
    config["providers"]["other"] = {"type": "mock", "mock": {"seed": number}}
    config["providers"]["up"]["timeouts"] = {"connect": f"{1 + number % 4}s"}
    if number % 2:
        config["listen"] = [config["listen"], f"127.0.0.1:{second_port}"]
    return json.dumps(config)


def write(gateway: Gateway, text: str, number: int) -> None:
    """By atomic rename, as editors do; every fifth in place."""
    if number % 5 == 0:
        gateway.config.write_text(text)
        return
    new = gateway.config.with_suffix(".new")
    new.write_text(text)
    os.replace(new, gateway.config)


def post_reload(gateway: Gateway) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.admin, timeout=10)
    connection.request("POST", "/admin/reload")
    status = connection.getresponse().status
    connection.close()
    return status


def reload_once(gateway: Gateway, number: int, second_port: int) -> bool:
    """Whether the answer was right: yes to a good file, no to a bad one."""
    bad = number % 4 == 3
    write(gateway, BROKEN[number // 4 % len(BROKEN)] if bad else good_config(gateway, number, second_port), number)
    status = post_reload(gateway)
    return 400 <= status < 500 if bad else status == 200


def reload_soak(bench: Bench) -> list[Row]:
    gateway = bench.candidate
    if not isinstance(gateway, Gateway):
        return []
    reloads, streams, sockets, pause = (60, 200, 20, 0.05) if bench.quick else (1000, 2000, 200, 0.08)
    gateway.start()
    second_port = free_port()
    load = bench.load_process("soak", gateway.port, streams=streams, sockets=sockets, chunks=20 if bench.quick else 100)
    load.line()
    before = gateway.rss_kib()
    wrong = 0
    for number in range(reloads):
        wrong += 0 if reload_once(gateway, number, second_port) else 1
        time.sleep(pause)
    write(gateway, good_config(gateway, 0, second_port), 1)
    post_reload(gateway)
    grown = (gateway.rss_kib() - before) / 1024
    tally = load.finish()
    gateway.stop()
    broken = tally["broken_streams"] + tally["broken_sockets"]
    print(f"  reload: {tally['streams']:.0f} streams and {tally['messages']:.0f} messages intact, {broken:.0f} broken, {wrong} reloads answered "
          f"wrongly, RSS {grown:+.1f} MiB", flush=True)
    return [Row(f"{reloads:,} reloads under {streams:,} streams and {sockets} WebSockets: broken", "", f"{broken:.0f}", "", "0", "0",
                verdict(broken, 0, 0, wrong))]
