"""The commands that answer from deal documents alone: no database, no settings."""
