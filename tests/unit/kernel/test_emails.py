"""E-mail addresses: their form, and the one spelling by which they are found."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel.emails import checked_email, email_key


@given(text=st.text(max_size=40))
def test_the_key_of_an_address_is_the_same_for_its_spellings(text: str) -> None:
    """Upper case, lower case and composition do not change the key of letters that have one of each."""
    assert email_key(unicodedata.normalize("NFD", text)) == email_key(unicodedata.normalize("NFC", text))
    assert email_key(f"  {text}  ") == email_key(text)


@pytest.mark.parametrize("email", ["kai@example.org", " Kai@Example.org ", "ü@ß.example", '"a@b"@example.org'])
def test_an_address_is_taken_as_typed(email: str) -> None:
    """What can be an address comes back unchanged, space around it included."""
    assert checked_email(email) == email


@pytest.mark.parametrize("email", [None, 7, "", "kai", "@example.org", "kai@", "k ai@example.org", "kai@exa\nmple.org"])
def test_what_is_no_address_is_refused_by_the_name_of_its_field(email: object) -> None:
    """The error names the caller's field and repeats no value."""
    with pytest.raises(ValidationError) as caught:
        checked_email(email, "owner_email")
    assert caught.value.field == "owner_email"
    assert "kai" not in str(caught.value)
