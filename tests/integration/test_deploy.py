"""The files of config/deploy, each judged by who would read it, or by its schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from proxy.config import Config, examine
from tests.support.programs import CHECKOUT, program

DEPLOY = CHECKOUT / "config" / "deploy"
ENVIRONMENT = {"UPSTREAM_HOST": "ftp.example.com"}

pytestmark = pytest.mark.integration


def objects() -> dict[str, Any]:
    """The Kubernetes objects by their kind."""
    with (DEPLOY / "kubernetes.yaml").open() as file:
        return {one["kind"]: one for one in yaml.safe_load_all(file)}


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def settings(text: str) -> Config:
    """Read the ftpweir.yaml inside another file; it must be good without a warning."""
    reading = examine(text, "ftpweir.yaml", ENVIRONMENT)
    assert reading.problems == ()
    assert reading.config is not None
    return reading.config


@pytest.mark.parametrize("kind", ["ConfigMap", "PersistentVolumeClaim", "Deployment"])
def test_kubernetes_would_take_each_object(kind: str) -> None:
    kubernetes_validate.validate(objects()[kind], "1.30", strict=True)


def test_the_pod_has_time_for_lag_and_drain() -> None:
    config = settings(objects()["ConfigMap"]["data"]["ftpweir.yaml"])
    pod = objects()["Deployment"]["spec"]["template"]["spec"]
    timeouts = config.timeouts
    assert pod["terminationGracePeriodSeconds"] > timeouts.drain_lag + timeouts.drain
    assert pod["containers"][0]["ports"][0]["containerPort"] == config.listen[0].address.port


def test_no_two_pods_share_a_state_file() -> None:
    spec = objects()["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_the_compose_file_fits_its_schema() -> None:
    checker = str(Path(sys.executable).with_name("check-jsonschema"))
    schema = ["--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [checker, *schema, str(DEPLOY / "compose.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_container_has_time_to_drain() -> None:
    text = compose()["configs"]["ftpweir"]["content"].replace("$$", "$")
    grace = compose()["services"]["ftpweir"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > settings(text).timeouts.drain


def test_both_run_as_the_user_of_the_image() -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    user = compose()["services"]["ftpweir"]["user"]
    assert f"\nUSER {user}\n" in dockerfile
    pod = objects()["Deployment"]["spec"]["template"]["spec"]["securityContext"]
    assert f"{pod['runAsUser']}:{pod['runAsGroup']}" == user


@pytest.mark.parametrize("name", ["balance.nft", "passive.nft", "transparent.nft"])
def test_the_kernel_takes_the_rules(name: str) -> None:
    done = subprocess.run(
        [program("nft"), "-c", "-f", str(DEPLOY / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_haproxy_finds_nothing_wrong_with_its_example() -> None:
    done = subprocess.run(
        [program("haproxy"), "-c", "-f", str(DEPLOY / "haproxy.cfg")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
