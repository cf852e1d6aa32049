"""The one error that people see."""


class ToolError(Exception):
    """Something went wrong that the person can act on. The message is one or two whole sentences, fit to be shown."""
