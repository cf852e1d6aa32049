"""`python -m sandbox.hubspot`: serves on 127.0.0.1:$SANDBOX_HUBSPOT_PORT."""

from sandbox.hubspot.app import create_app
from sandbox.hubspot.settings import Settings
from sandbox.kit.app import run

if __name__ == "__main__":
    settings = Settings.from_environment()
    run(create_app(settings), settings.port)
