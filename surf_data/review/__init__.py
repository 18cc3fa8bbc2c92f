"""What a DBA and CI want to know about every query, as PostgreSQL itself understands it.

It takes any folder of aiosql files and any folder of migrations. Where it needs a server, it is handed a connection.
"""

from surf_data.review.analysis.analyse import analyse
from surf_data.review.analysis.facts import Access, ColumnType, Facts, Outcome, Parameter, Refusal, ResultColumn
from surf_data.review.findings.callers import Caller, find_callers
from surf_data.review.findings.finding import Comparison, Finding, compare
from surf_data.review.planning.enlarge import enlarge
from surf_data.review.planning.explain import Planned, explain
from surf_data.review.planning.export import export_scale
from surf_data.review.planning.plans import Plan, PlanNode, Unplanned
from surf_data.review.planning.scale import ColumnScale, Scale, TableScale, read_scale
from surf_data.review.planning.sizing import Undeclared
from surf_data.review.scratch import Scratch, scratch
from surf_data.review.source import Query, read_queries
from surf_data.review.statistics import Other, Spent, Statistics, read_statistics
from surf_data.review.stubs.objects import Loaded, QueryObject, find_queries
from surf_data.review.stubs.records import row_problems
from surf_data.review.stubs.stub import stub

__all__ = [
    "Access",
    "Caller",
    "ColumnScale",
    "ColumnType",
    "Comparison",
    "Facts",
    "Finding",
    "Loaded",
    "Other",
    "Outcome",
    "Parameter",
    "Plan",
    "PlanNode",
    "Planned",
    "Query",
    "QueryObject",
    "Refusal",
    "ResultColumn",
    "Scale",
    "Scratch",
    "Spent",
    "Statistics",
    "TableScale",
    "Undeclared",
    "Unplanned",
    "analyse",
    "compare",
    "enlarge",
    "explain",
    "export_scale",
    "find_callers",
    "find_queries",
    "read_queries",
    "read_scale",
    "read_statistics",
    "row_problems",
    "scratch",
    "stub",
]
