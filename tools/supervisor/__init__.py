"""Processes that never outlive whoever started them.

`keeper` is a small program that starts and owns processes; `client.Keeper` is how the rest of `tools` talks to it.
"""
