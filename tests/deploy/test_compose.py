"""The deployment that is shipped speaks of settings, files and names that exist, and limits every service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from coopwire.settings import Settings, variable

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BROKERS = sorted(name for name in SERVICES if name.startswith("broker"))
KNOWN = {variable(field) for field in Settings.model_fields}
FROM_THE_OPERATOR = {"connections.toml"}
"""Files that the operator lays beside ours."""


def _broker_conf() -> dict[str, str]:
    lines = (DEPLOY / "rabbitmq/rabbitmq.conf").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, value in pairs}


def test_every_service_has_a_limit_of_cpu_and_memory() -> None:
    for name, service in SERVICES.items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name


def test_every_setting_exists_and_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            assert not key.startswith("COOPWIRE_") or key in KNOWN, f"{name}: {key}"
            if re.search("PASSWORD|PASS$|COOKIE|SECRET|POSTGRES_PASSWORD", key):
                assert value.startswith("${"), f"{name}: {key} is written down"


def test_whatever_is_to_be_filled_in_stands_in_the_example_and_is_asked_for() -> None:
    example = (DEPLOY / "example.env").read_text(encoding="utf-8")
    named = set(re.findall(r"^(\w+)=$", example, re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) == named
    assert not re.findall(r"\$\{\w+[^:\w]", TEXT), "a variable that may stay empty"


def test_every_file_that_is_mounted_is_shipped() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = str(volume).partition(":")[0]
            if source.startswith("./") and source.removeprefix("./") not in FROM_THE_OPERATOR:
                assert (DEPLOY / source).exists(), source
            elif not source.startswith("./"):
                assert source in COMPOSE["volumes"]


def test_the_three_brokers_find_each_other_and_answer_to_one_name() -> None:
    assert len(BROKERS) == 3
    conf = _broker_conf()
    nodes = {value for key, value in conf.items() if ".nodes." in key}
    assert nodes == {f"rabbit@{SERVICES[name]['hostname']}" for name in BROKERS}
    assert conf["cluster_partition_handling"] == "pause_minority"
    assert all(SERVICES[name]["networks"]["default"]["aliases"] == ["broker"] for name in BROKERS)
    assert "@broker/" in SERVICES["hub"]["environment"]["COOPWIRE_BUS"]
    plugins = (DEPLOY / "rabbitmq/enabled_plugins").read_text(encoding="utf-8")
    assert "rabbitmq_prometheus" in plugins


def test_prometheus_scrapes_every_process_that_there_is() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    hub, brokers = config["scrape_configs"]
    assert hub["job_name"] == "coopwire"
    assert hub["static_configs"][0]["targets"] == ["hub:8080"]
    [workers] = hub["dns_sd_configs"]
    port = SERVICES["worker"]["environment"]["COOPWIRE_METRICS_ADDRESS"].rpartition(":")[2]
    assert (workers["names"], str(workers["port"])) == (["worker"], port)
    exported = _broker_conf()["prometheus.tcp.port"]
    assert brokers["static_configs"][0]["targets"] == [f"{name}:{exported}" for name in BROKERS]
