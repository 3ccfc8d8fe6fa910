"""The address a request comes from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request


def client_address(request: Request) -> str:
    """Return the client's address, which only the limit of sign-ins uses; it is never logged."""
    return request.client.host if request.client else "-"


ClientAddress = Annotated[str, Depends(client_address)]
