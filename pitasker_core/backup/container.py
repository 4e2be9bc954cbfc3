"""The file format of a backup: a gzipped tar of named parts, written and read in order.

A backup may come from anywhere. So it is read in small blocks, with a limit on the unpacked size,
and only plain files with known names are taken from it. (`tarfile` itself would read a header of
any size into memory.)
"""

import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

UNPACKED_LIMIT = 2 * 1024**3
"""The largest unpacked size in bytes, unless a person allows a larger backup."""

_BLOCK = 1024**2
_CHUNK = 4 * 1024**2
_HEADER = 512
# Other writers wait while a restore copies the present state. For rows, level 9 takes several times
# as long as level 3 and saves little.
_LEVEL = 3
_EXTRA_LIMIT = 64 * 1024
_PARTS_LIMIT = 100_000
"""A backup of `UNPACKED_LIMIT` bytes has fewer parts than this."""


class TooLarge(ValueError):
    """The unpacked size of a backup is above the limit."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass
class Part:
    """One part of a backup. `parts` skips the blocks that are not read."""

    name: str
    size: int
    _stream: _Readable

    def __post_init__(self) -> None:
        self._left = self.size

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in blocks of at most 1 MiB. Raises EOFError if the file is cut off."""
        while self._left:
            block = self._stream.read(min(_BLOCK, self._left))
            if not block:
                raise EOFError("it ends too early")
            self._left -= len(block)
            yield block

    def content(self, limit: int) -> bytes:
        """Return the whole content. Raises ValueError above `limit` bytes."""
        if self.size > limit:
            raise ValueError(f"{self.name} has {self.size} bytes")
        return b"".join(self.blocks())


def parts(file: BinaryIO, limit: int | None = UNPACKED_LIMIT) -> Iterator[Part]:
    """Yield the parts of a backup in order. Reads the file to its end and checks its checksum.

    Raises TooLarge if all parts together have more than `limit` bytes (None: no limit). Raises
    OSError, EOFError, zlib.error, tarfile.TarError or ValueError for a file in another format.
    """
    unpacked = gzip.GzipFile(fileobj=file)
    total = 0

    def count(size: int) -> None:
        nonlocal total
        total += size
        if limit is not None and total > limit:
            raise TooLarge(f"it unpacks to more than {limit // 1024**2} MiB")

    for number in range(_PARTS_LIMIT):
        info = _read_header(unpacked, number)
        if info is None:
            break
        count(_HEADER + info.size)
        part = Part(info.name, info.size, unpacked)
        if info.type == tarfile.XHDTYPE:
            part.content(_EXTRA_LIMIT)  # the exact time of the next part
        elif info.type == tarfile.REGTYPE:
            yield part
            for _ in part.blocks():
                pass
        else:
            raise ValueError(f"{info.name} is not a plain file")
        unpacked.read(-info.size % _HEADER)
    while block := unpacked.read(_BLOCK):
        count(len(block))


def _read_header(unpacked: gzip.GzipFile, number: int) -> tarfile.TarInfo | None:
    """Read the header of the next part. None at the end of the parts."""
    header = unpacked.read(_HEADER)
    if len(header) < _HEADER:
        raise EOFError("it ends too early")
    if not header.strip(b"\0"):
        return None
    info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    if info.size < 0:
        raise ValueError(f"part {number} has no size")
    return info


class Writer:
    """Writes the parts of a backup."""

    def __init__(self, file: BinaryIO, seconds: float) -> None:
        """Start a backup whose parts have the time `seconds` (since the epoch)."""
        packed = gzip.GzipFile(fileobj=file, mode="wb", filename="", compresslevel=_LEVEL)
        self._tar = tarfile.TarFile(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT)
        self._packed = packed
        self._seconds = int(seconds)

    def add(self, name: str, data: bytes) -> None:
        """Add one part."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(data), 0o600, self._seconds
        self._tar.addfile(info, io.BytesIO(data))

    def add_rows(self, table: str, blocks: Iterable[bytes | bytearray | memoryview]) -> int:
        """Add a table's rows in parts of a few megabytes. Returns the number of rows."""
        rows = count = 0
        chunk = bytearray()
        for block in blocks:
            chunk += block
            if len(chunk) >= _CHUNK:
                count += 1
                self.add(f"rows/{table}/{count:06}", bytes(chunk))
                rows += chunk.count(b"\n")
                chunk.clear()
        self.add(f"rows/{table}/{count + 1:06}", bytes(chunk))
        return rows + chunk.count(b"\n")

    def close(self) -> None:
        """Write the end of the file."""
        self._tar.close()
        self._packed.close()
