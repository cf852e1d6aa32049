"""One database for the folder; each test has a portal of its own in it."""

from __future__ import annotations

from tests.factories import portal as portal
from tests.factories import product as product
from tests.factories import unbound as unbound
