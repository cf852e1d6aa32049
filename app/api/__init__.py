"""The HTTP interface for other programs, under /api/v1, with its own description at /api/v1/openapi.json."""
