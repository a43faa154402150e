"""Moments and lengths of time in words. A moment is in microseconds since 1970, and is told in UTC."""

from __future__ import annotations

SECOND_US = 1_000_000
