"""An Alertmanager that takes alerts, routes them by clock time, and notifies into an inbox."""

from __future__ import annotations

from console.rehearsal.sim.alertmanager.alerts import Notification
from console.rehearsal.sim.alertmanager.routing import Config, Receiver, Route
from console.rehearsal.sim.alertmanager.server import Alertmanager

__all__ = ["Alertmanager", "Config", "Notification", "Receiver", "Route"]
