"""Any order of commands and outcomes: what holds for a dialogue whatever a client does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from proxy.ftp.action import (
    Action,
    Answer,
    Close,
    DropData,
    Forward,
    Login,
    Move,
    Name,
    OpenPassive,
    Pin,
    Rename,
    Restart,
    SetActive,
    Transfer,
)
from proxy.ftp.command import COMMANDS, Command, Direction, Needs, parse_command
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused, Reply
from proxy.ftp.virtual import State, replay

FACTS = ServerFacts((b"UTF8", b"MLST type*;size*;"))

usual = st.sampled_from(
    b"USER alice|PASS x|ACCT x|TYPE I|TYPE A|TYPE E|REST 5|REST 0|REST x|RETR a|STOR a|LIST|PASV|"
    b"EPSV|EPSV ALL|PORT 192,0,2,7,156,64|EPRT |1|192.0.2.7|40000||RNFR a|RNTO b|NOOP|REIN|PWD|"
    b"CWD a|OPTS UTF8 ON|OPTS UTF8 OFF|OPTS MLST size;|SITE CHMOD 1 a|XCRC a|ABOR|STAT|QUIT".split(
        b"|"
    )
)
any_verb = st.sampled_from(sorted(COMMANDS)).map(str.encode)
odd = st.builds(lambda verb, rest: verb + b" " + rest, any_verb, st.binary(max_size=12))
lines = usual | odd | st.binary(max_size=20)
few = st.lists(usual | st.just(b"NOOP"), max_size=2)

# What a session may be asked to do for somebody who has not logged in.
OURS = Answer | Name | Login | Restart | DropData | Close
AT_LAST_ONE_REPLY = Answer | Name | Restart | DropData | Close


class AnyOrder(RuleBasedStateMachine):
    """Plays a client and its server; beside the dialogue it keeps the little it must remember."""

    def __init__(self) -> None:
        super().__init__()
        self.dialogue = Dialogue("192.0.2.7", is_ipv6=False, site_harmless=frozenset({"CHMOD"}))
        self.action: Action | None = None
        self.restart: bytes | None = None
        self.renamed_from: Command | None = None
        self.only_epsv = False

    # Most runs begin behind a login, and some rules are whole deeds: chance is too slow.

    @initialize(logs_in=st.sampled_from([True, True, True, False]))
    def begin(self, logs_in: bool) -> None:
        if logs_in:
            self.obey(b"USER alice")
            self.obey(b"PASS x")
            self.log_in("in", b"/h")

    @rule(between=few, verb=st.sampled_from([b"RETR", b"STOR", b"APPE", b"LIST"]))
    def restart_twice(self, between: list[bytes], verb: bytes) -> None:
        for line in (b"REST 7", *between, verb + b" a", b"RETR a"):
            self.obey(line)

    @rule(between=few)
    def rename(self, between: list[bytes]) -> None:
        self.obey(b"RNFR a")
        for line in (*between, b"RNTO b", b"RNTO b"):
            self.obey(line)

    @rule(between=few, again=st.sampled_from([b"REIN", b"NOOP"]))
    def agree_on_epsv(self, between: list[bytes], again: bytes) -> None:
        for line in (b"EPSV ALL", *between, again, b"USER alice", b"PASS x"):
            self.obey(line)
        self.log_in("in", b"/h")
        self.obey(b"PASV")

    @rule(line=lines)
    def obey(self, line: bytes) -> None:
        before = self.dialogue.state.copy()
        was_logged_in = self.dialogue.is_logged_in
        command, self.action = Command("NOOP"), None
        refusal: Reply | None = None
        try:
            command = parse_command(line)
            self.action = self.dialogue.decide(command)
        except Refused as refused:
            refusal = refused.reply
        assert refusal is None or refusal.is_refusal
        if self.action is not None:
            self.check_stage(self.action, was_logged_in)
            self.check_restart(command, self.action)
            self.check_port(command, self.action)
        self.check_rename(command, was_logged_in)
        self.check_state(command, before)

    def check_stage(self, action: Action, was_logged_in: bool) -> None:
        assert was_logged_in or isinstance(action, OURS)
        if isinstance(action, AT_LAST_ONE_REPLY):
            assert not action.reply.is_preliminary
            assert action.reply.encode().count(b"\r") == len(action.reply.lines)

    def check_restart(self, command: Command, action: Action) -> None:
        if command.verb == "REST":
            self.restart = b"%d" % int(command.argument) if int(command.argument) else None
        elif command.verb in ("USER", "REIN"):
            self.restart = None
        elif isinstance(action, Transfer):
            wanted = None if action.direction is Direction.LISTING else self.restart
            assert action.restart == wanted
            self.restart = None

    def check_port(self, command: Command, action: Action) -> None:
        if isinstance(action, OpenPassive | SetActive):
            assert not self.only_epsv or command.verb == "EPSV"
        if command.verb == "EPSV" and isinstance(action, Answer):
            self.only_epsv = True

    def check_rename(self, command: Command, was_logged_in: bool) -> None:
        allowed = command.verb == "RNTO" and was_logged_in and self.renamed_from is not None
        assert isinstance(self.action, Rename) == allowed
        if isinstance(self.action, Rename):
            assert self.action.source == self.renamed_from
        # Before a login there is none to forget.
        if command.verb != "NOOP":
            begins = command.verb == "RNFR" and was_logged_in and self.action is not None
            self.renamed_from = command if begins else None

    def check_state(self, command: Command, before: State) -> None:
        after = self.dialogue.state
        if command.verb == "REIN" and self.action is not None:
            assert after == State()
        elif command.verb == "USER" and self.action is not None:
            assert after == State(None, before.type, before.options)
        else:
            assert after.cwd == before.cwd
            assert after.type == before.type or command.verb == "TYPE"
            assert after.options == before.options or command.verb == "OPTS"
            assert self.action is not None or after == before

    # Outcomes: only those that the last action asks for.

    @precondition(lambda self: isinstance(self.action, Login))
    @rule(outcome=st.sampled_from(["in", "account", "failed"]), home=st.sampled_from([b"/h", None]))
    def log_in(self, outcome: str, home: bytes | None) -> None:
        before = self.dialogue.state.copy()
        if outcome == "in":
            self.dialogue.logged_in(home, FACTS)
            assert self.dialogue.state == State(home, before.type, before.options)
        elif outcome == "account":
            self.dialogue.account_wanted()
        else:
            self.dialogue.login_failed()
            self.restart = None
        assert self.dialogue.is_logged_in == (outcome == "in")
        self.action = None

    @precondition(lambda self: isinstance(self.action, Move))
    @rule(cwd=st.sampled_from([b"/h/a", b"/", None]))
    def move(self, cwd: bytes | None) -> None:
        before = self.dialogue.state.copy()
        self.dialogue.moved(cwd)
        assert self.dialogue.state == State(cwd, before.type, before.options)
        self.action = None

    @precondition(
        lambda self: isinstance(self.action, Forward) and self.action.command.verb == "OPTS"
    )
    @rule()
    def set_option(self) -> None:
        self.dialogue.option_set(b"MLST", b"size;")
        assert self.dialogue.state.options[b"MLST"] == b"size;"
        self.action = None

    @precondition(lambda self: isinstance(self.action, Pin))
    @rule()
    def pin(self) -> None:
        assert self.dialogue.is_logged_in
        self.action = None


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40)


options = st.dictionaries(
    st.sampled_from([b"UTF8", b"MLST", b"HASH"]), st.sampled_from([b"", b"ON", b"OFF", b"size;"])
)
states = st.builds(
    State,
    st.sampled_from([None, b"/", b"/a", b"/a b "]),
    st.sampled_from([b"A", b"I"]),
    options,
)
needs_of_any = st.integers(0, Needs.ALL.value).map(Needs)
DEFAULTS = FACTS.option_defaults


def seen(state: State, needs: Needs, wanted: State) -> tuple[object, ...]:
    """What of `state` matters: an option that is wanted or has a known default; no unknown wish."""
    words = wanted.options.keys() | DEFAULTS.keys()
    chosen = {word: state.options.get(word, DEFAULTS.get(word)) for word in words}
    return (
        state.cwd if Needs.CWD in needs and wanted.cwd is not None else None,
        state.type if Needs.TYPE in needs else None,
        chosen if Needs.OPTIONS in needs else None,
    )


@given(actual=states, wanted=states, needs=needs_of_any)
def test_a_replay_makes_true_what_is_needed_and_touches_nothing_else(
    actual: State, wanted: State, needs: Needs
) -> None:
    state = actual.copy()
    for step in replay(actual, wanted, needs, DEFAULTS):
        step.apply(state)
    assert seen(state, needs, wanted) == seen(wanted, needs, wanted)
    assert seen(state, ~needs, wanted) == seen(actual, ~needs, wanted)
    assert replay(state, wanted, needs, DEFAULTS) == []


@given(actual=states, wanted=states, after=states, cut=st.integers(0, 5))
def test_a_replay_broken_off_anywhere_deceives_nobody(
    actual: State, wanted: State, after: State, cut: int
) -> None:
    """The server may have obeyed the last step or not: what follows must be right either way."""
    steps = replay(actual, wanted, Needs.ALL, DEFAULTS)[: cut + 1]
    if not steps:
        return
    believed, *servers = actual.copy(), actual.copy(), actual.copy()
    for step in steps[:-1]:
        for state in (believed, *servers):
            step.apply(state)
    steps[-1].doubt(believed)
    steps[-1].apply(servers[0])
    for server in servers:
        for step in replay(believed, after, Needs.ALL, DEFAULTS):
            step.apply(server)
        assert seen(server, Needs.ALL, after) == seen(after, Needs.ALL, after)
