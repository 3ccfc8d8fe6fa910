"""Model files that cannot be opened at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspection.model_files.archive import read_bytes
from models.errors import InvalidInput


def test_the_present_folder_is_named_where_a_model_file_is_wanted() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_bytes(Path())
    assert (caught.value.code, caught.value.values["name"]) == ("model-not-readable", ".")
