"""The HTTP service as an `Authority`: `Client` and `AsyncClient`, with its names, types and errors.

    with Client("https://rescind.example.com", key=key, organization="acme") as client:
        receipt = client.apply([AddMembers(group="eng", members=("user:ada",))])
        client.check("user:ada", "code:push", at_least=receipt.token)

Requests are described as values, and answers are read by pure functions. The two clients differ only in how
they send and sleep: see decision 057.
"""

from rescind.client.operations import LEFT_OUT, OPTIONS_LEFT_OUT
from rescind.client.policy import Retries, Timeouts
from rescind.errors import extra

with extra("client"):
    from rescind.client.clients import AsyncClient, Client

__all__ = [
    "LEFT_OUT",
    "OPTIONS_LEFT_OUT",
    "AsyncClient",
    "Client",
    "Retries",
    "Timeouts",
]
