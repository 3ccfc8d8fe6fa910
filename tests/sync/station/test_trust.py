"""Whose certificate a station accepts, and what it says of another one."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from models.errors import Unavailable
from models.messages import LocalText
from sync.station.client import ServerClient
from sync.station.trust import verify_reason
from tests.support.certificates import Authority, Signed
from tests.support.refusing_server import QuietServer, Refusing, refusing


@pytest.fixture
def served() -> Iterator[QuietServer]:
    with refusing() as server:
        yield server


@pytest.fixture
def authority(served: QuietServer, tmp_path: Path) -> Authority:
    """Who signed the certificate of the server, which encrypts from now on."""
    made = Authority(tmp_path)
    encrypt(served, made.sign("localhost"))
    return made


def encrypt(served: QuietServer, own: Signed) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    served.socket = context.wrap_socket(served.socket, server_side=True)


def reason(served: QuietServer) -> str:
    """Return the code of why a certificate is not accepted."""
    refused = trouble(f"https://localhost:{served.server_port}")
    assert refused.code == "server-certificate-untrusted"
    given = refused.values["reason"]
    assert isinstance(given, LocalText)
    return given.code


def trouble(address: str) -> Unavailable:
    client = ServerClient(address, timeout_s=20)
    try:
        with pytest.raises(Unavailable) as refused:
            client.register_device("AAAA-BBBB", "Line", None)
    finally:
        client.close()
    return refused.value


def test_a_server_that_does_not_encrypt_is_named_as_such(served: QuietServer) -> None:
    assert trouble(f"https://127.0.0.1:{served.server_port}").code == "server-without-tls"


@pytest.mark.usefixtures("authority")
def test_a_server_that_only_encrypts_is_named_as_such(served: QuietServer) -> None:
    assert trouble(f"http://localhost:{served.server_port}").code == "server-needs-tls"


def test_a_proxy_that_refuses_plain_requests_is_named_as_one_that_only_encrypts(
    served: QuietServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Refusing) -> None:
        words = b"The plain HTTP request was sent to HTTPS port"
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    monkeypatch.setattr(Refusing, "do_POST", refuse)
    assert trouble(f"http://127.0.0.1:{served.server_port}").code == "server-needs-tls"


def test_a_server_that_answers_nobody_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:

        def close_two() -> None:
            for _ in range(2):
                closing.accept()[0].close()

        answering = threading.Thread(target=close_two)
        answering.start()
        assert trouble(f"http://127.0.0.1:{closing.getsockname()[1]}").code == "server-unreachable"
        answering.join()


@pytest.mark.usefixtures("authority")
def test_a_certificate_of_an_unknown_authority_is_named_as_the_trouble(served: QuietServer) -> None:
    assert reason(served) == "value-certificate-authority-unknown"


@pytest.mark.parametrize(
    ("host", "hours", "code"),
    [
        ("localhost", (-20, -10), "value-certificate-expired"),
        ("localhost", (10, 20), "value-certificate-not-yet-valid"),
        ("elsewhere", (-20, 20), "value-certificate-of-another-host"),
    ],
)
def test_a_certificate_that_does_not_hold_here_says_why(
    served: QuietServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, hours: tuple[int, int], code: str
) -> None:
    made = Authority(tmp_path)
    begins, ends = (timedelta(hours=one) for one in hours)
    encrypt(served, made.sign(host, begins, ends))
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    assert reason(served) == code


def test_a_certificate_that_nobody_else_signed_says_so(served: QuietServer, tmp_path: Path) -> None:
    encrypt(served, Authority(tmp_path).own)
    assert reason(served) == "value-certificate-self-signed"


def test_a_reason_without_a_text_is_given_in_the_words_of_the_library() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = 26, "unsuitable certificate purpose"
    found = verify_reason(error)
    assert (found.code, found.values) == (
        "value-certificate-not-accepted",
        {"reason": "unsuitable certificate purpose"},
    )


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_an_authority_that_the_system_trusts_is_accepted(
    served: QuietServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))  # where OpenSSL keeps the system's list
    assert trouble(f"{scheme}://localhost:{served.server_port}").code == "server-failing"


def test_a_server_that_ends_during_the_handshake_is_unreachable() -> None:
    def end_all(listener: socket.socket) -> None:
        with suppress(OSError):  # The test is over.
            while True:
                connection, _ = listener.accept()
                connection.recv(65_536)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        ending = threading.Thread(target=end_all, args=(listener,))
        ending.start()
        code = trouble(f"https://127.0.0.1:{listener.getsockname()[1]}").code
        listener.shutdown(socket.SHUT_RDWR)
        ending.join()
    assert code == "server-unreachable"
