"""Fills a fresh stack with what a newcomer needs: two portals, installed and connected as people would do it.

The first bills fully automatically, the second after approval. Running it again changes nothing. Prints one JSON line
with the addresses to show.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from http import HTTPStatus

from tools.robot import Admin, Choices, Stuck


@dataclass(frozen=True, slots=True)
class Seeded:
    """One portal of the sandbox, its company file, and how it bills."""

    hub_id: int
    user_id: int
    email: str
    realm_id: str
    choices: Choices
    # The 19 % code of the German company file.
    tax_code: str | None = None


NORTHWIND = Seeded(4001001, 501, "ada@northwind.example", "9130001001", Choices("automatic", False))
ALPENGLOW = Seeded(
    4001002, 601, "jonas@alpenglow.example", "9130001002", Choices("approval", True, net_days="14"), tax_code="3"
)


def set_up(env: dict[str, str], seeded: Seeded, income_account: str = "1") -> Admin:
    """Install, connect and choose for one portal; what is there already stays."""
    admin = Admin(env, seeded.hub_id, seeded.user_id, seeded.email)
    is_new = admin.fetch("/cards/v1/companies/1/billing")[0] == HTTPStatus.FORBIDDEN
    if is_new:
        admin.install()
    admin.sign_in()
    if admin.needs_quickbooks():
        admin.connect_quickbooks(seeded.realm_id)
        accounts = {"income_account_id": income_account}
        if seeded.tax_code:
            accounts["tax_code_id"] = seeded.tax_code
        admin.name_accounts(**accounts)
    if is_new:
        admin.choose(seeded.choices)
    return admin


def _links(*portals: Seeded) -> list[str]:
    """Ask the product's own command for sign-in links that live an hour."""
    accounts = [f"{seeded.hub_id}:{seeded.email}" for seeded in portals]
    command = [sys.executable, "-m", "app.cli", "signin-link", *accounts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Stuck(f"no sign-in links: {done.stderr[-300:]}")
    return [line for line in done.stdout.split() if "/signin?" in line]


def main() -> int:
    """Seed the stack whose environment this process has."""
    env = dict(os.environ)
    try:
        first = set_up(env, NORTHWIND)
        second = set_up(env, ALPENGLOW)
        links = _links(NORTHWIND, ALPENGLOW)
    except Stuck as stuck:
        print(f"The sandbox could not be filled: {stuck}", file=sys.stderr)
        return 1
    lines = [
        ["Deal board", f"{first.hubspot}/portals/{first.hub_id}/board"],
        ["QuickBooks", f"{first.quickbooks}/companies/{NORTHWIND.realm_id}/invoices"],
        ["Console, one-time sign-in", links[0]],
        ["Deal board of the portal with approval", f"{second.hubspot}/portals/{second.hub_id}/board"],
        ["its QuickBooks", f"{second.quickbooks}/companies/{ALPENGLOW.realm_id}/invoices"],
        ["its console, one-time sign-in", links[1]],
    ]
    print(json.dumps({"lines": lines}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
