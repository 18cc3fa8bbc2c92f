"""Transactions that were prepared and never ended: they hold their locks, and keep VACUUM from its work."""

from collections.abc import Iterator

from surf_data.kernel.postgres.cluster_queries import cluster_queries
from surf_data.kernel.postgres.execution import Executor
from surf_data.kernel.postgres.session_queries import session_queries

# Seconds after which a cluster should have ended what a node has prepared: twice the time between its own looks.
_DUE = 120


def remaining_transactions(executor: Executor) -> list[str]:
    """Return what is to be said of transactions that were prepared two minutes ago and have not ended since.

    On a Citus cluster each node is asked; one that does not answer is named.

    Arguments:
        executor: a connection to the database, on a cluster to the coordinator.

    Raises:
        DatabaseError: the server cannot be asked.
    """
    transactions, is_cluster = session_queries().prepared_remaining(executor, seconds=_DUE)
    if is_cluster:  # pragma: no cover - CI has no cluster: tests/integration/cluster covers it where one is named
        return list(_of_nodes(executor))
    return [_said(transactions, "SELECT gid FROM pg_prepared_xacts")] if transactions else []


def _of_nodes(executor: Executor) -> Iterator[str]:  # pragma: no cover - as above
    for node, transactions in cluster_queries().cluster_prepared(executor, seconds=_DUE):
        if transactions is None:
            yield f"the node {node} of the cluster does not answer"
        else:
            yield f"{_said(transactions, 'SELECT recover_prepared_transactions()')}, on the node {node}"


def _said(transactions: int, remedy: str) -> str:
    return f"{transactions:,} prepared transaction{'s' if transactions > 1 else ''} never ended: {remedy}"
