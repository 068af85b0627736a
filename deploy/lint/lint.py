"""Checks what a deployment is made of: each file by the tool or schema that it is for, and that they fit together.

    python deploy/lint/lint.py FOLDER_WITH_TOOLS

Where the machine lacks systemd or kubectl, it says what it skipped.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, List

import promql_parser
import yaml

DEPLOY = Path(__file__).resolve().parent.parent
ROOT = DEPLOY.parent
METRIC = re.compile(r"\bveriregime_\w+")
# A unit that is no more exposed than this, of 10, by systemd's own measure.
MAX_EXPOSURE = 2.0
problems: List[str] = []


def check(holds: object, problem: str) -> None:
    """Notes a problem unless the condition holds."""
    if not holds:
        problems.append(problem)


def run(*command: object) -> str:
    """Output of a tool; its failure is a problem."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=ROOT)
    check(done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def counted_metrics() -> set[str]:
    """The names that the program exports."""
    folder = ROOT / "src/telemetry"
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.rs"))
    names = set(re.findall(r'= "(veriregime_\w+)";', source))
    check(names, "src/telemetry names no metric")
    return names | {name + part for name in names if name.endswith("_seconds") for part in ("_bucket", "_sum", "_count")}


def expressions() -> Iterator[tuple[str, str]]:
    """Every query of the alert rules and of the dashboard, with where it stands."""
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]
            fields = set(rule) - {"for"}
            check(fields == {"alert", "expr", "labels", "annotations"}, f"alert {rule['alert']} has the fields {fields}")
            check(rule["labels"].get("severity") in ("critical", "warning"), f"alert {rule['alert']} has no severity")
            check({"summary", "action"} == set(rule["annotations"]), f"alert {rule['alert']}: say what is wrong and what to do")
    dashboard = json.loads((DEPLOY / "grafana/dashboards/veriregime.json").read_text())
    places = [tuple(panel["gridPos"][key] for key in "xy") for panel in dashboard["panels"]]
    check(len(set(places)) == len(places), "panels of the dashboard lie on each other")
    for panel in dashboard["panels"]:
        check(panel["datasource"]["uid"] == "prometheus", f"panel {panel['title']} asks an unknown source")
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]


def check_queries() -> None:
    """Queries parse and ask for nothing that the program does not export."""
    known = counted_metrics()
    asked = set()
    for place, expression in expressions():
        try:
            promql_parser.parse(expression)
        except ValueError as error:
            check(False, f"{place}: {error}")
        names = set(METRIC.findall(expression))
        asked |= names
        check(names <= known, f"{place} asks for {names - known}, which nothing exports")
        check(names or "up{" in expression, f"{place} asks for no metric of ours")
    unseen = {name for name in known if not re.search(r"_(bucket|sum|count)$", name)} - {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in asked
    }
    check(not unseen, f"no panel or alert shows {unseen}")


def check_compose(tools: Path) -> None:
    """The compose file is one, and every file that it mounts is there or is the operator's to put there."""
    run(tools / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        check("ALL" in service.get("cap_drop", []), f"compose: {name} keeps capabilities")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            own = source.startswith(("./secrets", "./srs"))
            check(not source.startswith(".") or own or (DEPLOY / source).exists(), f"compose: {source} is not there")
    check(services["agent"]["read_only"] is True, "compose: the agent can write to its image")


def check_kubernetes(tools: Path) -> None:
    """What kustomize renders is valid, and its containers are locked down."""
    if not shutil.which("kubectl"):
        print("SKIPPED: no kubectl to render deploy/kubernetes with")
        return
    rendered = run("kubectl", "kustomize", DEPLOY / "kubernetes")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(rendered)
        file.flush()
        run(tools / "kubernetes-validate", "--strict", "--quiet", file.name)
    for document in yaml.safe_load_all(rendered):
        if document["kind"] != "StatefulSet":
            continue
        pod = document["spec"]["template"]["spec"]
        check(pod["securityContext"]["runAsNonRoot"] is True, "kubernetes: the pod may run as root")
        for container in pod["containers"] + pod["initContainers"]:
            locked = container["securityContext"]
            check(locked["readOnlyRootFilesystem"] and not locked["allowPrivilegeEscalation"], "kubernetes: not locked down")


def check_unit() -> None:
    """The systemd unit is one, and is hardened."""
    if not shutil.which("systemd-analyze"):
        print("SKIPPED: no systemd to check the unit with")
        return
    unit = DEPLOY / "veriregime-agent.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    # The program is not installed where it is checked.
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    check(not complaints, "\n".join(complaints))
    exposure = run("systemd-analyze", "security", "--offline=true", unit)
    level = re.search(r"exposure level for \S+: ([\d.]+)", exposure)
    check(level and float(level.group(1)) <= MAX_EXPOSURE, f"the unit is too exposed: {level and level.group(1)}")


def main() -> int:
    tools = Path(sys.argv[1])
    run(tools / "hadolint", DEPLOY / "Dockerfile")
    check_compose(tools)
    check_kubernetes(tools)
    check_unit()
    check_queries()
    for settings in DEPLOY.rglob("*.y*ml"):
        list(yaml.safe_load_all(settings.read_text()))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"deploy: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
