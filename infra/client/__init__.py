"""A small typed client of the API, with the very models that the API itself reads and shows.

from infra.client import Client
client = Client("https://api.example.com", "cln_live_…")
for flow in client.flows.list(status="running"):
    print(flow.uid, flow.contact_count)
"""

from infra.client.calls import Refused, Unreachable
from infra.client.client import Client

__all__ = ["Client", "Refused", "Unreachable"]
