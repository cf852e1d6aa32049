"""Amendments of what was agreed, credit notes and edits of drafts.

Revision: 0002, after 0001. Lock and statement time-outs are set in env.py; the code
that runs before and after this migration must both work with it (expand, backfill, contract).

Every new column has a default or may be NULL, so that the code before it goes on writing. A draft is now told apart by
its change too, and only drafts are: what was approved no longer stands in the way of a correction dated the same day.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import wall

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PRICE = sa.Numeric(precision=38, scale=12)


def upgrade() -> None:
    _amendment()
    op.add_column("subscription", sa.Column("base_version_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_subscription_portal_id_base_version_id"),
        "subscription",
        "deal_version",
        ["portal_id", "base_version_id"],
        ["portal_id", "id"],
    )
    op.add_column("portal", sa.Column("carry_changes", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("billed_entry", sa.Column("document", sa.Text(), nullable=True))
    op.add_column("invoice", sa.Column("change", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "invoice", sa.Column("edits", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False)
    )
    for column in (
        sa.Column("gross_minor", sa.BigInteger(), nullable=True),
        sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_quantity", _PRICE, nullable=True),
        sa.Column("due_unit_price", _PRICE, nullable=True),
        sa.Column("due_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("corrects", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("invoice_line", column)
    op.drop_index("uq_invoice_draft", table_name="invoice")
    op.create_index(
        "uq_invoice_draft",
        "invoice",
        ["portal_id", "subscription_id", "scheduled_on", "bill_to", "kind", "change"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )


def _amendment() -> None:
    op.create_table(
        "amendment",
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("effective", sa.Date(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("deal_version_id", sa.BigInteger(), nullable=True),
        sa.Column("withdraws", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("portal_id", sa.BigInteger(), server_default=sa.text(wall.BOUND), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        *(
            sa.ForeignKeyConstraint(
                ["portal_id", column],
                [f"{table}.portal_id", f"{table}.id"],
                name=op.f(f"fk_amendment_portal_id_{column}"),
            )
            for column, table in (
                ("subscription_id", "subscription"),
                ("deal_version_id", "deal_version"),
                ("withdraws", "amendment"),
            )
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_amendment_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_amendment_portal_id_id")),
        sa.UniqueConstraint("portal_id", "withdraws", name=op.f("uq_amendment_portal_id_withdraws")),
        sa.UniqueConstraint("subscription_id", "change", name=op.f("uq_amendment_subscription_id_change")),
    )
    for statement in wall.raise_wall("amendment"):
        op.execute(statement)


def downgrade() -> None:
    """Take it back. The narrower index comes back only where no two drafts have come to need the wider one."""
    op.drop_index("uq_invoice_draft", table_name="invoice")
    op.create_index(
        "uq_invoice_draft",
        "invoice",
        ["portal_id", "subscription_id", "scheduled_on", "bill_to", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'approved', 'sending')"),
    )
    for column in ("corrects", "due_amount_minor", "due_unit_price", "due_quantity", "discount_minor", "gross_minor"):
        op.drop_column("invoice_line", column)
    op.drop_column("invoice", "edits")
    op.drop_column("invoice", "change")
    op.drop_column("billed_entry", "document")
    op.drop_column("portal", "carry_changes")
    op.drop_constraint(op.f("fk_subscription_portal_id_base_version_id"), "subscription", type_="foreignkey")
    op.drop_column("subscription", "base_version_id")
    op.drop_table("amendment")
