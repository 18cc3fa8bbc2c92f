"""Where ``sql/`` and ``migrations/`` are: inside the package in a wheel, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def directory(name: str) -> Path:
    """Return the folder of SQL called ``name``.

    Arguments:
        name: ``"sql"`` or ``"migrations"``.

    Raises:
        FileNotFoundError: neither the installed package nor a checkout has such a folder.
    """
    packaged = _PACKAGE / f"_{name}"
    if packaged.is_dir():
        return packaged
    checkout = _PACKAGE.parent / name
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(name)
