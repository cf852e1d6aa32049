"""A card asks the database as often for a large customer as for a small one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.core.db import db
from tests.app.core.signed import as_card
from tests.cards.books import COMPANY, DEAL, START, Books
from tests.conftest import Tenant

SetBooks = Callable[[Callable[[Books], None]], None]


@contextmanager
def counting(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that reach the server."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def history(subscriptions: int, invoices: int) -> Callable[[Books], None]:
    """Return a writer of a company with so many deals, and so many invoices of its first one."""

    def write(books: Books) -> None:
        books.connect()
        customer = books.customer()
        first = books.deal(customer)
        for n in range(1, subscriptions):
            books.deal(customer, DEAL + n)
        for n in range(invoices):
            on = date(START.year - 1 - n // 12, n % 12 + 1, 3)
            books.invoice(first, on, "paid", number=str(2000 + n), paid_on=on + timedelta(days=40))

    return write


class TestQueries:
    @pytest.mark.parametrize("path", [f"/cards/v1/companies/{COMPANY}/billing", f"/cards/v1/deals/{DEAL}/billing"])
    def test_are_as_many_for_fifty_invoices_and_ten_subscriptions_as_for_one(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, other_tenant: Tenant, set_books: SetBooks,
        path: str,
    ) -> None:  # fmt: skip
        from tests.cards.books import write

        set_books(history(subscriptions=1, invoices=1))
        with shared_app.app_context():
            write(other_tenant.id, history(subscriptions=10, invoices=50))
        counts, sizes = [], []
        for portal in (tenant, other_tenant):
            with counting(shared_app) as statements:
                answer = as_card(client, path, portal.hub_id)
            assert answer.status_code == 200
            assert answer.json is not None
            counts.append(len(statements))
            sizes.append(len(answer.json["invoices"]))
        assert sizes == [1, 50]
        assert counts[0] == counts[1]
        assert counts[0] <= 16
