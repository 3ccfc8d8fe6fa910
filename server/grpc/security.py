"""Who may call the services, and how calls are kept from others: a shared secret, TLS, certificates of clients."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from models.errors import InvalidInput
from server.core.settings import ServerSettings
from server.core.tls_files import read_tls_file, require_usable

if TYPE_CHECKING:
    RpcMethodHandler = grpc.RpcMethodHandler[Any, Any]

AUTHORIZATION = "authorization"
_OPEN = "/grpc.health.v1.Health/"
"""Probes of health carry no secret, and learn nothing but that a service is well."""


def bearer_of(settings: ServerSettings) -> tuple[tuple[str, str], ...]:
    """Return the metadata that lets a call in."""
    if settings.grpc_secret is None:
        return ()
    return ((AUTHORIZATION, f"Bearer {settings.grpc_secret.get_secret_value()}"),)


def server_credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """Return certificate, key and the authority of clients; None for plain text.

    Raises:
        InvalidInput: ``server-tls-files``.
    """
    if settings.grpc_tls_cert is None or settings.grpc_tls_key is None:
        return None
    _require_usable(settings)
    pair = read_tls_file(settings.grpc_tls_key), read_tls_file(settings.grpc_tls_cert)
    authority = None if settings.grpc_tls_ca is None else read_tls_file(settings.grpc_tls_ca)
    return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)


def channel_credentials(settings: ServerSettings) -> grpc.ChannelCredentials | None:
    """Return what a client checks services by, and its own certificate; None for plain text.

    Raises:
        InvalidInput: ``server-tls-files``.
    """
    authority = settings.grpc_tls_ca or settings.grpc_tls_cert
    if authority is None:
        return None
    _require_usable(settings)
    if settings.grpc_tls_cert is None or settings.grpc_tls_key is None:
        return grpc.ssl_channel_credentials(read_tls_file(authority))
    return grpc.ssl_channel_credentials(
        read_tls_file(authority), read_tls_file(settings.grpc_tls_key), read_tls_file(settings.grpc_tls_cert)
    )


def own_name(settings: ServerSettings) -> str | None:
    """Return a name that the services' certificate of this process is good for; None without a certificate.

    Raises:
        InvalidInput: ``server-tls-files``.
    """
    if settings.grpc_tls_cert is None:
        return None
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(read_tls_file(settings.grpc_tls_cert))
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    except ValueError as error:
        raise InvalidInput("server-tls-files", reason=f"{settings.grpc_tls_cert}: {error}") from error
    hosts = named.get_values_for_type(x509.DNSName)
    names = [*hosts, *(str(address) for address in named.get_values_for_type(x509.IPAddress))]
    return names[0].replace("*", "any", 1) if names else None


def _require_usable(settings: ServerSettings) -> None:
    # gRPC says of unusable files no more than that it cannot listen.
    require_usable(certificate=settings.grpc_tls_cert, key=settings.grpc_tls_key, authority=settings.grpc_tls_ca)


class SharedSecret(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its types alone
    """Refuses calls without the secret, before their message is read.

    Args:
        secret: that both sides know.
    """

    def __init__(self, secret: str) -> None:
        self._expected = f"Bearer {secret}".encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> RpcMethodHandler:
        """Return the handler of the call, or one that refuses it."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_OPEN):
            return handler
        given = dict(handler_call_details.invocation_metadata or ()).get(AUTHORIZATION, "")
        given_bytes = given if isinstance(given, bytes) else given.encode()
        return handler if hmac.compare_digest(given_bytes, self._expected) else _refusing(handler)


def _refusing(handler: Any) -> RpcMethodHandler:
    async def refuse(_request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the secret of the services is missing or wrong")

    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(refuse)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(refuse)
        case True, False:
            return grpc.stream_unary_rpc_method_handler(refuse)
        case _:
            return grpc.stream_stream_rpc_method_handler(refuse)
