"""Cookies of a browser in which somebody is signed in."""

from pitasker_core.server import auth, sites
from pitasker_core.server.auth import Role


def cookies(environment, address, role=Role.WRITE):
    """The cookie of a new session at an address, by its name."""
    site = sites.parse_origin("/".join(address.split("/")[:3]))
    return dict([auth.sign_in(environment, role, site)])
