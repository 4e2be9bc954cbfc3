"""Cookies of a signed-in browser."""

from pitasker_core.server import auth, sites
from pitasker_core.server.auth import Role


def cookies(environment, address, role=Role.WRITE):
    """Return the cookie of a new session at an address, by name."""
    site = sites.parse_origin("/".join(address.split("/")[:3]))
    return dict([auth.sign_in(environment, role, site)])
