"""Real clients that speak TLS, each with its own way to fetch and to store many files in one
session. What they fetch they leave in a folder; what goes wrong they raise."""

from __future__ import annotations

import ftplib
import ssl
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client import Client, Mode, Target
from .clients import Aioftp, Curl, Ftplib, Lftp
from .programs import SEARCH_PATH, program

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What one client is to do: names on the server to fetch, files here to store."""

    target: Target
    ca: Path
    version: str  # "1.2" or "1.3"
    folder: Path  # the client's own: what is to be stored lies in it, what was fetched too
    fetch: Sequence[str]
    store: Sequence[str]
    mode: Mode = "passive"

    @property
    def context(self) -> ssl.SSLContext:
        """What a client in Python protects itself with."""
        context = ssl.create_default_context(cafile=str(self.ca))
        version = ssl.TLSVersion.TLSv1_2 if self.version == "1.2" else ssl.TLSVersion.TLSv1_3
        context.minimum_version = context.maximum_version = version
        return context

    def run(self, *command: str) -> str:
        """Run a program in the folder; return what it printed."""
        done = subprocess.run(
            [program(command[0]), *command[1:]],
            cwd=self.folder,
            env={"HOME": str(self.folder), "PATH": SEARCH_PATH, "LC_ALL": "C", "TERM": "dumb"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        printed = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {printed}"
        return printed


def curl(errand: Errand) -> None:
    """One process for what is fetched, one for what is stored; it reuses connection and session."""
    url = errand.target.url
    fetch = [f'url = "{url(name)}"\noutput = "{name}"' for name in errand.fetch]
    store = [f'url = "{url(name)}"\nupload-file = "{name}"' for name in errand.store]
    bounds = ["--tlsv1.2", "--tls-max", "1.2"] if errand.version == "1.2" else ["--tlsv1.3"]
    for lines in (fetch, store):
        (errand.folder / "curlrc").write_text("\n".join(lines))
        options = ["--silent", "--show-error", "--ssl-reqd", "--cacert", str(errand.ca), *bounds]
        errand.run("curl", *options, "--ftp-pasv", "--config", "curlrc")


def lftp(errand: Errand) -> None:
    """It resumes sessions, and lists before it fetches."""
    priority = "NORMAL:-VERS-ALL:+VERS-TLS" + errand.version
    script = [
        f"set ftp:passive-mode {'on' if errand.mode == 'passive' else 'off'}",
        f"set ssl:ca-file {errand.ca}",
        f"set ssl:priority {priority}",
        "set ftp:ssl-force yes",
        "set ftp:ssl-protect-data yes",
        "set ftp:ssl-protect-list yes",
        "set net:max-retries 1",
        "set net:timeout 30",
        "set cmd:fail-exit yes",
        f"open {errand.target.url()}",
        "ls",
        "get " + " ".join(errand.fetch),
        "put " + " ".join(errand.store),
        "bye",
    ]
    errand.run("lftp", "-c", "; ".join(script))


class _Reusing(ftplib.FTP_TLS):
    """Python's, as many people patch it: data connections resume the control session."""

    def ntransfercmd(self, cmd: str, rest: Any = None) -> tuple[Any, int | None]:
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        session = self.sock.session
        conn = self.context.wrap_socket(conn, server_hostname=self.host, session=session)
        return conn, size


def _with_ftplib(errand: Errand, ftp: ftplib.FTP) -> None:
    with ftp:
        ftp.connect(errand.target.host, errand.target.port)
        ftp.login(errand.target.user.name, errand.target.user.password)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        ftp.set_pasv(errand.mode == "passive")
        for name in errand.fetch:
            with (errand.folder / name).open("wb") as file:
                ftp.retrbinary(f"RETR {name}", file.write)
        for name in errand.store:
            with (errand.folder / name).open("rb") as file:
                ftp.storbinary(f"STOR {name}", file)
        ftp.quit()


def python(errand: Errand) -> None:
    """ftplib as it is: it never resumes."""
    _with_ftplib(errand, ftplib.FTP_TLS(context=errand.context, timeout=PATIENCE))


def python_reusing(errand: Errand) -> None:
    """ftplib that resumes."""
    _with_ftplib(errand, _Reusing(context=errand.context, timeout=PATIENCE))


def python_in_clear(errand: Errand) -> None:
    """An old script that knows no TLS."""
    _with_ftplib(errand, ftplib.FTP(timeout=PATIENCE))


def aioftp(errand: Errand) -> None:
    """It shakes hands on a data connection before it says what for."""
    script = Path(__file__).with_name("aioftp_tls_command.py")
    user = errand.target.user
    place = [errand.target.host, str(errand.target.port), user.name, user.password]
    (errand.folder / "fetch").write_text("\n".join(errand.fetch))
    (errand.folder / "store").write_text("\n".join(errand.store))
    errand.run(sys.executable, "-P", str(script), *place, str(errand.ca), errand.version)


@dataclass(frozen=True, slots=True)
class TlsClient:
    """One client in one mode, and the program that it is."""

    deed: Callable[[Errand], None]
    kind: type[Client]
    mode: Mode = "passive"
    manner: str = ""


TLS_CLIENTS = {
    "curl": TlsClient(curl, Curl),
    "lftp": TlsClient(lftp, Lftp),
    "lftp active": TlsClient(lftp, Lftp, "active"),
    "ftplib": TlsClient(python, Ftplib),
    "ftplib active": TlsClient(python, Ftplib, "active"),
    "ftplib reusing sessions": TlsClient(python_reusing, Ftplib, manner=", reusing sessions"),
    "aioftp": TlsClient(aioftp, Aioftp),
    "ftplib in clear": TlsClient(python_in_clear, Ftplib, manner=", in clear"),
}
