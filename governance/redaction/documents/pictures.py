"""Pictures in documents: drawn again from their points alone, so that no metadata stays.

Belongs here: what any type of file does with a picture. Does not belong here: reading what is seen
on it; nothing here can, a person must look.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
"""Formats that are drawn again; a drawing in another one is removed."""

MOST_POINTS = 60_000_000
_PREVIEW = 320


def _opened(content: bytes) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=list(FORMATS))
            if picture.width * picture.height > MOST_POINTS:
                return None
            picture.load()
    except (
        UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError,
        Image.DecompressionBombError, Image.DecompressionBombWarning,
    ):  # fmt: skip
        return None
    return picture


def drawn_again(content: bytes) -> bytes | None:
    """Return a picture in its own format with its points and nothing else.

    Returns
    -------
    bytes or None
        None if it cannot be read, so must be removed. Only the first picture of an animation stays.
    """
    picture = _opened(content)
    if picture is None:
        return None
    kind = str(picture.format)
    upright = ImageOps.exif_transpose(picture) if kind == "JPEG" else picture
    mode = "RGB" if kind == "JPEG" else ("RGBA" if "A" in upright.mode or kind == "GIF" else "RGB")
    if "transparency" in upright.info:
        mode = "RGBA" if kind in ("PNG", "GIF") else "RGB"
    plain = upright.convert(mode)
    bare = Image.new(mode, plain.size)
    bare.paste(plain)
    buffer = io.BytesIO()
    bare.save(buffer, format=kind)
    return buffer.getvalue()


def preview(content: bytes) -> bytes:
    """Return a small PNG for the review page; empty if the picture cannot be read."""
    picture = _opened(content)
    if picture is None:
        return b""
    small = picture.convert("RGB")
    small.thumbnail((_PREVIEW, _PREVIEW))
    return png(small)


def png(picture: Image.Image) -> bytes:
    """Return a picture as PNG without metadata."""
    buffer = io.BytesIO()
    Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(buffer, format="PNG")
    return buffer.getvalue()
