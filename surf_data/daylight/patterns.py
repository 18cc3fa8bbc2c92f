"""Patterns for endpoints: exact, or with stars. No regular expression from data is ever run."""

from fnmatch import fnmatchcase


def fits(pattern: str, text: str) -> bool:
    """Return whether ``text`` fits ``pattern``, in which ``*`` alone stands for others: any number of characters."""
    # A bracket would begin a set of characters.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
