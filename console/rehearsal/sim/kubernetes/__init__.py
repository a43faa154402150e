"""A simulated Kubernetes cluster: an API server, and the controllers that make it move."""

from __future__ import annotations

from console.rehearsal.sim.kubernetes.api import KubeApi
from console.rehearsal.sim.kubernetes.controllers.kubelet import PodPlan
from console.rehearsal.sim.kubernetes.controllers.manager import Controllers
from console.rehearsal.sim.kubernetes.kubeconfig import write_kubeconfig
from console.rehearsal.sim.kubernetes.problems import KubeError
from console.rehearsal.sim.kubernetes.store import Store

__all__ = ["Controllers", "KubeApi", "KubeError", "PodPlan", "Store", "write_kubeconfig"]
