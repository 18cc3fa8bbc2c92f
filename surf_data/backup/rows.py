"""A row of what a backup asks of the server: a field for each column, in the order of the columns."""

import attrs


@attrs.frozen
class State:
    """A database."""

    #: Its name.
    name: str
    #: Its server's version, as ``server_version_num`` has it: 180004 is 18.4.
    version: int
    #: Its size on the server's disk in bytes.
    size: int

    @property
    def major(self) -> int:
        """The first number of the version."""
        return self.version // 10_000
