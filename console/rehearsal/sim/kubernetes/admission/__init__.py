"""What the API server makes of an object before it stores it: decoded, completed, judged."""

from __future__ import annotations

from console.rehearsal.sim.kubernetes.admission.defaults import carry_over, fill_defaults
from console.rehearsal.sim.kubernetes.admission.pod_account import mount_token
from console.rehearsal.sim.kubernetes.admission.pod_policy import refused
from console.rehearsal.sim.kubernetes.admission.stored_form import as_stored
from console.rehearsal.sim.kubernetes.admission.validation import validate

__all__ = ["as_stored", "carry_over", "fill_defaults", "mount_token", "refused", "validate"]
