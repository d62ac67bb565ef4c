"""Write the OpenAPI document to `infra/openapi.json`: `python -m infra.openapi`."""

import json
from pathlib import Path

import app
from chalicelib.api.http import openapi
from chalicelib.api.http.routes import ROUTES

FILE = Path(__file__).with_name("openapi.json")


def render() -> str:
    """Return the text of the checked-in document."""
    if not app.app.routes:
        raise RuntimeError("no routes are registered")
    return json.dumps(openapi.build(ROUTES), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
