"""Where ``sql/`` and ``migrations/`` are: inside the package in a wheel, beside it in a checkout."""

from pathlib import Path

from surf_data.domain import Domain

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


def sql_folder(domain: Domain) -> Path:
    """Return the folder of a domain's queries."""
    return _folder("sql", domain)


def migrations_folder(domain: Domain) -> Path:
    """Return the folder of a domain's migrations."""
    return _folder("migrations", domain)


def _folder(name: str, domain: Domain) -> Path:
    return (directory(name) if domain.root is None else domain.root / name) / domain.name
