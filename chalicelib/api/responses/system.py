"""Response models of the installation."""

from chalicelib.model.base import StrictModel


class HealthResponse(StrictModel):
    """`ok`."""

    status: str
    """Always `ok`: the API and its database answer."""
