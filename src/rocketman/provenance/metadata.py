"""Texts inside a picture file: how a recipe is written into PNG, JPEG and WebP, and found again.

Level 1. Two texts and a set of XMP fields, in the place where each format keeps such things:

    the recipe as A1111 writes it   PNG text `parameters`; EXIF UserComment in JPEG and WebP
    our recipe as JSON, exact       PNG text `rocketman`; XMP rocketman:Recipe in JPEG and WebP
    XMP                             IPTC's words for AI-made pictures; on request China's label

Sheets and animations hold the recipes of all their pictures: PNG text `rocketman-sheet`, XMP
rocketman:Recipes in WebP, the comment in GIF.

No text is protected by itself: the signature, written last, covers them all.
Next: `picture.py` calls `encode`; `json_in` takes the JSON back out, `parameters_in` A1111's text.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from rocketman.provenance.credentials import AI_MADE

KEY = "rocketman"
SHEET = "rocketman-sheet"
"""The text of a sheet of several pictures: their recipes."""
NAMESPACE = "urn:rocketman:recipe:1"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""By the end of a file's name."""
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}
QUALITY = 95
"""Of JPEG, with full colour resolution, and of WebP: the mark and fine edges come through."""

MAX_SEGMENT = 65_500
"""Bytes of XMP, and of EXIF, in a JPEG file."""
MAX_PARAMETERS = 100_000
"""Characters of A1111's text that are read; a longer one is not."""
CODES = (b"UNICODE\0", b"ASCII\0\0\0", bytes(8))
"""What the first eight bytes of a UserComment say of the others."""

PRODUCER_VARIABLE = "ROCKETMAN_AIGC_PRODUCER"
"""Set to a provider's name or code, it adds the label that China's measures of 2025 ask for."""


class TooLongError(ValueError):
    """Texts that a JPEG file has no room for."""


def encode(
    image: Image.Image,
    kind: str,
    *,
    parameters: str,
    recipe: str,
    version: str,
    prompt: str = "",
    number: str = "",
    source_type: str = AI_MADE,
) -> bytes:
    """The picture as a file of `kind`, one of FORMATS' values, with its texts inside.

    parameters and recipe: A1111's text and our JSON (pure ASCII). prompt: "" keeps it out of XMP.
    number: of this picture, for China's label. source_type: IPTC's address for how it was made.
    TooLongError if `kind` is JPEG and the texts do not fit in, from 7,000 CJK characters on.
    """
    buffer = io.BytesIO()
    held = {} if kind == "PNG" else {"Recipe": recipe}
    fields = _xmp(version, prompt, number, held, source_type)
    if kind == "PNG":
        text = PngInfo()
        text.add_text("parameters", parameters)  # Pillow writes iTXt where latin-1 falls short
        text.add_text(KEY, recipe)
        text.add_itxt("XML:com.adobe.xmp", fields)
        image.save(buffer, format=kind, pnginfo=text)
        return buffer.getvalue()
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = f"Rocketman {version}"
    comment = b"UNICODE\0" + parameters.encode("utf-16-be", "replace")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    if kind == "JPEG" and max(len(fields.encode()), len(exif.tobytes())) > MAX_SEGMENT:
        raise TooLongError("A JPEG file has no room for so long a recipe.")
    more = {"subsampling": 0} if kind == "JPEG" else {"method": 4}
    flat = image if image.mode in ("L", "RGB") else image.convert("RGB")
    flat.save(buffer, format=kind, quality=QUALITY, exif=exif, xmp=fields.encode(), **more)
    return buffer.getvalue()


def encode_sheet(
    image: Image.Image, recipes: str, version: str, number: str, source_type: str
) -> bytes:
    """A sheet of several pictures as PNG; `recipes` is a JSON list, pure ASCII."""
    text = PngInfo()
    text.add_text(SHEET, recipes)
    text.add_itxt("XML:com.adobe.xmp", _xmp(version, "", number, source_type=source_type))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=text)
    return buffer.getvalue()


def encode_animation(
    frames: Sequence[Image.Image],
    kind: str,
    milliseconds: Sequence[int],
    recipes: str,
    version: str,
    number: str,
) -> bytes:
    """Pictures as an endless animation of `kind`, one of ANIMATIONS' values, texts inside."""
    first, *others = [frame.convert("RGB") for frame in frames]
    buffer = io.BytesIO()
    shared = {"save_all": True, "append_images": others, "duration": list(milliseconds), "loop": 0}
    if kind == "WEBP":
        fields = _xmp(version, "", number, {"Recipes": recipes})
        first.save(buffer, kind, **shared, xmp=fields.encode(), quality=QUALITY, method=4)
        return buffer.getvalue()
    first.save(buffer, kind, **shared, comment=recipes.encode())
    # Pillow writes no XMP into GIF. It goes before the end: a block whose reader, after the text,
    # falls down 255 numbers of which each points to the last (XMP specification, part 3).
    packet = _xmp(version, "", number).encode() + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    end = buffer.getvalue()[-1:]  # the trailer
    return buffer.getvalue()[:-1] + b"\x21\xff\x0bXMP DataXMP" + packet + end


def is_sheet(path: Path) -> bool:
    """Whether a file is a sheet or an animation of ours. Pixels stay undecoded."""
    try:
        with Image.open(path, formats=("PNG", "GIF", "WEBP")) as image:
            comment, xmp = image.info.get("comment"), image.info.get("xmp")
            return (
                SHEET in image.info
                or (isinstance(comment, bytes) and comment.startswith(b'[{"prompt": '))
                or (isinstance(xmp, bytes) and b"rocketman:Recipes=" in xmp)
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def json_in(image: Image.Image) -> str | None:
    """Our JSON in an opened picture of any of the formats; None if there is none."""
    text = image.info.get(KEY)
    if isinstance(text, str):
        return text
    fields = image.info.get("xmp")
    if not isinstance(fields, bytes):
        return None
    # No XML parser: a stranger's XML could make one work for hours.
    found = re.search(rb'rocketman:Recipe="([^"]*)"', fields)
    return html.unescape(found[1].decode("utf-8", "replace")) if found else None


def parameters_in(image: Image.Image) -> str | None:
    """The text of settings as A1111 writes it, whoever wrote it, in an opened picture; or None."""
    text = image.info.get("parameters")
    if isinstance(text, str):
        return text if len(text) <= MAX_PARAMETERS else None
    exif = image.info.get("exif")
    comment = _user_comment(exif) if isinstance(exif, bytes) else b""
    for code in CODES:
        comment = comment.removeprefix(code)
    for encoding in ("utf-16-be", "utf-16-le", "utf-8"):  # the standard says one, tools write all
        text = comment.decode(encoding, "replace")
        if "Steps: " in text:
            return text
    return None


def _user_comment(exif: bytes) -> bytes:
    """UserComment out of an EXIF block, b"" if there is none or it is damaged.

    No EXIF parser: a stranger's block could make one copy the same bytes for every entry. This
    looks at two directories and copies one value.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return b""

    def entry(at: int, wanted: int) -> tuple[int, int]:
        """Count and value of an entry of the directory at `at`."""
        [entries] = struct.unpack_from(f"{order}H", tiff, at)
        for k in range(entries):
            tag, _kind, count, value = struct.unpack_from(f"{order}HHII", tiff, at + 2 + 12 * k)
            if tag == wanted:
                return count, value
        raise ValueError(f"there is no tag {wanted}")

    try:
        [first] = struct.unpack_from(f"{order}I", tiff, 4)
        _, inner = entry(first, ExifTags.IFD.Exif)
        size, at = entry(inner, ExifTags.Base.UserComment)
    except (struct.error, ValueError):
        return b""
    return tiff[at : at + size] if size <= 2 * MAX_PARAMETERS else b""


def _xmp(
    version: str,
    prompt: str,
    number: str,
    held: Mapping[str, str] | None = None,
    source_type: str = AI_MADE,
) -> str:
    """An XMP packet: IPTC Photo Metadata 2025.1's fields of AI, the tool's name, JSON of ours."""
    extension = {
        "DigitalSourceType": source_type,
        "AISystemUsed": "Rocketman",
        "AISystemVersionUsed": version,
    }
    if prompt:
        extension["AIPromptInformation"] = _legal(prompt)
    fields = [f"Iptc4xmpExt:{name}={_quoted(value)}" for name, value in extension.items()]
    fields.append(f"xmp:CreatorTool={_quoted(f'Rocketman {version}')}")
    if held:
        fields.append(f"xmlns:rocketman={_quoted(NAMESPACE)}")
    for name, text in (held or {}).items():
        fields.append(f"rocketman:{name}={_quoted(text)}")
    label = _label(number)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f"{' '.join(fields)}>{label}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def _label(number: str) -> str:
    """The implicit label of GB 45438-2025, as TC260's practice guide writes it into XMP."""
    producer = os.environ.get(PRODUCER_VARIABLE, "").strip()
    if not producer:
        return ""
    label = {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": number,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    text = html.escape(_legal(json.dumps(label, ensure_ascii=False)), quote=False)
    namespace = "http://www.tc260.org.cn/ns/AIGC/1.0/"
    return f'<TC260:AIGC xmlns:TC260="{namespace}">{text}</TC260:AIGC>'


def _quoted(text: str) -> str:
    """The value of an XML attribute. Bare line breaks and tabs would be read as spaces."""
    escaped = html.escape(text)
    for kept in "\n\r\t":
        escaped = escaped.replace(kept, f"&#{ord(kept)};")
    return f'"{escaped}"'


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 does not allow."""
    kept = "".join(c for c in text if c in "\t\n\r" or (ord(c) >= 32 and c not in "\ufffe\uffff"))
    return kept.encode("utf-8", "replace").decode()
