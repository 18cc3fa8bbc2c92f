"""Which of a domain's policies a maintenance is about."""

import attrs

from surf_data.domain import Domain, Retention
from surf_data.kernel import validation


def policies(domain: Domain, table: str | None = None, keep_days: int | None = None) -> tuple[Retention, ...]:
    """Return the policies of a domain, or that of one of its tables.

    Arguments:
        domain: whose they are.
        table: one of its tables, with or without its schema.
        keep_days: how many days rows are kept, 1 to 36,500: of this table, or without one of each table whose policy
            leaves that to the operator, and whose rows are not archived.

    Raises:
        ValidationError: the domain has no policy for such a table, or ``keep_days`` is out of range.
    """
    found = domain.retention
    if table is not None:
        found = tuple(policy for policy in found if table in {policy.table, policy.table.partition(".")[2]})
        if not found:
            known = ", ".join(policy.table for policy in domain.retention) or "none"
            raise validation.invalid("table", f"must be one with a policy of {domain.name}: {known}")
    if keep_days is None:
        return found
    days = validation.integer("keep_days", keep_days, minimum=1, maximum=36_500)
    return tuple(
        attrs.evolve(policy, keep_days=days)
        if table is not None or (policy.keep_days is None and not policy.archive)
        else policy
        for policy in found
    )
