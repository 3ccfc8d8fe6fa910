"""Settings that would open the server are refused."""

from __future__ import annotations

import pytest

from models.errors import InvalidInput
from server.core.settings import ServerSettings
from server.core.settings_loading import load_settings


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


@pytest.mark.parametrize(
    ("setting", "text", "reason"),
    [
        ("MODELS", '{"yolo11": ', "value-json-place"),
        ("MODELS", "yolo11=yolo11n.onnx", "value-json-place"),
        ("MODELS", "", "value-json-place"),
        ("CORS_ORIGINS", "https://a.example", "value-json-place"),
        ("MODELS", "[1]", "value-dict-type"),
        ("MODELS", '{"yolo11": 5}', "value-of-field"),
    ],
)
def test_a_setting_that_is_not_the_json_it_should_be_is_named(
    monkeypatch: pytest.MonkeyPatch, setting: str, text: str, reason: str
) -> None:
    monkeypatch.setenv(f"IMAGEFLOW_SERVER_{setting}", text)
    with pytest.raises(InvalidInput) as refusal:
        load_settings()
    assert (refusal.value.code, refusal.value.values["setting"]) == (
        "server-settings-invalid",
        f"IMAGEFLOW_SERVER_{setting}",
    )
    assert refusal.value.values["reason"].code == reason


@pytest.mark.parametrize(
    ("processors", "given", "slots", "images"),
    [(2, {}, 4, 2), (8, {"workers": 4}, 4, 2), (1, {"workers": 4}, 3, 1), (4, {"execution_slots": 1}, 1, 1)],
)
def test_a_model_works_on_as_many_images_as_slots_on_processors(
    monkeypatch: pytest.MonkeyPatch, processors: int, given: dict[str, int], slots: int, images: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    settings = ServerSettings(**given)
    assert (settings.slots, settings.images_at_once) == (slots, images)


def test_a_process_that_runs_no_executions_works_on_one_image() -> None:
    assert ServerSettings(execution_slots=0).images_at_once == 1
