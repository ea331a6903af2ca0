"""The real servers of the lab, each with the configuration that a test's wishes become."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterable

from .backend import Backend
from .isolation import SystemLog, isolated
from .programs import SERVERS as SERVERS_HOME
from .programs import first_version, server_program
from .users import USERS, password_hash


class Vsftpd(Backend):
    """vsftpd; its users are local users of an /etc/passwd that only it sees. Refuses with 421."""

    kind = "vsftpd"

    @classmethod
    def version(cls) -> str:
        """As vsftpd tells it, to its standard input of all places."""
        return first_version("sh", "-c", '"$0" -v 0>&1', server_program("usr/sbin/vsftpd"))

    def command(self) -> list[str]:
        """Local users in their homes, checked by PAM as on a real machine."""
        empty = self.folder / "empty"
        empty.mkdir()
        settings = {
            "listen": "NO" if ":" in self.host else "YES",
            "listen_ipv6": "YES" if ":" in self.host else "NO",
            "listen_address6" if ":" in self.host else "listen_address": self.host,
            "listen_port": self.port,
            "background": "NO",
            "anonymous_enable": "NO",
            "local_enable": "YES",
            "write_enable": "YES",
            "local_umask": "022",
            "mdtm_write": "YES",
            "chroot_local_user": "YES",
            "allow_writeable_chroot": "YES",
            "secure_chroot_dir": empty,
            "pam_service_name": "vsftpd",
            "nopriv_user": "nobody",
            "dual_log_enable": "NO",
            "xferlog_enable": "YES",
            "log_ftp_protocol": "YES",
            "vsftpd_log_file": self.log_file,
            # Its list of allowed system calls is older than today's kernels and libraries.
            "seccomp_sandbox": "NO",
            # A new namespace for each session costs tens of milliseconds and proves nothing here.
            "isolate": "NO",
            "isolate_network": "NO",
            "max_per_ip": self.max_per_ip,
            "max_clients": 0,
            "max_login_fails": 3,
            "delay_failed_login": 0,
            "delay_successful_login": 0,
        }
        if self.passive_ports:
            settings["pasv_min_port"], settings["pasv_max_port"] = self.passive_ports
        if self.pasv_address:
            settings["pasv_address"] = self.pasv_address
        if self.tls:
            settings |= {
                "ssl_enable": "YES",
                "rsa_cert_file": self.tls.certificate,
                "rsa_private_key_file": self.tls.key,
                "force_local_logins_ssl": "YES",
                "force_local_data_ssl": "YES",
                "require_ssl_reuse": "YES",
                "strict_ssl_read_eof": "YES",
                "implicit_ssl": "YES" if self.is_implicit else "NO",
                "ssl_ciphers": "HIGH",
            }
        config = self.folder / "vsftpd.conf"
        config.write_text(_lines(f"{key}={value}" for key, value in settings.items()))
        return isolated(self.folder, self.homes, [server_program("usr/sbin/vsftpd"), str(config)])


class PureFtpd(Backend):
    """pure-ftpd with its own user database. Refuses with 421."""

    kind = "pure-ftpd"

    @classmethod
    def version(cls) -> str:
        """As its help tells it."""
        return first_version(server_program("usr/sbin/pure-ftpd"), "--help")

    def command(self) -> list[str]:
        """Virtual users, one process per session, everything told to syslog."""
        self._undo.callback(SystemLog(self.folder, self.log_file).close)
        people, database = self.folder / "pureftpd.passwd", self.folder / "pureftpd.pdb"
        people.write_text(
            _lines(
                f"{user.name}:{password_hash(user.password)}:{user.number}:{user.number}::"
                f"{self.homes / user.name}/./" + ":" * 12
                for user in USERS
            )
        )
        make = [server_program("usr/bin/pure-pw"), "mkdb", str(database), "-f", str(people)]
        subprocess.run(make, check=True, capture_output=True)
        command = [
            server_program("usr/sbin/pure-ftpd"),
            *("--bind", f"{self.host},{self.port}"),
            *("--login", f"puredb:{database}"),
            *("--pidfile", str(self.folder / "pid")),
            *("--maxclientsnumber", "500"),
            *("--maxclientsperip", str(self.max_per_ip or 500)),
            "--chrooteveryone",
            "--noanonymous",
            "--dontresolve",
            "--verboselog",
        ]
        if ":" not in self.host:
            command.append("--ipv4only")
        if self.tls:
            command += ["--tls", "2"]  # it knows no implicit TLS
            command += ["--certfile", f"{self.tls.certificate},{self.tls.key}"]
        if self.passive_ports:
            command += ["--passiveportrange", "{}:{}".format(*self.passive_ports)]
        if self.pasv_address:
            command += ["--forcepassiveip", self.pasv_address]
        return isolated(self.folder, self.homes, command)


class ProFtpd(Backend):
    """proftpd with its own user file. Refuses with 530, and only once the user is known."""

    kind = "proftpd"

    @classmethod
    def version(cls) -> str:
        """As proftpd tells it."""
        return first_version(server_program("usr/sbin/proftpd"), "--version")

    def command(self) -> list[str]:
        """Virtual users, one process per session."""
        people, groups = self.folder / "ftpd.passwd", self.folder / "ftpd.group"
        people.write_text(
            _lines(
                f"{user.name}:{password_hash(user.password)}:{user.number}:{user.number}::"
                f"{self.homes / user.name}:/bin/sh"
                for user in USERS
            )
        )
        groups.write_text(_lines(f"{user.name}:x:{user.number}:" for user in USERS))
        people.chmod(0o640)
        groups.chmod(0o640)
        settings = [
            "ServerType standalone",
            'ServerName "lab"',
            f"UseIPv6 {'on' if ':' in self.host else 'off'}",
            f"DefaultAddress {self.host}",
            "SocketBindTight on",
            f"Port {self.port}",
            "User nobody",
            "Group nogroup",
            "Umask 022",
            "MaxInstances 500",
            "DefaultRoot ~",
            "RequireValidShell off",
            "AllowOverwrite on",
            "AllowStoreRestart on",
            "AllowRetrieveRestart on",
            "AuthOrder mod_auth_file.c",
            f"AuthUserFile {people}",
            f"AuthGroupFile {groups}",
            f"PidFile {self.folder / 'pid'}",
            f"ScoreboardFile {self.folder / 'scoreboard'}",
            f"DelayTable {self.folder / 'delay'}",
            "DelayEngine off",
            f"ControlsSocket {self.folder / 'controls'}",
            "ControlsEngine off",
            "UseReverseDNS off",
            "WtmpLog off",
            "TransferLog none",
            f"SystemLog {self.folder / 'system.log'}",
            'LogFormat lab "%a %u \\"%r\\" %s %S"',
            f"ExtendedLog {self.log_file} ALL lab",
        ]
        if self.tls:
            # Its own defaults otherwise: data connections must resume the control session.
            settings = [
                f"ModulePath {SERVERS_HOME / 'usr/lib/proftpd'}",
                "LoadModule mod_tls.c",
                *settings,
                "TLSEngine on",
                f"TLSLog {self.folder / 'tls.log'}",
                f"TLSRSACertificateFile {self.tls.certificate}",
                f"TLSRSACertificateKeyFile {self.tls.key}",
                "TLSRequired on",
                *(["TLSOptions UseImplicitSSL"] if self.is_implicit else []),
            ]
        if self.max_per_ip:
            settings.append(f"MaxClientsPerHost {self.max_per_ip}")
        if self.passive_ports:
            settings.append("PassivePorts {} {}".format(*self.passive_ports))
        if self.pasv_address:
            settings.append(f"MasqueradeAddress {self.pasv_address}")
        config = self.folder / "proftpd.conf"
        config.write_text(_lines(settings))
        command = [server_program("usr/sbin/proftpd"), "--nodaemon", "--config", str(config)]
        return isolated(self.folder, self.homes, command)


class PyFtpd(Backend):
    """pyftpdlib, one process for all sessions. Refuses with 421."""

    kind = "pyftpdlib"

    @classmethod
    def version(cls) -> str:
        """The distribution's."""
        return importlib.metadata.version("pyftpdlib")

    def command(self) -> list[str]:
        """Virtual users; see pyftpd.py."""
        wishes = {
            "host": self.host,
            "port": self.port,
            "max_per_ip": self.max_per_ip,
            "passive_ports": self.passive_ports,
            "pasv_address": self.pasv_address,
            "certificate": str(self.tls.certificate) if self.tls else "",
            "key": str(self.tls.key) if self.tls else "",
            "users": {user.name: [user.password, str(self.home(user))] for user in USERS},
        }
        return [sys.executable, "-m", "tests.support.pyftpd", json.dumps(wishes)]


SERVERS: tuple[type[Backend], ...] = (Vsftpd, PureFtpd, ProFtpd, PyFtpd)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
