"""The upstream, nginx as the yardstick, and the gateway: all on loopback, each with a generated configuration."""

import json
import pathlib
import shutil

from .processes import LOAD_CORE, PROXY_CORE, ROOT, TOOLS, Process, free_port, wait_for_port

NGINX = """
daemon off;
master_process {master};
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr warn;
pid {folder}/nginx.pid;
events {{ worker_connections 19900; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_field {{ default upgrade; '' ''; }}
  upstream up {{
    server 127.0.0.1:{upstream};
    keepalive 256;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection $connection_field;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $host;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
    location /v1/files {{
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
    }}
  }}
}}
"""


def gateway_config(port: int, admin: int, upstream: int, **more) -> dict:
    """The gateway's configuration as data: YAML reads JSON."""
    config = {
        "listen": f"127.0.0.1:{port}",
        "admin": f"127.0.0.1:{admin}",
        "workers": 1,
        "drain": "1s",
        "providers": {"up": {"type": "openai", "base_url": f"http://127.0.0.1:{upstream}/v1", "api_key": "test",
                             "max_idle_connections": 256}},
        "models": {"default": "up/mock"},
        "telemetry": {"access_log": {"format": "off"}},
    }
    return config | more


class Server:
    """One program under measure; start() gives a fresh process on the proxy's core."""

    def __init__(self, name: str, folder: pathlib.Path, upstream_port: int):
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.port = free_port()
        self.upstream_port = upstream_port
        self.process: Process | None = None

    def command(self) -> list:
        raise NotImplementedError

    def start(self, prefix: tuple = ()) -> "Server":
        self.process = Process(self.name, [*prefix, *self.command()], PROXY_CORE, self.folder)
        wait_for_port(self.port, self.process, 60 if prefix else 10)
        return self

    def stop(self, wait: float = 3) -> None:
        if self.process:
            self.process.stop(wait)
        self.process = None

    def __getattr__(self, name: str):  # what is measured of a server is measured of its process
        return getattr(self.__dict__["process"], name)


class Nginx(Server):
    master = "on"

    def command(self) -> list:
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, port=self.port, upstream=self.upstream_port, master=self.master))
        return ["nginx", "-p", self.folder, "-c", config, "-e", "stderr"]


class Gateway(Server):
    def __init__(self, name: str, folder: pathlib.Path, upstream_port: int):
        super().__init__(name, folder, upstream_port)
        self.admin = free_port()
        self.config = self.folder / "sluice.yaml"
        self.program = self.folder / "sluice"  # a copy, which no build replaces half-way
        shutil.copy(ROOT / "build" / "sluice", self.program)

    def settings(self, **more) -> dict:
        return gateway_config(self.port, self.admin, self.upstream_port, **more)

    def command(self) -> list:
        self.config.write_text(json.dumps(self.settings(), indent=1))
        return [self.program, "serve", "-c", self.config]


class Upstream(Server):
    def command(self) -> list:
        return [TOOLS / "bench_upstream", self.port]

    def start(self, prefix: tuple = ()) -> "Server":
        self.process = Process(self.name, self.command(), LOAD_CORE, self.folder)
        wait_for_port(self.port, self.process)
        return self


class Bench:
    """What every case needs: the upstream, the two servers, the load."""

    def __init__(self, folder: pathlib.Path, quick: bool, candidate: str = "sluice"):
        self.folder = folder
        self.quick = quick
        self.upstream = Upstream("upstream", folder, 0).start()
        self.nginx = Nginx("nginx", folder, self.upstream.port)
        kind = Gateway if candidate == "sluice" else Nginx
        self.candidate = kind("candidate", folder, self.upstream.port)
        self.servers = [self.nginx, self.candidate]

    def load_process(self, what: str, port: int, background: bool = False, **options) -> Process:
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        return Process("load", [TOOLS / "bench_load", what, "--port", port, *words], LOAD_CORE, self.folder, background)

    def load(self, what: str, port: int, **options) -> dict:
        """Runs a load to its end."""
        process = self.load_process(what, port, **options)
        line = process.line()
        figures = process.finish() if not line.startswith("{") else json.loads(line)
        if line.startswith("{"):
            process.stop()
        return figures

    def start_both(self) -> None:
        for server in self.servers:
            server.start()
            self.load("chat", server.port, requests=64, connections=32)

    def stop_both(self) -> None:
        for server in self.servers:
            server.stop()
