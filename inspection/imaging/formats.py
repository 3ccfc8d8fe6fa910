"""Kinds of files by ending and by first bytes: pictures that are read, pictures that are only named, videos."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from models.storage import is_file

PictureFormat = Literal["jpeg", "png", "bmp", "tiff", "webp", "netpbm", "gif"]

SUFFIXES: dict[PictureFormat, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".pjpeg", ".pjp", ".mpo"),
    "png": (".png", ".apng"),
    "bmp": (".bmp", ".dib"),
    "tiff": (".tif", ".tiff"),
    "webp": (".webp",),
    "netpbm": (".pgm", ".ppm", ".pbm", ".pnm"),
    "gif": (".gif",),
}
"""Endings of each format that is read; the first is the usual one."""
IMAGE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".gif", ".ts", ".wmv", ".asf", ".3gp", ".3g2"}
    | {".mts", ".m2ts", ".flv", ".vob", ".ogv", ".mxf"}
)
"""Of files whose frames are read when they are given alone."""

_RAW = {
    f".{suffix}": "camera raw"
    for suffix in [
        "3fr",
        "arw",
        "cr2",
        "cr3",
        "crw",
        "dng",
        "erf",
        "iiq",
        "kdc",
        "mef",
        "mos",
        "mrw",
        "nef",
        "nrw",
        "orf",
        "pef",
        "raf",
        "raw",
        "rw2",
        "rwl",
        "sr2",
        "srf",
        "srw",
        "x3f",
    ]
}
_UNREAD = _RAW | {
    ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".heics": "HEIC", ".avif": "AVIF", ".avifs": "AVIF",
    ".jxl": "JPEG XL", ".jp2": "JPEG 2000", ".j2k": "JPEG 2000", ".jpf": "JPEG 2000", ".jpx": "JPEG 2000",
    ".j2c": "JPEG 2000", ".jpc": "JPEG 2000", ".jxr": "JPEG XR", ".wdp": "JPEG XR", ".hdp": "JPEG XR",
    ".pam": "netpbm PAM", ".pfm": "netpbm PFM", ".exr": "OpenEXR", ".hdr": "Radiance HDR", ".psd": "Photoshop",
    ".psb": "Photoshop", ".xcf": "GIMP", ".kra": "Krita", ".tga": "Targa", ".pcx": "PCX", ".ico": "icon",
    ".ras": "Sun raster", ".sgi": "SGI", ".dds": "DDS", ".svg": "SVG", ".emf": "EMF", ".wmf": "WMF", ".eps": "EPS",
    ".dcm": "DICOM", ".fits": "FITS", ".fit": "FITS", ".btf": "BigTIFF", ".tf8": "BigTIFF", ".hobj": "HALCON",
    ".qoi": "QOI", ".xbm": "XBM", ".xpm": "XPM", ".ptif": "TIFF pyramid", ".cin": "Cineon", ".dpx": "DPX",
    ".fpx": "FlashPix", ".jng": "JNG", ".mng": "MNG", ".pcd": "Photo CD", ".rgbe": "Radiance HDR", ".jls": "JPEG-LS",
    ".czi": "microscope image", ".lif": "microscope image", ".nd2": "microscope image",
}  # fmt: skip
PICTURE_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES | frozenset(_UNREAD)
"""Of files in a folder that look like something to inspect; those that cannot be read are named."""

_SIGNATURES: tuple[tuple[bytes, PictureFormat], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_NETPBM = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
_BLANK = b" \t\r\n\v\f#"
_UNREAD_SIGNATURES = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"),
    (b"8BPS", "Photoshop"),
    (b"gimp xcf", "GIMP"),
    (b"DDS ", "DDS"),
    (b"SIMPLE  =", "FITS"),
    (b"P7\n", "netpbm PAM"),
    (b"Pf\n", "netpbm PFM"),
    (b"PF\n", "netpbm PFM"),
    (b"\0\0\1\0", "icon"),
    (b"%!PS", "EPS"),
)
# ISO base media files: the brands of still images.
_BRANDS = {
    "avif": "AVIF", "avis": "AVIF", "heic": "HEIC", "heix": "HEIC", "heim": "HEIC", "heis": "HEIC", "hevc": "HEIC",
    "hevx": "HEIC", "mif1": "HEIC", "msf1": "HEIC", "crx ": "camera raw",
}  # fmt: skip


_BEGIN_OF_NETPBM = re.compile(rb"P[1-6](\s+|#[^\n]*\n)+\d+(\s+|#[^\n]*\n)+\d+\s")
_HEAD_OF_PICTURE = 512


def is_picture_by_content(path: Path) -> bool:
    """Return whether the first bytes of a file are those of a picture, read or not; for names without a known ending.

    What cannot be opened, or is no regular file, is none.
    """
    if not is_file(path):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_OF_PICTURE)
    except OSError:
        # Among the files that are no pictures by name are locked ones of the system, as Thumbs.db.
        return False
    found = image_format(head)
    # Two letters may begin a text.
    if found == "bmp":
        return head[6:10] == bytes(4)
    if found == "netpbm":
        return _BEGIN_OF_NETPBM.match(head) is not None
    return found is not None or unread_format(head, "") is not None


def image_format(data: bytes) -> PictureFormat | None:
    """Return the format that the first bytes identify, or None when it is not one that is read."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:2] in _NETPBM and data[2:3] and data[2:3] in _BLANK:
        return "netpbm"
    return next((name for signature, name in _SIGNATURES if data[: len(signature)] == signature), None)


def unread_format(data: bytes, suffix: str) -> str | None:
    """Return the name of the picture format that is recognised and not read; None when it is none.

    Args:
        data: the first bytes of the file, or all.
        suffix: of the file's name, in any case; a camera's raw file has the first bytes of a TIFF.
    """
    if image_format(data) is not None:
        return _RAW.get(suffix.lower())
    if data[4:8] == b"ftyp" and (brand := data[8:12].decode("latin-1")) in _BRANDS:
        return _BRANDS[brand]
    if data[128:132] == b"DICM":
        return "DICOM"
    by_content = next((name for signature, name in _UNREAD_SIGNATURES if data[: len(signature)] == signature), None)
    return by_content or _UNREAD.get(suffix.lower())
