from __future__ import annotations


def deployment(
    name: str = "web", image: str = "shop/web:1", replicas: int = 2, **spec: object
) -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": name, "image": image, "ports": [{"containerPort": 8000}]}]},
            },
            **spec,
        },
    }


def service(name: str = "web") -> dict[str, object]:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8000}]},
    }


def job(name: str = "migrate", **spec: object) -> dict[str, object]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "migrate", "image": "shop/web:1"}]}
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"template": {"spec": pod}, **spec},
    }


def cronjob(name: str = "nightly") -> dict[str, object]:
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "nightly", "image": "shop/web:1", "args": ["tidy"]}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }
