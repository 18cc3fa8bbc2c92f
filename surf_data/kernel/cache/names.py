"""The names that keys have in Redis: those of values, and those of locks, which are never the same."""

from surf_data.kernel import validation

#: The longest key that is accepted, in characters.
MAX_KEY = 10_000

# Keys that are remembered: how many, and of how many characters at the most.
_MAX_KNOWN, _MAX_KNOWN_KEY = 1000, 200

_LOCK, _VALUE = "lock:", "value:"


class Names:
    """Gives keys their names.

    Arguments:
        prefix: what every name begins with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        #: Names of values by key, as far as they are remembered: the same few keys come again and again, and to check
        #: one takes longer than the near cache does.
        self.known: dict[str, str] = {}

    def value(self, key: str) -> str:
        """Return the name of the value under a key.

        It is the key behind the prefix, and behind ``value:`` as well if it would be the name of a lock otherwise.

        Raises:
            ValidationError: ``key`` is no text of 1 to `MAX_KEY` characters that UTF-8 can encode.
        """
        name = self.known.get(key) if type(key) is str else None
        return self._new(key) if name is None else name

    def _new(self, key: str) -> str:
        validation.text("key", key, maximum=MAX_KEY)
        # A subclass of str is joined by what it contains, not by how it is formatted.
        name = self._prefix + _VALUE + key if _is_reserved(key) else self._prefix + key
        if len(key) <= _MAX_KNOWN_KEY:
            if len(self.known) >= _MAX_KNOWN:
                self.known.clear()
            self.known[key] = name
        return name

    def start(self, key_prefix: str) -> str:
        """Return what the names of all values begin with whose keys begin with ``key_prefix``."""
        return self._prefix + _VALUE + key_prefix if _is_reserved(key_prefix) else self._prefix + key_prefix

    def key(self, name: str) -> str | None:
        """Return the key of a name, ``None`` if it is that of a lock."""
        key = name[len(self._prefix) :]
        if key.startswith(_LOCK):
            return None
        return key[len(_VALUE) :] if _is_reserved(key) else key

    @property
    def identity(self) -> str:
        """The name of what a database is known by: that of a lock that no key has, since none holds a NUL."""
        return self._prefix + _LOCK + "\0database"

    def lock(self, key: str) -> str:
        """Return the name of the lock for a key."""
        return self._prefix + _LOCK + key


def _is_reserved(key: str) -> bool:
    """Whether a key is one of ours: ``lock:``, behind any number of ``value:``."""
    while key.startswith(_VALUE):
        key = key[len(_VALUE) :]
    return key.startswith(_LOCK)
