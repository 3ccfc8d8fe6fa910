"""An SMTP server of somebody else: aiosmtpd, with STARTTLS and sign-in."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from typing import Any

ACCOUNT, PASSWORD = "imageflow", "of the mail account"


@dataclass(eq=False)
class MailServer:
    """What a server took, and how it answers.

    Attributes:
        mails: those it took, oldest first.
        answers: given to the next mails instead of taking them.
    """

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - called by aiosmtpd
        del server, session
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 OK"


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """Run a server on loopback until the block ends.

    Args:
        tls: asks for STARTTLS and sign-in; None takes mails from everybody in clear.
    """
    # Here: a checkout whose environment is older than the test can still collect the others.
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    def signed_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        del server, session, envelope, mechanism
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (ACCOUNT.encode(), PASSWORD.encode())
        return AuthResult(success=right)

    taken = MailServer()
    secured = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": signed_in}
    options: dict[str, Any] = {"hostname": "localhost", **(secured if tls is not None else {})}
    listener = socket.create_server(("127.0.0.1", 0))
    taken.port = listener.getsockname()[1]
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        server = await loop.create_server(lambda: SMTP(taken, loop=loop, **options), sock=listener)
        await stopped.wait()
        server.close()
        await server.wait_closed()

    # Connections wait in the listener's line until the thread accepts them, so nothing has to wait here.
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="mail-server")
    thread.start()
    try:
        yield taken
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
