"""Recognition of files of ``torch.save`` without unpickling."""

from __future__ import annotations

from inspection.model_files.zip_members import member_names

_PICKLE = "data.pkl"
# ``torch.serialization.MAGIC_NUMBER`` pickled with protocol 2: the first bytes of files of torch before 1.6.
_OLD_BEGIN = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def is_torch_file(data: bytes) -> bool:
    """Return whether these are the bytes of a complete torch file: a checkpoint, a ``state_dict`` or a script."""
    if data.startswith(_OLD_BEGIN):
        return True
    return any(name.rpartition("/")[2] == _PICKLE for name in member_names(data))
