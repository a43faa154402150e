"""The five commands of the SOP: what a runbook may write, what of it comes true, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.runbook.helm_commands import DEFAULTS, HelmCommand, Sop, expand, job_base, looked_at, problems
from state.runbook.load import RunbookError, load_runbook
from tests.paths import SOP_RUNBOOK

UPGRADE = DEFAULTS[Sop.UPGRADE]
FILLED = {
    "release": "shop",
    "chart": "/c",
    "namespace": "n",
    "values": ["a.yaml", "b c.yaml"],
    "chart_version": "1.2.0",
}


def told(which: str, command: str) -> list[str]:
    return [why for _, _, why in problems([HelmCommand(id=which, title="t", command=command)])]


def test_the_sops_own_are_in_the_runbook_and_valid() -> None:
    commands = load_runbook(SOP_RUNBOOK).runbook.helm_commands
    assert {one.id: one.command for one in commands} == {
        which.value: text for which, text in DEFAULTS.items()
    }
    assert list(problems(commands)) == []


def test_words_of_which_there_are_several_are_repeated_with_their_flag() -> None:
    start = ["helm", "upgrade", "--install", "shop", "/c", "--namespace", "n"]
    files = ["-f", "a.yaml", "-f", "b c.yaml"]
    assert expand(UPGRADE, FILLED) == [*start, *files, "--version", "1.2.0"]
    assert expand("x --values={values} {release}-y", FILLED) == [
        "x",
        "--values=a.yaml",
        "--values=b c.yaml",
        "shop-y",
    ]
    assert expand("x -f {values} y", {"values": []}) == ["x", "y"]


@pytest.mark.parametrize(
    ("which", "command"),
    [
        ("upgrade", f"{UPGRADE} --skip-crds"),
        ("upgrade", f"{UPGRADE} --post-renderer ./kustomize.sh --no-hooks"),
        ("upgrade", f"{UPGRADE} --set 'a=b;c' --set-string replicas=3"),
        (
            "upgrade",
            "helm upgrade -i {release} {chart} -n {namespace} --values={values} --version={chart_version}",
        ),
        ("namespace", "kubectl --context {context} create namespace {namespace}"),
        ("migrate", "kubectl create job -n {namespace} --from=cronjob/{cronjob} schema-of-{release}"),
        ("validate", "kubectl --namespace {namespace} get po"),
        ("validate", "kubectl -n {namespace} get ing,pod"),
    ],
)
def test_what_comes_true_may_be_written(which: str, command: str) -> None:
    assert told(which, command) == []


@pytest.mark.parametrize(
    ("which", "command", "why"),
    [
        (
            "upgrade",
            f"{UPGRADE} --atomic",
            "--atomic may not stand here: what follows a failure is the console's",
        ),
        ("upgrade", f"{UPGRADE} --atomic=true", "--atomic may not stand here"),
        ("upgrade", f"{UPGRADE} --rollback-on-failure", "the console's to decide"),
        ("upgrade", f"{UPGRADE} --cleanup-on-fail", "the console's to decide"),
        ("upgrade", f"{UPGRADE} --force", "it deletes objects that serve"),
        ("upgrade", f"{UPGRADE} --reuse-values", "are in no file to be judged"),
        ("upgrade", f"{UPGRADE} --wait", "the console says it itself"),
        ("upgrade", f"{UPGRADE} --timeout 3s", "the console says it itself"),
        ("upgrade", f"{UPGRADE} -o json", "the console says it itself"),
        ("upgrade", f"{UPGRADE} --kube-context other", "helm would go elsewhere"),
        ("upgrade", f"{UPGRADE} --kube-token x", "helm would go elsewhere"),
        ("upgrade", f"{UPGRADE} --set-file a=b", "is copied for the preview, and this is not"),
        ("upgrade", f"{UPGRADE} -f more.yaml", "-f may not stand here: {values} was expected after it"),
        ("upgrade", f"{UPGRADE} --version 9", "{chart_version} was expected after it"),
        ("upgrade", f"{UPGRADE} --debug", "secrets would stand in its output"),
        ("upgrade", UPGRADE.replace(" -f {values}", ""), "{values} is missing"),
        ("upgrade", UPGRADE.replace("{chart}", "{chrat}"), "there is no {chrat} here; known are chart, "),
        ("upgrade", UPGRADE.replace("{release} {chart}", "{chart} {release}"), "beside each other"),
        ("upgrade", UPGRADE.replace("--install", ""), "helm upgrade --install was expected"),
        ("upgrade", f"{UPGRADE} | tee log", "| is for a shell, and none reads this"),
        ("upgrade", f"{UPGRADE} --set a=$(cat x)", "is for a shell"),
        ("upgrade", f"{UPGRADE} 'open", "can't be taken apart into words: no closing quotation"),
        ("namespace", "kubectl create namespace {namespace} --dry-run", "nothing of it can be changed"),
        ("namespace", "oc create namespace {namespace}", "the console does this through the API"),
        ("secrets", "kubectl create secret generic {secret} --from-literal=a=b", "stands at apply_secrets"),
        ("migrate", "kubectl create job --from=cronjob/other db-{release}", "the job's name can be changed"),
        (
            "migrate",
            "kubectl create job --from=cronjob/{cronjob} DB_{release}",
            "the job's name can be changed",
        ),
        ("validate", "kubectl -n {namespace} get ingress", "of it ingress can be left out"),
        ("validate", "kubectl -n {namespace} get pods,services", "of it ingress can be left out"),
        ("more", "echo hello", "no operation would use more: the SOP's commands are namespace, secrets"),
    ],
)
def test_what_would_not_come_true_is_refused_in_one_line(which: str, command: str, why: str) -> None:
    (found,) = told(which, command)
    assert why in found


def test_a_command_that_stands_twice() -> None:
    twice = [HelmCommand(id="validate", title="t", command=DEFAULTS[Sop.VALIDATE])] * 2
    assert list(problems(twice)) == [(1, "id", "validate stands twice")]


def test_it_is_told_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    flag = "--version {chart_version}"
    path.write_text(SOP_RUNBOOK.read_text().replace(flag, f"{flag} --atomic"))
    with pytest.raises(RunbookError) as caught:
        load_runbook(path)
    (problem,) = caught.value.problems
    assert problem.key == "helm_commands.2.command"
    assert "--atomic" in path.read_text().splitlines()[problem.line - 1]


def test_what_operations_read_of_the_others() -> None:
    assert job_base((), "shop") == "db-migrate-shop"
    assert looked_at(()) == {"pods", "ingress"}
    commands = (
        HelmCommand(
            id="migrate", title="t", command="kubectl create job --from=cronjob/{cronjob} {release}-up"
        ),
        HelmCommand(id="validate", title="t", command="kubectl get pods"),
    )
    assert job_base(commands, "shop") == "shop-up"
    assert looked_at(commands) == {"pods"}
