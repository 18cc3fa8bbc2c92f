"""How fast this library is, beside what others would be used instead: ``nox -s bench``."""
