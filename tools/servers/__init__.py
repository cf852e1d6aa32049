"""PostgreSQL and Valkey from wheels, as children that cannot outlive this process.

    postgres = start_postgres(folder)              # fsync=False: for tests
    valkey = start_valkey(folder)
    postgres.url_superuser                         # postgresql://postgres:...@127.0.0.1:PORT, no database named
    postgres.owner_url("dealwright"), postgres.app_url("dealwright")
    valkey.url                                     # redis://:...@127.0.0.1:PORT
    valkey.stop(); postgres.stop()

`folder` is a data directory (made if need be; see `tools.home`) and may be the same for both. A fresh cluster has the
roles `dw_owner` and `app_rw`, the extension btree_gist in template1 and the database `dealwright` owned by `dw_owner`.
Both servers listen on 127.0.0.1 only and ask for a password. Started again on the same folder they have the same data,
passwords and, while they are free, ports; also after they were killed.

`./dev test` starts one of each for the whole run and hands them to pytest in the environment variables below.
"""

from __future__ import annotations

from tools.servers.postgres import Postgres, start_postgres
from tools.servers.valkey import Valkey, start_valkey

TEST_POSTGRES = "DEALWRIGHT_TEST_POSTGRES"
"""Superuser URL of the test cluster, without a database: `postgresql://postgres:...@127.0.0.1:PORT`."""
TEST_OWNER_PASSWORD = "DEALWRIGHT_TEST_OWNER_PASSWORD"  # noqa: S105 # the name of a variable
"""Password of the role dw_owner there."""
TEST_APP_PASSWORD = "DEALWRIGHT_TEST_APP_PASSWORD"  # noqa: S105 # the name of a variable
"""Password of the role app_rw there."""
TEST_REDIS = "DEALWRIGHT_TEST_REDIS"
"""URL of the test Valkey, without a database number; it has 64 of them."""

__all__ = [
    "TEST_APP_PASSWORD",
    "TEST_OWNER_PASSWORD",
    "TEST_POSTGRES",
    "TEST_REDIS",
    "Postgres",
    "Valkey",
    "start_postgres",
    "start_valkey",
]
