"""The console: the finance manager's pages."""
