"""The manifests of `deploy/kubernetes`: valid, and as safe as the guide says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from rescind.http.server.configuration import load
from tests.docs.pages import blocks
from tests.release.changelog import ROOT

FOLDER = ROOT / "deploy/kubernetes"
KINDS = ("base", "overlays/small", "overlays/production")
OLDEST, NEWEST = "1.31", "1.37"
"""The versions of Kubernetes that the manifests are compared with; 1.31 has all that they use."""
Manifest = dict[str, Any]


@cache
def rendered(kind: str) -> list[Manifest]:
    """What `kubectl apply -k` would apply."""
    return render(FOLDER / kind)


def render(folder: Path) -> list[Manifest]:
    """The manifests of a folder, made by kubectl."""
    kubectl = Path(sysconfig.get_path("scripts")) / "kubectl"
    command = [str(kubectl), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr  # where it says what is deprecated
    return list(yaml.safe_load_all(done.stdout))


def named(kind: str, what: str, name: str) -> Manifest:
    (found,) = [
        each for each in rendered(kind) if (each["kind"], each["metadata"]["name"]) == (what, name)
    ]
    return found


def pods(kind: str) -> Iterator[tuple[str, Manifest]]:
    """The pods' part of each workload."""
    for each in rendered(kind):
        if each["kind"] in {"Deployment", "Job"}:
            yield each["metadata"]["name"], each["spec"]["template"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("kind", KINDS)
def test_valid(kind: str, version: str) -> None:
    """By the schema of each version of Kubernetes, with no unknown field."""
    for manifest in rendered(kind):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_control_an_invalid_manifest_is_found() -> None:
    """A misspelt field is refused."""
    manifest = yaml.safe_load(yaml.safe_dump(named("base", "Deployment", "rescind")))
    manifest["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


def faults(pod: Manifest) -> list[str]:
    """What of a pod's confinement is missing."""
    spec = pod["spec"]
    context = spec.get("securityContext", {})
    found = []
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        found.append("root")
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        found.append("system calls")
    if spec.get("automountServiceAccountToken") is not False:
        found.append("token")
    if spec.get("enableServiceLinks") is not False:
        found.append("service links")  # RESCIND_PORT=tcp://…, from a Service named rescind
    for container in spec["containers"] + spec.get("initContainers", []):
        own = container.get("securityContext", {})
        if own.get("readOnlyRootFilesystem") is not True:
            found.append("file system")
        if own.get("allowPrivilegeEscalation") is not False:
            found.append("escalation")
        if own.get("capabilities") != {"drop": ["ALL"]}:
            found.append("capabilities")
        if not container["resources"]["requests"].keys() >= {"cpu", "memory"}:
            found.append("requests")
        if "memory" not in container["resources"]["limits"]:
            found.append("limits")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_confined(kind: str) -> None:
    """No pod runs as root, writes to its image, or has a token; each has resources."""
    assert {name: faults(pod) for name, pod in pods(kind) if faults(pod)} == {}


@pytest.mark.parametrize(
    ("fault", "break_it"),
    [
        ("root", lambda spec: spec["securityContext"].pop("runAsNonRoot")),
        ("system calls", lambda spec: spec["securityContext"].pop("seccompProfile")),
        ("token", lambda spec: spec.pop("automountServiceAccountToken")),
        ("service links", lambda spec: spec.pop("enableServiceLinks")),
        ("file system", lambda spec: spec["initContainers"][0].pop("securityContext")),
        ("limits", lambda spec: spec["containers"][0]["resources"]["limits"].pop("memory")),
    ],
)
def test_control_a_pod_that_is_not_confined(
    fault: str, break_it: Callable[[Manifest], object]
) -> None:
    """Each fault is found."""
    pod = yaml.safe_load(yaml.safe_dump(dict(pods("base"))["rescind"]))
    break_it(pod["spec"])
    assert fault in faults(pod)


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_by_reference(kind: str) -> None:
    """No manifest holds a secret; passwords come from Secrets, the migration's from one of its own."""
    assert "Secret" not in {each["kind"] for each in rendered(kind)}
    for name, pod in pods(kind):
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
            (password,) = container["env"]
            assert password["name"] == "PGPASSWORD"
            secret = password["valueFrom"]["secretKeyRef"]["name"]
            migrates = name.startswith("rescind-migration")
            assert secret == ("rescind-migration" if migrates else "rescind-database")
    for each in rendered(kind):
        for url in each.get("data", {}).values() if each["kind"] == "ConfigMap" else ():
            assert ":" not in url.removeprefix("postgresql:").partition("@")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_migration_first(kind: str) -> None:
    """A plain Job migrates; what serves waits for it with the check of its own version, and is not ready."""
    (job,) = [each for each in rendered(kind) if each["kind"] == "Job"]
    assert not job["metadata"].get("annotations")
    (migrates,) = job["spec"]["template"]["spec"]["containers"]
    assert migrates["args"] == ["migrate", "--grant-to", "rescind"]  # the role of the servers
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "rescind-migration"
    serving = {name: pod for name, pod in pods(kind) if name != job["metadata"]["name"]}
    assert serving
    for pod in serving.values():
        (waits,) = pod["spec"]["initContainers"]
        assert waits["command"] == ["sh", "-c", f"until {WAITING} > /dev/null; do sleep 2; done"]
        (container,) = pod["spec"]["containers"]
        assert "--migrate" not in container["args"]
        assert waits["envFrom"] == container["envFrom"]
        assert waits["image"] == container["image"] == migrates["image"]
        for probe, path in (
            ("startupProbe", "/livez"),
            ("livenessProbe", "/livez"),
            ("readinessProbe", "/readyz"),
        ):
            assert container[probe]["httpGet"]["path"] == path
            ports = {port["name"] for port in container["ports"]}
            assert container[probe]["httpGet"]["port"] in ports


WAITING = "rescind pending"


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_known(kind: str) -> None:
    """The service takes each setting of its ConfigMap, and ends within the time that a pod is given."""
    (deployment,) = [pod for name, pod in pods(kind) if name == "rescind"]
    (reference,) = deployment["spec"]["containers"][0]["envFrom"]
    environment = named(kind, "ConfigMap", reference["configMapRef"]["name"])["data"]
    taken, _ = load(None, environment, {})
    assert taken.database == environment["RESCIND_DATABASE"]
    assert taken.metrics_port == 9464
    grace = deployment["spec"]["terminationGracePeriodSeconds"]
    assert grace >= taken.drain_seconds + taken.shutdown_seconds + 10
    probe = deployment["spec"]["containers"][0]["readinessProbe"]
    assert taken.drain_seconds > probe["periodSeconds"] * probe["failureThreshold"]


@pytest.mark.parametrize("kind", KINDS)
def test_selectors(kind: str) -> None:
    """The Service and each budget select pods of one workload, and the policy all."""
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(kind)}
    chosen = {
        (each["kind"], each["metadata"]["name"]): {
            name for name, of_pod in labels.items() if wanted(each).items() <= of_pod.items()
        }
        for each in rendered(kind)
        if each["kind"] in {"Service", "PodDisruptionBudget", "NetworkPolicy"}
    }
    workers = {("PodDisruptionBudget", "rescind-worker"): {"rescind-worker"}}
    assert chosen == {
        ("Service", "rescind"): {"rescind"},
        ("PodDisruptionBudget", "rescind"): {"rescind"},
        ("NetworkPolicy", "rescind"): set(labels),
        **(workers if "rescind-worker" in labels else {}),
    }
    policy = named(kind, "NetworkPolicy", "rescind")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert all(rule.get("from") for rule in policy["ingress"])


def wanted(manifest: Manifest) -> dict[str, str]:
    """The labels that it selects."""
    spec = manifest["spec"]
    selector = spec.get("podSelector", spec.get("selector"))
    labels: dict[str, str] = (
        selector.get("matchLabels", {}) if manifest["kind"] != "Service" else selector
    )
    return labels


def test_kinds_differ_in_size() -> None:
    """Small is one server with a worker in it; production has three, apart, and workers of their own."""
    replicas = {
        kind: {
            each["metadata"]["name"]: each["spec"]["replicas"]
            for each in rendered(kind)
            if each["kind"] == "Deployment"
        }
        for kind in KINDS
    }
    assert replicas == {
        "base": {"rescind": 2},
        "overlays/small": {"rescind": 1},
        "overlays/production": {"rescind": 3, "rescind-worker": 2},
    }
    spread = named("overlays/production", "Deployment", "rescind")["spec"]["template"]["spec"]
    assert spread["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    (database,) = [
        each["data"]["RESCIND_DATABASE"]
        for each in rendered("overlays/production")
        if each["kind"] == "ConfigMap" and "RESCIND_WORKERS" in each["data"]
    ]
    assert "sslmode=verify-full" in database


def test_the_overlay_of_the_guide(tmp_path: Path) -> None:
    """What the guide has one write is rendered, is valid, and reaches every pod."""
    page = ROOT / "docs/howto/run-on-kubernetes.md"
    (overlay,) = [block.text for block in blocks(page) if block.language == "yaml"]
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    ours = tmp_path / "kubernetes/overlays/ours"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text(overlay, "utf-8")
    made = render(ours)
    for manifest in made:
        kubernetes_validate.validate(manifest, NEWEST, strict=True)
        assert manifest["metadata"]["namespace"] == "access"
    urls = [each["data"]["RESCIND_DATABASE"] for each in made if each["kind"] == "ConfigMap"]
    assert len(urls) == 2
    assert all("@db.internal/" in url for url in urls)
    images = set(re.findall(r"image: (.*)", yaml.safe_dump_all(made)))
    assert len(images) == 1
    assert images.pop().startswith("registry.internal/rescind:")
