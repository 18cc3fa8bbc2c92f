"""E-mail addresses: whether a text can be one, and the one spelling by which it is found."""

import unicodedata

from surf_data.kernel import validation

#: The most characters of an address; RFC 5321 allows 254 between the angle brackets.
MAX_EMAIL = 255


def email_key(email: str) -> str:
    """Return the one spelling under which an e-mail address is registered: NFC, casefolded, stripped.

    Arguments:
        email: the address as typed.
    """
    text = validation.unicode("email", email).strip()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def checked_email(value: object, field: str = "email") -> str:
    """Return ``value`` if it can be an e-mail address of at most 255 characters.

    Only its form is checked: something before and after an ``@``, all of it printable, no space within.

    Arguments:
        value: the address as typed; space around it is kept.
        field: what the error names.

    Raises:
        ValidationError: it cannot.
    """
    email = validation.text(field, value, maximum=MAX_EMAIL)
    local, at, domain = email.strip().rpartition("@")
    if not (local and at and domain) or any(not letter.isprintable() or letter.isspace() for letter in email.strip()):
        raise validation.invalid(field, "must be an e-mail address")
    return email
