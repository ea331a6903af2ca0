"""The first half of a visit: who answers, TLS, the login, what the server says of itself.

Each function takes an open control line and returns what was seen; LineLost passes through.
"""

from __future__ import annotations

import ssl
from datetime import UTC

from cryptography import x509

from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import parse_directory
from proxy.net.trust import TrustFiles, trust_context
from proxy.upstream.dial import means_busy

from .credentials import Credentials
from .seen import Certificate, Features, Greeter, Greeting, Login, Tls
from .wire import ControlLine, Dialler, LineLost, LineSilent, NotFtp


def greet(line: ControlLine, patience: float) -> Greeting:
    """Wait for the first words."""
    try:
        reply = line.reply(patience)
        if reply.code == 120:  # RFC 959 section 5.4: "ready in nnn minutes", the 220 follows
            reply = line.reply(patience)
    except NotFtp as problem:
        return Greeting(Greeter.OTHER, words=str(problem))
    except LineSilent as problem:
        return Greeting(Greeter.MUTE, words=str(problem))
    except LineLost as problem:
        return Greeting(Greeter.GONE, words=str(problem))
    return Greeting(Greeter.FTP, reply.code, reply.words, means_busy(reply))


def ask_for_tls(line: ControlLine, patience: float) -> Reply:
    """Send AUTH TLS; 234 means that the handshake may begin (RFC 4217 section 4)."""
    return line.ask("AUTH TLS", patience)


def shake_hands(line: ControlLine, context: ssl.SSLContext, name: str, patience: float) -> Tls:
    """Begin TLS on the line."""
    try:
        version = line.secure(context, name, patience)
    except ssl.SSLCertVerificationError as problem:
        words = problem.verify_message or str(problem)
        return Tls(True, failure=words, verify_code=problem.verify_code)
    except OSError as problem:  # ssl.SSLError is one
        return Tls(True, failure=getattr(problem, "reason", None) or str(problem))
    return Tls(True, version, certificate=_shown(line))


def look_at_certificate(
    dialler: Dialler, host: str, port: int, *, implicit: bool, patience: float
) -> Certificate | None:
    """Connect once more to read a certificate that did not pass; no password goes over this."""
    _, sock = dialler.connect(host, port)
    if sock is None:
        return None
    line = ControlLine(sock)
    try:
        if not implicit:
            line.reply(patience)
            if ask_for_tls(line, patience).code != 234:
                return None
        line.secure(trust_context(TrustFiles(verify=False)), host, patience)
        return _shown(line)
    except (LineLost, OSError):
        return None
    finally:
        line.close()


def log_in(line: ControlLine, login: Credentials, patience: float) -> Login:
    """Send USER and PASS. A line lost in between is how some servers say that they are full."""
    try:
        reply = line.ask(f"USER {login.user}", patience)
        if reply.code == 331:
            reply = line.ask(f"PASS {login.password}", patience)
    except LineSilent:
        raise
    except LineLost as problem:
        return Login(login.user, 421, str(problem), busy=True)
    return Login(login.user, reply.code, reply.words, busy=means_busy(reply))


def get_to_know(line: ControlLine, patience: float) -> Features:
    """Ask SYST, FEAT and PWD."""
    system = line.ask("SYST", patience)
    facts = ServerFacts.of(line.ask("FEAT", patience), system)
    directory = line.ask("PWD", patience)
    return Features(
        system.words if system.is_success else "",
        tuple(_printable(feature.decode("ascii", "replace")) for feature in facts.features),
        directory.words,
        parse_directory(directory) is not None,
    )


def _shown(line: ControlLine) -> Certificate | None:
    shown = line.tls.getpeercert(binary_form=True) if line.tls else None
    return read_certificate(shown) if shown else None


def read_certificate(der: bytes) -> Certificate | None:
    """Read what a certificate says, whether it is good or not; None: it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Certificate(
            _printable(certificate.subject.rfc4514_string()),
            _printable(certificate.issuer.rfc4514_string()),
            _names(certificate),
            certificate.not_valid_before_utc.astimezone(UTC),
            certificate.not_valid_after_utc.astimezone(UTC),
        )
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    addresses = (str(address) for address in found.get_values_for_type(x509.IPAddress))
    return (*map(_printable, found.get_values_for_type(x509.DNSName)), *addresses)


def _printable(text: str) -> str:
    """Keep a server's words from commanding the terminal that shows them."""
    return "".join(one if one.isprintable() else "?" for one in text)
