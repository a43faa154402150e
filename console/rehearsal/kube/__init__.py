"""A simulated Kubernetes cluster: an API server, and the controllers that make it move."""

from __future__ import annotations

from console.rehearsal.kube.api import KubeApi
from console.rehearsal.kube.kubeconfig import write_kubeconfig
from console.rehearsal.kube.store import Store

__all__ = ["KubeApi", "Store", "write_kubeconfig"]
