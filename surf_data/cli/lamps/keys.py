"""``surf-data keys``: API keys encrypted where they are stored."""

import attrs
import click

from surf_data.cli import output
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.errors import ConfigurationError
from surf_data.kernel import crypto, settings
from surf_data.lamps import key_rotation


@click.group(name="keys")
def keys_group() -> None:
    """Encrypt the stored API keys.

    SURF_DATA_ENCRYPTION_KEYS holds one or more keys, separated by commas. The first encrypts, all decrypt.
    """


@keys_group.command
def new() -> None:
    """Print a new key, for the beginning of SURF_DATA_ENCRYPTION_KEYS."""
    output.console().print(crypto.new_key(), highlight=False, soft_wrap=True)


@keys_group.command
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@json_option
@pass_target
def rotate(target: Target, *, dry_run: bool, as_json: bool) -> None:
    """Encrypt every stored API key with the first of the keys, all of them or none.

    What was stored in plain text is encrypted, and what is encrypted with another of the keys is encrypted anew. First
    give all services the new key in front of the old one; after this command the old one can go.
    """
    keys = settings.load().encryption_keys
    if keys is None:
        raise ConfigurationError("SURF_DATA_ENCRYPTION_KEYS is not set", setting="encryption_keys")
    ring = crypto.KeyRing(keys)
    with target.database() as database:
        done = database.run_transaction(lambda session: key_rotation.rotate(session, ring, dry_run=dry_run))
    if as_json:
        output.write_json(attrs.asdict(done))
        return
    would = "would be " if dry_run else ""
    output.console().print(
        f"{done.encrypted} {would}encrypted, {done.rotated} {would}encrypted anew, {done.kept} left as they are"
    )
