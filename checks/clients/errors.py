"""Why the outside world could not be observed: one class per reason, one line per error.

Every message names the system, the environment and what was expected, and what to do where that is known.
No message holds a secret: bodies are quoted only in part, cleaned, and never the request's own headers.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from checks.errors import CouldNotLookError
from state.base.text import line


@dataclass(frozen=True, slots=True)
class Where:
    """Which system of which environment a client talks to."""

    system: str
    environment: str

    def __str__(self) -> str:
        return f"{self.system} ({self.environment})"


class UnreachableError(CouldNotLookError):
    """No connection: the name does not resolve, there is no route, or the peer hung up."""


class RefusedConnectionError(UnreachableError):
    """Nothing listens at the address."""


class TimedOutError(CouldNotLookError):
    """No complete answer within the timeout."""


class UntrustedError(CouldNotLookError):
    """The server's certificate is not one to trust."""


class UnauthorizedError(CouldNotLookError):
    """401: the credentials are missing, wrong or expired."""


class ForbiddenError(CouldNotLookError):
    """403: the credentials lack a permission, which the message names."""


class LoginRefusedError(CouldNotLookError):
    """The platform refused a test account, with ``status``."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(CouldNotLookError):
    """404: the thing that was asked for is not there."""


class GoneError(CouldNotLookError):
    """410: a watch's resourceVersion is too old; list again."""


class ServerFailedError(CouldNotLookError):
    """5xx."""


class RejectedError(CouldNotLookError):
    """Another refusal, such as 400, 409 or 422."""


class MovedError(RejectedError):
    """What was asked for is in another region."""


class TooManyRequestsError(RejectedError):
    """429: it is overrun, and may be asked again after ``retry_after_s`` seconds (0: it didn't say)."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ConflictError(RejectedError):
    """409: somebody else wrote at the same moment, or it is there already."""


class WrongContentError(CouldNotLookError):
    """HTML where JSON was expected, a redirect to a login page, an answer that was cut off."""


class TooLargeError(WrongContentError):
    """An answer above the cap."""


class PartialError(CouldNotLookError):
    """An answer that says of itself that it is incomplete."""


class MisconfiguredError(CouldNotLookError):
    """The runbook, a kubeconfig or a secret that it names is not usable."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that caused it, members of exception groups included."""
    seen: set[int] = set()
    todo: list[BaseException] = [error]
    while todo:
        one = todo.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            todo.extend(one.exceptions)
        hidden = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        todo.extend(other for other in hidden if isinstance(other, BaseException))


def from_transport(
    where: Where, error: BaseException, *, address: str, expected: str, timeout: float
) -> CouldNotLookError:
    """Return the error for a connection that failed, whichever library raised it."""
    causes = list(chain(error))
    for cause in causes:
        if isinstance(cause, CouldNotLookError):
            return cause
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = next((m for one in causes if (m := getattr(one, "verify_message", ""))), "not verified")
            return UntrustedError(
                f"{where} at {address}: its certificate is not trusted ({line(str(why), 160)}); "
                "expected one that ca_file or the system vouches for"
            )
        if isinstance(cause, ConnectionRefusedError):
            return RefusedConnectionError(f"{where} refused the connection at {address}; expected {expected}")
        if isinstance(cause, socket.gaierror):
            return UnreachableError(f"{where}: the name in {address} does not resolve; expected {expected}")
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        return TimedOutError(f"{where} at {address}: no complete answer in {timeout:g}s; expected {expected}")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            reason = line(cause.reason or "TLS failed", 120)
            return UntrustedError(f"{where} at {address}: TLS failed ({reason}); expected {expected}")
    if any(_cut_off(cause) for cause in causes):
        return WrongContentError(f"{where} at {address}: the answer was cut off; expected {expected}")
    reason = next(
        (line(str(c), 160) for c in causes if isinstance(c, OSError) and str(c)), type(error).__name__
    )
    return UnreachableError(f"{where} at {address}: {reason}; expected {expected}")


def _cut_off(error: BaseException) -> bool:
    return type(error).__name__ in {
        "RemoteProtocolError",
        "ClientPayloadError",
        "IncompleteRead",
        "ChunkedEncodingError",
        "ProtocolError",
    }
