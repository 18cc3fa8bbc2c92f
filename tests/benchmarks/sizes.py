"""How much data there is."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs


@attrs.frozen(kw_only=True)
class Sizes:
    """How much data there is: quick, usual and full, and what it is."""

    lamps: int = attrs.field(metadata={"sizes": (2_000, 10_000, 100_000), "is": "lamps in the database"})
    activity: int = attrs.field(
        metadata={"sizes": (50_000, 200_000, 10_000_000), "is": "entries of activity, where the log is full"}
    )
    batch: int = attrs.field(metadata={"sizes": (5_000, 20_000, 100_000), "is": "entries that are logged at once"})
    stream: int = attrs.field(metadata={"sizes": (20_000, 100_000, 1_000_000), "is": "lamps that are streamed"})
    cycles: int = attrs.field(metadata={"sizes": (2_000, 10_000, 100_000), "is": "mining cycles in a large batch"})
    commands: int = attrs.field(metadata={"sizes": (10_000, 100_000, 1_000_000), "is": "commands of specify"})
    metrics: int = attrs.field(metadata={"sizes": (50_000, 500_000, 5_000_000), "is": "metrics of specify"})
    sealed: int = attrs.field(metadata={"sizes": (10_000, 100_000, 1_000_000), "is": "audit entries that are sealed"})
    history: int = attrs.field(
        metadata={"sizes": (20_000, 1_000_000, 10_000_000), "is": "rows of daylight's location history"}
    )

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what each size is of, by its name."""
        return {field.name: field.metadata["is"] for field in attrs.fields(cls)}

    @classmethod
    def chosen(cls, how: Literal["quick", "usual", "full"], given: Mapping[str, Any]) -> "Sizes":
        """Return the sizes of one kind, but for those that are given."""
        place = ("quick", "usual", "full").index(how)
        return cls(**{field.name: given[field.name] or field.metadata["sizes"][place] for field in attrs.fields(cls)})
