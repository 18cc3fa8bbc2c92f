"""Reads and writes files of queries as they are: bytes, owner, permissions."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from surf_data.errors import QueryFileError


def read_bytes(path: Path) -> bytes:
    """Return what is in a file, which is UTF-8.

    Raises:
        QueryFileError: the file cannot be read.
    """
    try:
        raw = path.read_bytes()
        raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        problem = QueryFileError(f"cannot be read: {type(error).__name__}", file=str(path))
    else:
        return raw
    # Outside the handler, so that it carries no other error.
    raise problem


def replace_file(path: Path, content: bytes) -> None:
    """Put content into a file, all at once, with the owner and the permissions that it has.

    Raises:
        QueryFileError: it cannot be written.
    """
    # Through a link into the file itself.
    own = path.resolve()
    try:
        known = own.stat()
        with tempfile.NamedTemporaryFile(dir=own.parent, prefix=f".{own.name}.", delete=False) as draft:
            draft.write(content)
        try:
            with suppress(PermissionError):
                os.chown(draft.name, known.st_uid, known.st_gid)
            Path(draft.name).chmod(known.st_mode)
            Path(draft.name).replace(own)
        except BaseException:
            Path(draft.name).unlink()
            raise
    except OSError as error:
        problem = QueryFileError(f"cannot be written: {error.strerror}", file=str(path))
    else:
        return
    # Outside the handler, so that it carries no other error.
    raise problem
