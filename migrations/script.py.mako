"""${message}

Revision: ${up_revision}, after ${down_revision | comma,n}. Lock and statement time-outs are set in env.py; the code
that runs before and after this migration must both work with it (expand, backfill, contract).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
