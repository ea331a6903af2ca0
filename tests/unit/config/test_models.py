"""The defaults that other rooms and the contract rely on."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from proxy.config.addresses import Address
from proxy.config.models import Config
from proxy.config.serverside import Upstream


def defaults() -> Config:
    return Config(upstream=Upstream(host="ftp.example.com"))


def test_only_the_server_must_be_named() -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({})
    assert [error["loc"] for error in caught.value.errors()] == [("upstream",)]
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"upstream": {}})
    assert [error["loc"] for error in caught.value.errors()] == [("upstream", "host")]


def test_the_proxy_serves_only_this_machine_unless_told_otherwise() -> None:
    assert [each.address for each in defaults().listen] == [Address("127.0.0.1", 2121)]


def test_without_classes_everyone_has_fifty_sessions() -> None:
    (everyone,) = defaults().clients
    assert (everyone.name, everyone.sessions, everyone.matches_everybody) == ("everyone", 50, True)


def test_what_is_written_as_json_is_read_back_as_the_same_configuration() -> None:
    told = defaults().model_dump(mode="json")
    # A key that was left out has no word of its own in a file.
    assert told["budget"].pop("profile") == "not given"
    assert Config.model_validate(told) == defaults()


def test_each_way_to_a_server_has_a_state_file_of_its_own() -> None:
    two = {"host": "a", "standby": "b:2121", "source_addresses": "192.0.2.7"}
    config = Config.model_validate({"upstream": two, "state": "s"})
    assert config.state_files == ("s.192.0.2.7", "s.192.0.2.7@b:2121")
    assert config.model_copy(update={"state": None}).state_files == ()
