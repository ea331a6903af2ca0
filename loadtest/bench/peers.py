"""Who stands before the server: nobody, two TCP proxies, another FTP proxy, and ftpweir.

Each with the settings that serve it best. A TCP proxy does not read FTP: it forwards the control
port and each passive port of the server to the same port there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from loadtest.children import CHECKOUT

from .ground import FTP, PASSIVE

PORT: Final = 2121


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy is started, and for what."""

    folder: Path
    host: str  # where it listens, at PORT, and whence it connects
    server: str  # the server's address; its port is FTP
    scripts: int
    sessions: int  # the server's limit; 0: none
    certificate: Path | None = None  # of a server that demands TLS
    offered: Path | None = None  # a certificate of ours, with its key: scripts demand TLS


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them; `command` writes its configuration and returns its command line."""

    name: str
    command: Callable[[Place], list[str]] | None  # None: the scripts go straight to the server
    version: list[str]  # the command that tells it; empty: ours
    beside: Callable[[Place], list[str]] | None = None  # another program that it needs
    says_ready: bool = False  # all of it; else scripts knock until somebody opens

    def address(self, place: Place) -> tuple[str, int]:
        """Where the scripts connect."""
        return (place.server, FTP) if self.command is None else (place.host, PORT)


def _haproxy(place: Place) -> list[str]:
    first, last = PASSIVE
    return [
        "haproxy",
        "-db",
        "-f",
        _write(
            place,
            "haproxy.cfg",
            f"""\
global
  maxconn 4000
  tune.pipesize 1048576
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option splice-request
  option splice-response
listen control
  bind {place.host}:{PORT}
  server ftp {place.server}:{FTP}
listen data
  bind {place.host}:{first}-{last}
  server ftp {place.server}
""",
        ),
    ]


def _nginx(place: Place) -> list[str]:
    first, last = PASSIVE
    config = _write(
        place,
        "nginx.conf",
        f"""\
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
pid {place.folder}/nginx.pid;
error_log stderr;
worker_processes auto;
events {{ worker_connections 9000; }}
stream {{
  proxy_buffer_size 64k;
  tcp_nodelay on;
  server {{ listen {place.host}:{PORT}; proxy_pass {place.server}:{FTP}; }}
  server {{ listen {place.host}:{first}-{last}; proxy_pass {place.server}:$server_port; }}
}}
""",
    )
    return ["nginx", "-e", "stderr", "-p", str(place.folder), "-c", config]


_MOD_PROXY_TLS = """\
ProxyTLSEngine on
ProxyTLSCACertificateFile {}
ProxyTLSVerifyServer on
"""


_MOD_TLS = """\
TLSEngine on
TLSRequired on
TLSRSACertificateFile {0}
TLSRSACertificateKeyFile {0}
"""


def _mod_proxy(place: Place) -> list[str]:
    folder = place.folder
    config = _write(
        place,
        "proftpd.conf",
        f"""\
ModulePath {CHECKOUT}/.cache/servers/usr/lib/proftpd
LoadModule mod_tls.c
LoadModule mod_proxy.c
ServerType standalone
DefaultAddress {place.host}
SocketBindTight on
Port {PORT}
UseIPv6 off
User nobody
Group nogroup
MaxInstances 5000
RequireValidShell off
AuthOrder mod_auth_file.c
PidFile {folder}/proftpd.pid
ScoreboardFile {folder}/proftpd.scoreboard
DelayEngine off
ControlsEngine off
UseReverseDNS off
WtmpLog off
TransferLog none
SystemLog {folder}/proftpd.log
ProxyEngine on
ProxyRole reverse
ProxyReverseServers ftp://{place.server}:{FTP}
ProxyTables {folder}/tables
{_MOD_PROXY_TLS.format(place.certificate) if place.certificate else ""}
{_MOD_TLS.format(place.offered) if place.offered else ""}
""",
    )
    (folder / "tables").mkdir()
    return ["proftpd", "--nodaemon", "--config", config]


def _ftpweir(place: Place, **shared: object) -> list[str]:
    """Everything switched on: budget, ledger in a file, a line of log for each transfer."""
    listen: dict[str, str] = {"address": f"{place.host}:{PORT}"}
    if place.offered is not None:
        listen |= {"tls": "explicit", "certificate": str(place.offered), "require": "data"}
    config: dict[str, Any] = {
        "listen": [listen],
        "upstream": {
            "host": place.server,
            "sessions": place.sessions or place.scripts + 2,
            "data": "auto",
            **(_tls(place.certificate) if place.certificate else {}),
        },
        "budget": {"connections": 100_000, "time_wait": "60s"},
        "clients": [{"name": "everyone", "sessions": 10 * place.scripts}],
        "login": {"anonymous": "allow"},
        "state": str(place.folder / "ftpweir.state"),
        "log": {"format": "json", "level": "info"},
        **shared,
    }
    file = _write(place, "ftpweir.yaml", yaml.safe_dump(config, sort_keys=False))
    return [sys.executable, "-m", "proxy", "run", "-c", file]


def _two_workers(place: Place) -> list[str]:
    """With so many sessions that none has to change hands."""
    plenty = replace(place, sessions=place.sessions or 4 * place.scripts)
    store = f"unix://{place.folder}/redis.sock"
    return [*_ftpweir(plenty, store=store, sharing={"recovery": "1s"}), "--workers", "2"]


def _redis(place: Place) -> list[str]:
    socket = str(place.folder / "redis.sock")
    return ["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""]


def _tls(certificate: Path) -> dict[str, str]:
    return {"tls": "explicit", "ca": str(certificate)}


def _write(place: Place, name: str, text: str) -> str:
    file = place.folder / name
    file.write_text(text)
    return str(file)


DIRECT = Peer("direct", None, ["vsftpd", "-v"])
HAPROXY = Peer("HAProxy", _haproxy, ["haproxy", "-v"])
NGINX = Peer("nginx", _nginx, ["nginx", "-v"])
MOD_PROXY = Peer("mod_proxy", _mod_proxy, ["proftpd", "--version"])
FTPWEIR = Peer("ftpweir", _ftpweir, [])
TWO_WORKERS = Peer("2 workers", _two_workers, [], beside=_redis, says_ready=True)
PEERS: Final = (DIRECT, HAPROXY, NGINX, MOD_PROXY, FTPWEIR)
EVERYBODY: Final = (*PEERS, TWO_WORKERS)
