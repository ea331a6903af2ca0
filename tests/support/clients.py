"""The real clients of the lab, each with its own way to list, get and put.

Programs run without a terminal, in a home of their own, so no dotfile of the machine speaks for
them; ftplib runs in this process.
"""

from __future__ import annotations

import ftplib
import importlib.metadata
import io
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .client import Client, ClientError, Target, fetched, home
from .programs import first_version


@dataclass(frozen=True, slots=True)
class Curl(Client):
    """curl: EPSV or EPRT first, one session per call."""

    retries: int = 0  # a second after whatever went wrong

    def list(self, target: Target) -> str:
        """LIST."""
        with home() as folder:
            return self._transfer(folder, target, "")

    def get(self, target: Target, path: str) -> bytes:
        """SIZE and RETR."""
        with home() as folder:
            self._transfer(folder, target, path, "--output", "got")
            return fetched(folder / "got")

    def put(self, target: Target, path: str, content: bytes) -> None:
        """STOR."""
        with home() as folder:
            (folder / "given").write_bytes(content)
            self._transfer(folder, target, path, "--upload-file", "given")

    @classmethod
    def version(cls) -> str:
        """As curl tells it."""
        return first_version("curl", "--version")

    def _transfer(self, folder: Path, target: Target, path: str, *options: str) -> str:
        how = ["--ftp-pasv"] if self.passive else ["--ftp-port", "-"]
        if self.retries:
            how += ["--retry", str(self.retries), "--retry-delay", "1", "--retry-all-errors"]
        command = ["curl", "--silent", "--show-error", "--globoff", *how, *options]
        return self.run(folder, [*command, target.url(path)])


class Lftp(Client):
    """lftp: PASV or PORT; asks FEAT first and may use MLSD."""

    def list(self, target: Target) -> str:
        """LIST."""
        with home() as folder:
            return self._session(folder, target, "ls")

    def get(self, target: Target, path: str) -> bytes:
        """SIZE, MDTM and RETR."""
        with home() as folder:
            self._session(folder, target, f"get {path} -o got")
            return fetched(folder / "got")

    def put(self, target: Target, path: str, content: bytes) -> None:
        """STOR and SITE UTIME."""
        with home() as folder:
            (folder / "given").write_bytes(content)
            self._session(folder, target, f"put given -o {path}")

    @classmethod
    def version(cls) -> str:
        """As lftp tells it."""
        return first_version("lftp", "--version")

    def _session(self, folder: Path, target: Target, command: str) -> str:
        script = [
            f"set ftp:passive-mode {'on' if self.passive else 'off'}",
            "set ftp:ssl-allow no",
            "set net:max-retries 3",
            "set net:timeout 20",
            "set net:reconnect-interval-base 1",
            "set xfer:clobber on",
            "set cmd:fail-exit yes",
            f"open {target.url()}",
            command,
            "bye",
        ]
        return self.run(folder, ["lftp", "-c", "; ".join(script)])


class Ncftp(Client):
    """ncftpls, ncftpget and ncftpput: PASV or PORT; MLST, CLNT, HELP SITE."""

    def list(self, target: Target) -> str:
        """LIST."""
        with home() as folder:
            return self.run(folder, ["ncftpls", *self._how(target), "-l", self._place(target)])

    def get(self, target: Target, path: str) -> bytes:
        """RETR by its full path."""
        with home() as folder:
            self.run(
                folder, ["ncftpget", *self._how(target), "-V", "-Z", target.host, ".", f"/{path}"]
            )
            return fetched(folder / PurePosixPath(path).name)

    def put(self, target: Target, path: str, content: bytes) -> None:
        """STOR under a name of ours, and MDTM as a setter."""
        remote = PurePosixPath(path)
        with home() as folder:
            (folder / remote.name).write_bytes(content)
            where = f"/{remote.parent}" if remote.parent.name else "/"
            command = ["ncftpput", *self._how(target), "-V", "-Z", target.host, where, remote.name]
            self.run(folder, command)

    @classmethod
    def version(cls) -> str:
        """ncftpget prints it in its usage text only."""
        return first_version("ncftpget", "--version")

    def _how(self, target: Target) -> Sequence[str]:
        user = target.user
        login = ["-u", user.name, "-p", user.password, "-P", str(target.port)]
        # One try: a retry would hide what is being tested, twenty seconds later.
        return [*login, "-r", "1", "-t", "20", "-F" if self.passive else "-E"]

    def _place(self, target: Target) -> str:
        return f"ftp://{target.host}:{target.port}/"


class Tnftp(Client):
    """tnftp, the BSD `ftp`, with typed commands; EPSV or EPRT. Its exit code says nothing."""

    def list(self, target: Target) -> str:
        """LIST."""
        with home() as folder:
            return self._session(folder, target, "ls")

    def get(self, target: Target, path: str) -> bytes:
        """SIZE, RETR and MDTM."""
        with home() as folder:
            self._session(folder, target, f"get {path} got")
            return fetched(folder / "got")

    def put(self, target: Target, path: str, content: bytes) -> None:
        """STOR."""
        with home() as folder:
            (folder / "given").write_bytes(content)
            self._session(folder, target, f"put given {path}")

    @classmethod
    def version(cls) -> str:
        """The package's version: the program tells its own only inside a session."""
        return first_version("dpkg-query", "--show", "tnftp")

    def _session(self, folder: Path, target: Target, command: str) -> str:
        typed = [
            f"open {target.host} {target.port}",
            f"user {target.user.name} {target.user.password}",
            "binary",
            command,
            "quit",
        ]
        options = ["-n", "-i", "-v", "-p" if self.passive else "-A"]
        printed = self.run(folder, ["tnftp", *options], "\n".join(typed) + "\n")
        if not re.search(r"^2(26|50) ", printed, re.MULTILINE):
            raise ClientError(f"tnftp saw no transfer complete: {printed}")
        return printed


class Wget(Client):
    """wget: PASV or PORT, LIST -a."""

    def list(self, target: Target) -> str:
        """LIST -a, kept in a file."""
        with home() as folder:
            options = ["--no-remove-listing", "--output-document=index"]
            self._fetch(folder, target, "", *options)
            return (folder / ".listing").read_text()

    def get(self, target: Target, path: str) -> bytes:
        """SIZE and RETR."""
        with home() as folder:
            self._fetch(folder, target, path, "--output-document=got")
            return fetched(folder / "got")

    def put(self, target: Target, path: str, content: bytes) -> None:
        """Fail: wget only fetches."""
        raise ClientError("wget only fetches")

    @classmethod
    def version(cls) -> str:
        """As wget tells it."""
        return first_version("wget", "--version")

    def _fetch(self, folder: Path, target: Target, path: str, *options: str) -> None:
        how = [] if self.passive else ["--no-passive-ftp"]
        command = ["wget", "--no-verbose", "--tries=1", "--timeout=30", *how, *options]
        self.run(folder, [*command, target.url(path)])


class Ftplib(Client):
    """Python's ftplib: PASV (EPSV on IPv6) or PORT."""

    def list(self, target: Target) -> str:
        """LIST."""
        lines: list[str] = []
        with _complaints(), self._login(target) as ftp:
            ftp.retrlines("LIST", lines.append)
            ftp.quit()
        return "\n".join(lines)

    def get(self, target: Target, path: str) -> bytes:
        """RETR."""
        parts: list[bytes] = []
        with _complaints(), self._login(target) as ftp:
            ftp.retrbinary(f"RETR {path}", parts.append)
            ftp.quit()
        return b"".join(parts)

    def put(self, target: Target, path: str, content: bytes) -> None:
        """STOR."""
        with _complaints(), self._login(target) as ftp:
            ftp.storbinary(f"STOR {path}", io.BytesIO(content))
            ftp.quit()

    @classmethod
    def version(cls) -> str:
        """Python's, as far as the library changes with it."""
        return ".".join(platform.python_version_tuple()[:2])

    def _login(self, target: Target) -> ftplib.FTP:
        ftp = ftplib.FTP(timeout=self.patience)
        try:
            ftp.connect(target.host, target.port)
            ftp.login(target.user.name, target.user.password)
        except BaseException:
            ftp.close()
            raise
        ftp.set_pasv(self.passive)
        return ftp


class Aioftp(Client):
    """aioftp: EPSV, MLSD where the server has it; it has no active mode."""

    def list(self, target: Target) -> str:
        """MLSD or LIST."""
        with home() as folder:
            return self._do(folder, target, "list")

    def get(self, target: Target, path: str) -> bytes:
        """RETR."""
        with home() as folder:
            self._do(folder, target, "get", path)
            return fetched(folder / "got")

    def put(self, target: Target, path: str, content: bytes) -> None:
        """STOR."""
        with home() as folder:
            (folder / "given").write_bytes(content)
            self._do(folder, target, "put", path)

    @classmethod
    def version(cls) -> str:
        """The distribution's."""
        return importlib.metadata.version("aioftp")

    def _do(self, folder: Path, target: Target, *deed: str) -> str:
        script = Path(__file__).with_name("aioftp_command.py")
        user = target.user
        place = [target.host, str(target.port), user.name, user.password, str(self.patience)]
        return self.run(folder, [sys.executable, "-P", str(script), *place, *deed])


@contextmanager
def _complaints() -> Iterator[None]:
    """Turn ftplib's exceptions into ours."""
    try:
        yield
    except ftplib.all_errors as error:
        raise ClientError(f"{type(error).__name__}: {error}") from error


CLIENTS: tuple[Client, ...] = (
    *(
        kind(mode)
        for kind in (Curl, Lftp, Ncftp, Tnftp, Wget, Ftplib)
        for mode in ("passive", "active")
    ),
    Aioftp("passive"),
)
