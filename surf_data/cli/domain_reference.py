"""The reference of the domains, made of what they declare.

``python -m surf_data.cli.domain_reference > docs/reference/domains.md`` writes it.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import attrs

from surf_data import domain
from surf_data.domain import Domain, Retention
from surf_data.kernel.settings import ENVIRONMENT_PREFIX, Settings

_HEAD = """\
# Domains

What each domain declares in its `DOMAIN`. Every command that takes `--domain` knows them by these names. This page is
made of the declarations themselves, by `python -m surf_data.cli.domain_reference`.
"""


def domain_reference() -> str:
    """Return the reference in Markdown: the domains of this package."""
    return "\n".join([_HEAD, *(line for name in domain.NAMES for line in _section(domain.find(name)))])


def _section(declared: Domain) -> Iterator[str]:
    name = declared.name
    yield f"## {name}\n\n{declared.title}: [its page](../domains/{name}.md).\n"
    yield "| | |\n|---|---|"
    yield f"| schemas | {_listed(declared.schemas)} |"
    yield f"| queries | `sql/{name}/` |"
    yield f"| migrations | `migrations/{name}/` |"
    yield f"| roles | {_listed(f'{declared.roles}_{part}' for part in ('owner', 'app', 'read'))} |"
    yield f"| opened by | `{declared.opener.replace(':', '.')}` |"
    yield f"| `application_name` | `{declared.application_name}` |"
    for setting, variables in declared.variables.items():
        yield f"| variables for `{setting}` | {_listed(variables)} |"
    yield ""
    if declared.retention:
        yield "| kept in | by | days | partitions |\n|---|---|---|---|"
        yield from map(_policy, declared.retention)
        yield ""
    kernel = attrs.fields_dict(Settings)
    own = [field for field in attrs.fields(declared.settings) if field.name not in kernel]
    if own:
        meanings = _meanings(declared.settings)
        yield "| setting of its own | variables | default | takes | meaning |\n|---|---|---|---|---|"
        for field in own:
            variables = (f"{ENVIRONMENT_PREFIX}{name.upper()}_{field.name.upper()}", *field.metadata["variables"])
            default = "" if field.default is None else f"`{field.default!r}`"
            meaning = meanings.get(field.name, "")
            yield f"| `{field.name}` | {_listed(variables)} | {default} | {field.metadata['expected']} | {meaning} |"
        yield ""


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _policy(policy: Retention) -> str:
    days = "until an operator says otherwise" if policy.keep_days is None else f"{policy.keep_days:,}"
    return f"| `{policy.table}` | `{policy.by}` | {days} | {policy.partition or ''} |"


def _meanings(settings: type[Any]) -> dict[str, str]:
    """Return what the comments say of each setting."""
    source = "\n".join(inspect.getsource(cls) for cls in settings.__mro__[:-1])
    return {
        name: " ".join(line.strip().removeprefix("#: ") for line in comment.splitlines()).replace("``", "`")
        for comment, name in re.findall(r"((?: +#: .*\n)+) +(\w+):", source)
    }


if __name__ == "__main__":
    print(domain_reference(), end="")
