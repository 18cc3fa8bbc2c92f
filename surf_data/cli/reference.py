"""The reference of the command line, made from the commands themselves.

``python -m surf_data.cli.reference > docs/reference/cli.md`` writes it.
"""

import inspect
from collections.abc import Iterator

import click

from surf_data.cli.commands import surf_data_command

_HEAD = """\
# The command line

Everything that `surf-data` can do; `python -m surf_data` is the same. It comes with the extra `cli`, and `demo` and
`embedded:` need the extra `embedded`. This page is made from the commands themselves, by
`python -m surf_data.cli.reference`.
"""


def reference() -> str:
    """Return the reference in Markdown."""
    return "\n".join(
        [
            _HEAD,
            *_sections(click.Context(surf_data_command, info_name="surf-data", **surf_data_command.context_settings)),
        ]
    )


def _sections(context: click.Context) -> Iterator[str]:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## {context.command_path}\n\n```text\n{usage}\n```\n\n{inspect.cleandoc(command.help or '')}\n"
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    # What every command has stands with the first.
    shown = [option for option in options if context.parent is None or "--help" not in option.opts]
    records = [record for option in shown if (record := option.get_help_record(context))]
    if records:
        yield "| option | |\n|---|---|"
        yield from (f"| `{option}` | {meaning} |" for option, meaning in records)
        yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member is not None  # noqa: S101 - it was just listed
            yield from _sections(click.Context(member, info_name=name, parent=context))


if __name__ == "__main__":
    print(reference(), end="")
