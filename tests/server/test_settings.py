"""Settings that would open the server are refused."""

from __future__ import annotations

import pytest

from models.errors import InvalidInput
from server.core.settings import load_settings


@pytest.mark.parametrize(
    "proxy", ["*", "10.0.0.1,*", "0.0.0.0/0", "::/0", "10.0.0.1, 0.0.0.0/1,128.0.0.0/1", "8.0.0.0/7"]
)
def test_a_proxy_that_is_everybody_is_refused(proxy: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        load_settings(proxy=proxy)
    assert (refusal.value.code, refusal.value.values["setting"]) == (
        "server-settings-invalid",
        "IMAGEFLOW_SERVER_PROXY",
    )


@pytest.mark.parametrize("proxy", ["10.0.0.0/8", "fc00::/7", "10.1.2.3, 192.168.0.0/16"])
def test_a_proxy_in_a_private_network_is_taken(proxy: str) -> None:
    assert load_settings(proxy=proxy).proxy == proxy
