"""Traces (Jaeger's query interface, or Tempo's by trace id) and logs (Loki)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.clients.errors import NotFoundError, Where
from checks.clients.wire import Wire
from state.base.json import items, obj, objs, path, text, texts

if TYPE_CHECKING:
    from checks.clients.endpoint_login import Secret
    from state.runbook.environment import Endpoint


class TracesClient:
    """Where traces are looked up."""

    def __init__(
        self, endpoint: Endpoint, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("Traces", environment)
        self._wire = Wire.to(endpoint, self.where, token=token, password=password)

    async def services(self) -> tuple[str, ...]:
        """Return the names of the services that have sent traces (Jaeger)."""
        found = await self._wire.get_json("/api/services", expected="the traced services")
        return texts(obj(found).get("data"))

    async def export_nothing(self, path: str) -> None:
        """Send an empty OTLP export to a path and return when it is taken; otherwise raise."""
        expected = "200 to an empty OTLP export"
        reply = await self._wire.send("POST", path, json={"resourceSpans": []}, expected=expected)
        reply.need_success(expected=expected, permission="export traces")

    async def trace_services(self, trace_id: str) -> tuple[str, ...]:
        """Return the services of one trace's spans; empty where the trace isn't there (yet)."""
        try:
            found = obj(await self._wire.get_json(f"/api/traces/{trace_id}", expected=f"trace {trace_id}"))
        except NotFoundError:
            return ()
        jaeger = [
            text(obj(process), "serviceName")
            for trace in objs(found.get("data"))
            for process in obj(trace.get("processes")).values()
        ]
        tempo = [
            str(path(attribute, ("value", "stringValue")))
            for batch in objs(found.get("batches"))
            for attribute in objs(path(batch, ("resource", "attributes")))
            if text(attribute, "key") == "service.name"
        ]
        return tuple(sorted({name for name in (*jaeger, *tempo) if name}))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()


class LogsClient:
    """Where log lines are looked up: Loki."""

    def __init__(
        self, endpoint: Endpoint, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("Logs", environment)
        self._wire = Wire.to(endpoint, self.where, token=token, password=password)

    async def lines(self, logql: str, *, start_us: int, end_us: int, limit: int = 100) -> list[str]:
        """Return the newest lines that a LogQL query finds between two times (microseconds since 1970)."""
        params: dict[str, str | int] = {
            "query": logql,
            "start": start_us * 1000,
            "end": end_us * 1000,
            "limit": limit,
            "direction": "backward",
        }
        found = await self._wire.get_json("/loki/api/v1/query_range", params, expected="log lines")
        pairs = [
            items(pair)
            for stream in objs(path(found, ("data", "result")))
            for pair in items(stream.get("values"))
        ]
        return [pair[1] for pair in pairs if len(pair) > 1 and isinstance(pair[1], str)]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()
