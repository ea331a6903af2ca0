"""The command `ftpweir`: reads its arguments, calls the right part, sets the exit code.

Exit codes: 0 done, 1 a problem was found, 2 bad usage or bad configuration.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from proxy import __version__, process
from proxy import config as settings
from proxy.commands.check import check
from proxy.commands.doctor import doctor
from proxy.commands.fleet import CANNOT_BEGIN, run_workers
from proxy.commands.healthcheck import healthcheck
from proxy.commands.options import CONFIG_OPTION, SERVER_OPTION, at_server, give_up, load_config
from proxy.commands.orders import drain, reload
from proxy.commands.output import CannotPrint, Commands
from proxy.commands.sbom import sbom
from proxy.commands.show import show, top
from proxy.config import Address, Budget, Config, ConfigError
from proxy.config.units import Misfit, closest, enumerated, parse_size
from proxy.demo import PASSWORD, SESSIONS, USER, demo_server
from proxy.ops.logs import EventLog
from proxy.ops.plan import NoSuchClass, Plan, Question
from proxy.phase import Serving
from proxy.refusals import Reason
from proxy.refusals import explain as explain_refusal
from proxy.shaping.ledger import Kind

NO_FIREWALL = Budget(enforce="off")  # nothing stands before the demo server

# Paths and make are those of the sources.
WHERE_TO_GO_ON = """
Where to go on:

\b
  settings                    config/ftpweir.yaml, ftpweir explain budget
  it does not work            ftpweir doctor -c FILE, docs/OPERATIONS.md
  what it does now            ftpweir show budget, ftpweir top, http://127.0.0.1:8021/
  several processes           ftpweir run -c FILE --workers 4, docs/SCALE.md
  several machines            ftpweir explain store, docs/SCALE.md
  several servers, standbys   ftpweir explain servers, docs/BEHAVIOUR.md
  TLS on either side          docs/FTPS.md
  load test of your own plan  make loadtest, docs/LOADTEST.md
  benchmark beside others     make bench, docs/BENCHMARKS.md
"""


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=WHERE_TO_GO_ON,
)
@click.version_option(__version__, prog_name="ftpweir")
def main() -> None:
    """Stand between FTP scripts and a server with limits, so that the scripts never meet them.

    \b
    Try it:        ftpweir run --demo
    Your server:   ftpweir run --upstream ftp.example.com
    For good:      ftpweir run -c config/ftpweir.yaml
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that lacks a character shows another one, and not a traceback.
        sys.stdout.reconfigure(errors="replace")


for command in (check, doctor, show, top, healthcheck, reload, drain, sbom):
    main.add_command(command)


@main.command(short_help="Serve until SIGTERM.")
@CONFIG_OPTION
@click.option("--upstream", metavar="HOST[:PORT]", help="The FTP server; every other key default.")
@click.option("--demo", is_flag=True, help="Put a small demo server behind the proxy.")
@click.option(
    "--listen",
    metavar="ADDR:PORT",
    help="Where scripts connect, with --upstream or --demo. [default: 127.0.0.1:2121]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the work, with -c; more than one need a 'store'.",
)
def run(
    path: Path | None, upstream: str | None, demo: bool, listen: str | None, workers: int
) -> None:
    """Serve until SIGTERM: running transfers end first; a second SIGTERM ends at once.

    SIGHUP reads FILE anew, and changes nothing if it has a problem.
    """
    if sum((path is not None, upstream is not None, demo)) != 1:
        raise click.UsageError("give one of: -c FILE, --upstream HOST[:PORT], --demo")
    if path is not None and listen is not None:
        raise click.UsageError(
            "--listen goes with --upstream or --demo; a file has its own 'listen'"
        )
    if workers > 1:
        if path is None:
            raise click.UsageError("--workers goes with -c FILE")
        config = load_config(path)
        ready = partial(_ready, config, demo=False)
        sys.exit(run_workers(path, config, workers, ready))
    with contextlib.ExitStack() as stack:
        if demo:
            host, port = stack.enter_context(demo_server())
            upstream = f"{host}:{port}"
        config = load_config(path) if path is not None else _simple(upstream or "", listen)
        if demo:
            config = config.model_copy(update={"budget": NO_FIREWALL})
        try:
            process.run(
                process.serve(
                    config,
                    EventLog(config.log.format, config.log.level),
                    lambda serving: _ready(config, serving, demo=demo),
                    None if path is None else partial(settings.check, path),
                )
            )
        except CANNOT_BEGIN as problem:
            click.echo(str(problem), err=True)
            sys.exit(2)


class Size(click.ParamType[int]):
    """Bytes as the configuration writes them: 64KiB; a plain number is bytes too."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return bytes, at least one."""
        try:
            size = int(value) if isinstance(value, str) and value.isdigit() else parse_size(value)
        except Misfit as misfit:
            self.fail(str(misfit), param, ctx)
        if size < 1:
            self.fail("at least one byte", param, ctx)
        return size


@main.command(short_help="Tell what the budget allows a batch of files.")
@CONFIG_OPTION
@SERVER_OPTION
@click.option("--files", type=click.IntRange(1, 1_000_000_000), required=True, help="How many.")
@click.option("--size", type=Size(), default="64KiB", show_default=True, help="Of each file.")
@click.option(
    "--kind",
    type=click.Choice([Kind.DOWNLOAD.value, Kind.UPLOAD.value, Kind.LISTING.value]),
    default=Kind.DOWNLOAD.value,
    show_default=True,
)
@click.option(
    "--sources",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Addresses that the scripts come from.",
)
@click.option("--class", "client_class", help="Whose limits hold. [default: the last class]")
@click.option(
    "--overhead",
    type=click.FloatRange(0.001, 3600),
    default=0.1,
    show_default=True,
    help="Seconds a file takes beside its bytes: some four round trips to the server.",
)
@click.option(
    "--bandwidth",
    type=Size(),
    default="10MiB",
    show_default=True,
    help="Bytes per second of one transfer.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs; keys in docs/TIME_WAIT.md.")
def plan(path: Path | None, server: str | None, as_json: bool, kind: str, **batch: Any) -> None:
    """Tell what the budget allows a batch of files, and what other settings would change."""
    if path is None:
        raise click.UsageError("give the file: ftpweir plan -c FILE --files N")
    try:
        config = at_server(load_config(path), server).config
        told = Plan(config, Question(kind=Kind(kind), **batch))
    except NoSuchClass as problem:
        raise click.BadParameter(str(problem), param_hint="--class") from None
    if as_json:
        click.echo(json.dumps(told.as_json(), indent=2))
    else:
        Console(soft_wrap=False).print(told.as_text())


@main.command(short_help="Show the same scripts without and with ftpweir.")
@click.option("--scripts", type=click.IntRange(1, 50), default=30, show_default=True)
@click.option("--files", type=click.IntRange(1, 1000), default=10, show_default=True, help="Each.")
@click.option(
    "--lab/--emulate",
    "with_lab",
    default=None,
    help="A real firewall in network namespaces, or one in the server. [default: --lab if root]",
)
def demo(scripts: int, files: int, with_lab: bool | None) -> None:
    """Show scripts that a server refuses and its firewall bans, and the same through ftpweir."""
    try:
        from loadtest.lab import namespaces, show
    except ImportError:
        click.echo("The demo is not part of this installation: run `make demo` in the sources.")
        sys.exit(2)
    try:
        if not show.run(Console(), scripts=scripts, files=files, with_lab=with_lab):
            sys.exit(1)
    except namespaces.LabUnavailable as problem:
        raise click.UsageError(str(problem)) from None


@main.command(short_help="Tell what a refusal or a setting means.")
@click.argument("word", metavar="REASON|KEY", shell_complete=lambda *given: _begun_with(given[2]))
def explain(word: str) -> None:
    """Tell what a refusal (CLASS_SESSIONS) or a setting (budget.guard) means and what to do."""
    text = explain_refusal(word) or settings.explain(word.strip().lower())
    if text is None:
        click.echo(f"Nothing is known by the name of {word!r}{_meant(word)}.", err=True)
        sys.exit(1)
    click.echo(text.rstrip("\n"))


def _begun_with(word: str) -> list[str]:
    """List what can be explained and begins so, for the shell that completes it."""
    return [one for one in (*settings.keys(), *Reason) if one.startswith(word.lower())]


def _meant(word: str) -> str:
    """Ask back: a key by its last word, as it stands in the file, or the closest name of all."""
    word = word.strip().lower()
    keys = settings.keys()
    last = [key for key in keys if key.rpartition(".")[2] == word]
    found = last or closest(word, [*keys, *Reason])
    if not found:
        return "; docs/REFUSALS.md lists the refusals, config/ftpweir.yaml the settings"
    return f" (did you mean {enumerated(last) if last else found}?)"


def _simple(upstream: str, listen: str | None) -> Config:
    host, _, port = upstream.rpartition(":") if _has_port(upstream) else (upstream, "", "21")
    try:
        return settings.simple(host.strip("[]"), int(port), listen or "127.0.0.1:2121")
    except ConfigError as error:
        give_up(error)


def _has_port(upstream: str) -> bool:
    """Tell `host:21` and `[::1]:21` from `host` and a bare IPv6 address."""
    _, colon, port = upstream.rpartition(":")
    return bool(colon) and port.isdigit() and (upstream.count(":") == 1 or "]:" in upstream)


def _ready(config: Config, serving: Serving, *, demo: bool) -> None:
    try:
        for line in _greeting(config, serving, demo=demo):
            click.echo(line)
    except CannotPrint as problem:
        problem.show()  # a service does not end for want of a reader


def _greeting(config: Config, serving: Serving, *, demo: bool) -> Iterator[str]:
    upstream = config.upstream
    behind = "the demo server" if demo else str(Address(upstream.host, upstream.port))
    allowed = SESSIONS if demo else upstream.sessions
    login = f"{USER}:{PASSWORD}@" if demo else "USER:PASSWORD@"
    place = serving.listening[0].replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    yield f"ready: listening on {', '.join(serving.listening)}"
    many = "as many sessions as it allows" if allowed is None else f"at most {allowed} sessions"
    yield f"behind it: {behind}, with {many} at once"
    yield f"try it:    curl ftp://{login}{place}/"
    if serving.status is not None:
        yield f"watch it:  http://{serving.status}/"
