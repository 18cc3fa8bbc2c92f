"""Lists the licences of all that surf_data needs, in the environment that runs it: ``licences.py``.

Fails when a distribution says nothing of its licence, or names one that was not looked at.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# What may be used by a program under any licence; of the LGPL that holds as long as one can exchange the library.
KNOWN = re.compile(
    r"0BSD|Apache|BSD|ISC|LGPL|Lesser General Public|MIT|MPL|Mozilla|PostgreSQL|PSF|Python Software|Unlicense|Zlib",
    re.IGNORECASE,
)


# What its own repository says, of those whose metadata says nothing.
LOOKED_AT = {"sqruff": "Apache-2.0"}


def needed(name: str, extras: frozenset[str], seen: set[tuple[str, str]]) -> Iterator[Distribution]:
    """Yield what is installed of what a distribution needs, and what that needs."""
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key in seen:
                continue
            seen.add(key)
            try:
                found = distribution(requirement.name)
            except PackageNotFoundError:
                continue
            if not extra:
                yield found
            yield from needed(requirement.name, frozenset({extra} - {""}), seen)


def licence(found: Distribution) -> str:
    """Return what a distribution says of its licence, empty when it says nothing."""
    metadata = found.metadata
    classified = [
        text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier", []) if text.startswith("License ::")
    ]
    # The field License often holds the whole text.
    said = (metadata["License-Expression"] or "", ", ".join(classified), (metadata["License"] or "").partition("\n")[0])
    return next(filter(None, said), LOOKED_AT.get(canonicalize_name(metadata["Name"]), ""))


def main() -> int:
    """Print the list, and return how many are to be looked at."""
    extras = frozenset(distribution("surf-data").metadata.get_all("Provides-Extra", []))
    rows = {
        canonicalize_name(found.metadata["Name"]): (found.version, licence(found))
        for found in needed("surf-data", extras, set())
    }
    rows.pop("surf-data", None)
    wrong = 0
    for name, (version, said) in sorted(rows.items()):
        fine = bool(KNOWN.search(said))
        wrong += not fine
        sys.stdout.write(f"{'' if fine else 'LOOK AT: '}{name} {version}: {said or 'says nothing'}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
