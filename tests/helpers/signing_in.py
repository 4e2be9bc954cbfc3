"""Cookies of a signed-in browser, and passwords that are quick to check."""

from functools import partial

import pytest

from pitasker_core.server import auth, sites
from pitasker_core.server.auth import Role


def cookies(environment, address, role=Role.WRITE):
    """Return the cookie of a new session at an address, by name."""
    site = sites.parse_origin("/".join(address.split("/")[:3]))
    return dict([auth.sign_in(environment, role, site)])


def quick_hasher():
    """Argon2 with little work: a hash with the work of the real server takes 0.1 s."""
    return partial(auth.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)


def set_passwords(environment, password):
    """Set a password, and another one to look: a server checks a role without one at full work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "PasswordHasher", quick_hasher())
        auth.set_password(environment, password)
        auth.set_password(environment, f"to look: {password}", Role.READ)
