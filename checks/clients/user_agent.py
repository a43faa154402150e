"""What every client calls itself, so that audit logs and access logs say who asked."""

from state.base.version import VERSION

USER_AGENT = f"launch-console/{VERSION}"
