"""The first tables.

Revision: 0001, the first. Lock and statement time-outs are set in env.py; the code
that runs before and after this migration must both work with it (expand, backfill, contract).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import wall

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "audit",
    "connection",
    "customer",
    "event",
    "idempotency",
    "inbox_event",
    "ledger_item",
    "person",
    "console_session",
    "deal",
    "external_ref",
    "lane",
    "signin_link",
    "token",
    "deal_item",
    "deal_version",
    "work",
    "problem",
    "subscription",
    "invoice",
    "billed_entry",
    "invoice_line",
    "payment_applied",
)


def upgrade() -> None:
    op.create_table(
        "oauth_state",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("browser_digest", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_state")),
        sa.UniqueConstraint("digest", name=op.f("uq_oauth_state_digest")),
    )
    op.create_table(
        "portal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hubspot_portal_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("ui_domain", sa.Text(), server_default="", nullable=False),
        sa.Column("account_type", sa.Text(), server_default="STANDARD", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("invoice_mode", sa.Text(), server_default="approval", nullable=False),
        sa.Column("first_invoice_by_person", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("draft_ahead_days", sa.Integer(), nullable=True),
        sa.Column("net_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("won_stages", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("go_live_on", sa.Date(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal")),
        sa.UniqueConstraint("hubspot_portal_id", name=op.f("uq_portal_hubspot_portal_id")),
    )
    op.create_table(
        "audit",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_audit_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_audit_portal_id_id")),
    )
    op.create_index(
        op.f("ix_audit_portal_id_subject_kind_subject_id"),
        "audit",
        ["portal_id", "subject_kind", "subject_id"],
        unique=False,
    )
    op.create_table(
        "connection",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), server_default="", nullable=False),
        sa.Column("account_digest", sa.Text(), nullable=False),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="connected", nullable=False),
        sa.Column("state_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("income_account_id", sa.Text(), nullable=True),
        sa.Column("tax_code_id", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("connected_by", sa.Text(), server_default="", nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_connection_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_connection_portal_id_id")),
        sa.UniqueConstraint(
            "portal_id",
            "provider",
            "environment",
            "account_digest",
            name=op.f("uq_connection_portal_id_provider_environment_account_digest"),
        ),
    )
    op.create_index("ix_connection_account", "connection", ["provider", "account_digest"], unique=False)
    op.create_index(
        "uq_connection_live",
        "connection",
        ["portal_id", "provider"],
        unique=True,
        postgresql_where=sa.text("state <> 'disconnected'"),
    )
    op.create_table(
        "customer",
        sa.Column("hubspot_company_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("billing_email", sa.Text(), nullable=True),
        sa.Column("billing_contact", sa.Text(), nullable=True),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_customer_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("portal_id", "hubspot_company_id", name=op.f("uq_customer_portal_id_hubspot_company_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_customer_portal_id_id")),
    )
    op.create_table(
        "event",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_event_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_event_portal_id_id")),
    )
    op.create_index(
        op.f("ix_event_portal_id_subject_kind_subject_id"),
        "event",
        ["portal_id", "subject_kind", "subject_id"],
        unique=False,
    )
    op.create_table(
        "idempotency",
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_idempotency_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        sa.UniqueConstraint("portal_id", "door", "key", name=op.f("uq_idempotency_portal_id_door_key")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_idempotency_portal_id_id")),
    )
    op.create_table(
        "inbox_event",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_inbox_event_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_event")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_inbox_event_portal_id_id")),
        sa.UniqueConstraint(
            "portal_id", "source", "dedupe_key", name=op.f("uq_inbox_event_portal_id_source_dedupe_key")
        ),
    )
    op.create_table(
        "ledger_item",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_ledger_item_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_item")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_ledger_item_portal_id_id")),
        sa.UniqueConstraint("portal_id", "name", name=op.f("uq_ledger_item_portal_id_name")),
    )
    op.create_table(
        "person",
        sa.Column("hubspot_user_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="viewer", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_person_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("portal_id", "email", name=op.f("uq_person_portal_id_email")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_person_portal_id_id")),
    )
    op.create_index(
        "uq_person_hubspot_user",
        "person",
        ["portal_id", "hubspot_user_id"],
        unique=True,
        postgresql_where=sa.text("hubspot_user_id IS NOT NULL"),
    )
    op.create_table(
        "console_session",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "person_id"],
            ["person.portal_id", "person.id"],
            name=op.f("fk_console_session_portal_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_console_session_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_console_session_digest")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_console_session_portal_id_id")),
    )
    op.create_table(
        "deal",
        sa.Column("hubspot_deal_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("subscription_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("stage_label", sa.Text(), server_default="", nullable=False),
        sa.Column("won_on", sa.Date(), nullable=True),
        sa.Column("line_ids", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("contact_ids", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "customer_id"],
            ["customer.portal_id", "customer.id"],
            name=op.f("fk_deal_portal_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_deal_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
        sa.UniqueConstraint("portal_id", "hubspot_deal_id", name=op.f("uq_deal_portal_id_hubspot_deal_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_deal_portal_id_id")),
    )
    op.create_index("ix_deal_contact_ids", "deal", ["contact_ids"], unique=False, postgresql_using="gin")
    op.create_index("ix_deal_customer", "deal", ["portal_id", "customer_id"], unique=False)
    op.create_index("ix_deal_line_ids", "deal", ["line_ids"], unique=False, postgresql_using="gin")
    op.create_table(
        "external_ref",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("local_id", sa.BigInteger(), nullable=False),
        sa.Column("sync_token", sa.Text(), nullable=True),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "connection_id"],
            ["connection.portal_id", "connection.id"],
            name=op.f("fk_external_ref_portal_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_external_ref_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_ref")),
        sa.UniqueConstraint(
            "connection_id", "resource", "external_id", name=op.f("uq_external_ref_connection_id_resource_external_id")
        ),
        sa.UniqueConstraint(
            "connection_id", "resource", "local_id", name=op.f("uq_external_ref_connection_id_resource_local_id")
        ),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_external_ref_portal_id_id")),
    )
    op.create_table(
        "lane",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "connection_id"],
            ["connection.portal_id", "connection.id"],
            name=op.f("fk_lane_portal_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_lane_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_lane_portal_id_id")),
        sa.UniqueConstraint(
            "portal_id",
            "kind",
            "connection_id",
            name=op.f("uq_lane_portal_id_kind_connection_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "signin_link",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "person_id"],
            ["person.portal_id", "person.id"],
            name=op.f("fk_signin_link_portal_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_signin_link_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signin_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_signin_link_digest")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_signin_link_portal_id_id")),
    )
    op.create_table(
        "token",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("access_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "connection_id"],
            ["connection.portal_id", "connection.id"],
            name=op.f("fk_token_portal_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_token_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("connection_id", name=op.f("uq_token_connection_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_token_portal_id_id")),
    )
    op.create_table(
        "deal_item",
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hubspot_line_id", sa.Text(), nullable=False),
        sa.Column("hubspot_product_id", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "deal_id"], ["deal.portal_id", "deal.id"], name=op.f("fk_deal_item_portal_id_deal_id")
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_deal_item_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_item")),
        sa.UniqueConstraint("deal_id", "key", name=op.f("uq_deal_item_deal_id_key")),
        sa.UniqueConstraint("portal_id", "hubspot_line_id", name=op.f("uq_deal_item_portal_id_hubspot_line_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_deal_item_portal_id_id")),
    )
    op.create_table(
        "deal_version",
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sources", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("document_hash", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "deal_id"], ["deal.portal_id", "deal.id"], name=op.f("fk_deal_version_portal_id_deal_id")
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_deal_version_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_version")),
        sa.UniqueConstraint("deal_id", "number", name=op.f("uq_deal_version_deal_id_number")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_deal_version_portal_id_id")),
    )
    op.create_table(
        "work",
        sa.Column("lane_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="50", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("after", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column("wanted", sa.Integer(), server_default="1", nullable=False),
        sa.Column("served", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure_kind", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("send_began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("writes", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("outcome_unknown", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("request_hash", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "lane_id"], ["lane.portal_id", "lane.id"], name=op.f("fk_work_portal_id_lane_id")
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_work_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("lane_id", "kind", "subject", name=op.f("uq_work_lane_id_kind_subject")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_work_portal_id_id")),
    )
    op.create_index(
        "ix_work_open",
        "work",
        ["lane_id", "priority", "due_at", "id"],
        unique=False,
        postgresql_where="state IN ('waiting', 'sending')",
    )
    op.create_table(
        "problem",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("work_id", sa.Integer(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "customer_id"],
            ["customer.portal_id", "customer.id"],
            name=op.f("fk_problem_portal_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "deal_id"], ["deal.portal_id", "deal.id"], name=op.f("fk_problem_portal_id_deal_id")
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "work_id"], ["work.portal_id", "work.id"], name=op.f("fk_problem_portal_id_work_id")
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_problem_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_problem_portal_id_id")),
    )
    op.create_index(
        "ix_problem_customer",
        "problem",
        ["portal_id", "customer_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_problem_deal",
        "problem",
        ["portal_id", "deal_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_problem_open",
        "problem",
        ["portal_id", "code", "subject_kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "subscription",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("first_deal_id", sa.BigInteger(), nullable=False),
        sa.Column("deal_version_id", sa.BigInteger(), nullable=False),
        sa.Column("wanted_version_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("held_because", sa.Text(), server_default="", nullable=False),
        sa.Column("relation", sa.Text(), server_default="new", nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "customer_id"],
            ["customer.portal_id", "customer.id"],
            name=op.f("fk_subscription_portal_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "deal_version_id"],
            ["deal_version.portal_id", "deal_version.id"],
            name=op.f("fk_subscription_portal_id_deal_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "first_deal_id"],
            ["deal.portal_id", "deal.id"],
            name=op.f("fk_subscription_portal_id_first_deal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "wanted_version_id"],
            ["deal_version.portal_id", "deal_version.id"],
            name=op.f("fk_subscription_portal_id_wanted_version_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_subscription_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("portal_id", "first_deal_id", name=op.f("uq_subscription_portal_id_first_deal_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_subscription_portal_id_id")),
    )
    op.create_index("ix_subscription_customer", "subscription", ["portal_id", "customer_id"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("deal_version_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="invoice", nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("scheduled_on", sa.Date(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("net_days", sa.Integer(), nullable=False),
        sa.Column("bill_to", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("needs_person", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("superseded", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("frozen", sa.LargeBinary(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "customer_id"],
            ["customer.portal_id", "customer.id"],
            name=op.f("fk_invoice_portal_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "deal_version_id"],
            ["deal_version.portal_id", "deal_version.id"],
            name=op.f("fk_invoice_portal_id_deal_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "subscription_id"],
            ["subscription.portal_id", "subscription.id"],
            name=op.f("fk_invoice_portal_id_subscription_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_invoice_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_invoice_portal_id_id")),
    )
    op.create_index("ix_invoice_customer", "invoice", ["portal_id", "customer_id", "scheduled_on"], unique=False)
    op.create_index("ix_invoice_state", "invoice", ["portal_id", "state", "scheduled_on"], unique=False)
    op.create_index(
        "uq_invoice_draft",
        "invoice",
        ["portal_id", "subscription_id", "scheduled_on", "bill_to", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'approved', 'sending')"),
    )
    op.create_table(
        "billed_entry",
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("item_key", sa.Text(), nullable=False),
        sa.Column("bill_to", sa.Text(), server_default="", nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.Column("period", postgresql.DATERANGE(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="billed", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("charged_minor", sa.BigInteger(), nullable=False),
        sa.Column("credited_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quantity", sa.Numeric(precision=38, scale=12), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=38, scale=12), nullable=True),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        postgresql.ExcludeConstraint(
            (sa.column("portal_id"), "="),
            (sa.column("subscription_id"), "="),
            (sa.column("item_key"), "="),
            (sa.column("bill_to"), "="),
            (sa.column("change"), "="),
            (sa.column("period"), "&&"),
            where=sa.text("corrects IS NULL AND released_at IS NULL"),
            using="gist",
            name="ex_billed_entry_overlap",
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "corrects"],
            ["billed_entry.portal_id", "billed_entry.id"],
            name=op.f("fk_billed_entry_portal_id_corrects"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "invoice_id"],
            ["invoice.portal_id", "invoice.id"],
            name=op.f("fk_billed_entry_portal_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "subscription_id"],
            ["subscription.portal_id", "subscription.id"],
            name=op.f("fk_billed_entry_portal_id_subscription_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_billed_entry_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billed_entry")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_billed_entry_portal_id_id")),
    )
    op.create_index("ix_billed_entry_subscription", "billed_entry", ["portal_id", "subscription_id"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=38, scale=12), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=38, scale=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fraction", sa.Text(), server_default="", nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "invoice_id"],
            ["invoice.portal_id", "invoice.id"],
            name=op.f("fk_invoice_line_portal_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_invoice_line_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_line")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_line_invoice_id_position")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_invoice_line_portal_id_id")),
    )
    op.create_table(
        "payment_applied",
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("external_payment_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "portal_id",
            sa.BigInteger(),
            server_default=sa.text("NULLIF(current_setting('app.portal', true), '')::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "connection_id"],
            ["connection.portal_id", "connection.id"],
            name=op.f("fk_payment_applied_portal_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "invoice_id"],
            ["invoice.portal_id", "invoice.id"],
            name=op.f("fk_payment_applied_portal_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_payment_applied_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_applied")),
        sa.UniqueConstraint(
            "connection_id",
            "external_payment_id",
            "invoice_id",
            name=op.f("uq_payment_applied_connection_id_external_payment_id_invoice_id"),
        ),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_payment_applied_portal_id_id")),
    )
    op.create_index("ix_payment_applied_invoice", "payment_applied", ["portal_id", "invoice_id"], unique=False)

    # A deal and its subscription name each other.
    op.create_foreign_key(
        op.f("fk_deal_portal_id_subscription_id"),
        "deal",
        "subscription",
        ["portal_id", "subscription_id"],
        ["portal_id", "id"],
    )
    for statement in wall.statements("0001_lookups.sql"):
        op.execute(statement)
    for statement in wall.raise_wall("portal", "id"):
        op.execute(statement)
    for table in TENANT_TABLES:
        for statement in wall.raise_wall(table):
            op.execute(statement)


def downgrade() -> None:
    for function in wall.own_functions(op.get_bind()):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("sandbox_clock")
    op.drop_constraint(op.f("fk_deal_portal_id_subscription_id"), "deal", type_="foreignkey")
    op.drop_index("ix_payment_applied_invoice", table_name="payment_applied")
    op.drop_table("payment_applied")
    op.drop_table("invoice_line")
    op.drop_index("ix_billed_entry_subscription", table_name="billed_entry")
    op.drop_table("billed_entry")
    op.drop_index(
        "uq_invoice_draft", table_name="invoice", postgresql_where=sa.text("state IN ('draft', 'approved', 'sending')")
    )
    op.drop_index("ix_invoice_state", table_name="invoice")
    op.drop_index("ix_invoice_customer", table_name="invoice")
    op.drop_table("invoice")
    op.drop_index("ix_subscription_customer", table_name="subscription")
    op.drop_table("subscription")
    op.drop_index("uq_problem_open", table_name="problem", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_problem_deal", table_name="problem", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_problem_customer", table_name="problem", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_table("problem")
    op.drop_index("ix_work_open", table_name="work", postgresql_where="state IN ('waiting', 'sending')")
    op.drop_table("work")
    op.drop_table("deal_version")
    op.drop_table("deal_item")
    op.drop_table("token")
    op.drop_table("signin_link")
    op.drop_table("lane")
    op.drop_table("external_ref")
    op.drop_index("ix_deal_line_ids", table_name="deal", postgresql_using="gin")
    op.drop_index("ix_deal_customer", table_name="deal")
    op.drop_index("ix_deal_contact_ids", table_name="deal", postgresql_using="gin")
    op.drop_table("deal")
    op.drop_table("console_session")
    op.drop_index(
        "uq_person_hubspot_user", table_name="person", postgresql_where=sa.text("hubspot_user_id IS NOT NULL")
    )
    op.drop_table("person")
    op.drop_table("ledger_item")
    op.drop_table("inbox_event")
    op.drop_table("idempotency")
    op.drop_index(op.f("ix_event_portal_id_subject_kind_subject_id"), table_name="event")
    op.drop_table("event")
    op.drop_table("customer")
    op.drop_index("uq_connection_live", table_name="connection", postgresql_where=sa.text("state <> 'disconnected'"))
    op.drop_index("ix_connection_account", table_name="connection")
    op.drop_table("connection")
    op.drop_index(op.f("ix_audit_portal_id_subject_kind_subject_id"), table_name="audit")
    op.drop_table("audit")
    op.drop_table("portal")
    op.drop_table("oauth_state")
