"""A simulated Kubernetes cluster: an API server, and the controllers that make it move."""

from __future__ import annotations

from console.rehearsal.kube.api import KubeApi
from console.rehearsal.kube.controllers import Controllers
from console.rehearsal.kube.kubeconfig import write_kubeconfig
from console.rehearsal.kube.kubelet import PodPlan
from console.rehearsal.kube.problems import KubeError
from console.rehearsal.kube.store import Store

__all__ = ["Controllers", "KubeApi", "KubeError", "PodPlan", "Store", "write_kubeconfig"]
