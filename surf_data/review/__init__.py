"""What a DBA and CI want to know about every query, as PostgreSQL itself understands it.

It takes any folder of aiosql files and any folder of migrations. Where it needs a server, it is handed a connection.
"""

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.analyse import analyse
from surf_data.review.analysis.facts import Access, ColumnType, Facts, Outcome, Parameter, Refusal, ResultColumn
from surf_data.review.distribution.verdicts import Verdict
from surf_data.review.findings.callers import Caller, find_callers
from surf_data.review.findings.finding import Comparison, Finding, compare
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.inspection import Inspection, Review, ReviewRequest, RuleOptions, inspect
from surf_data.review.planning.estimates import Missing
from surf_data.review.planning.explain import Planned, explain
from surf_data.review.planning.export import export_scale
from surf_data.review.planning.plans import Plan, PlanNode, Unplanned
from surf_data.review.planning.query_plans import QueryPlans
from surf_data.review.planning.scale import ColumnScale, Scale, TableScale, read_scale
from surf_data.review.planning.simulate import simulate
from surf_data.review.report.contents import Report
from surf_data.review.source import read_queries
from surf_data.review.statistics import QueryStats, Statistics, UntrackedStatement, read_statistics
from surf_data.review.stubs.objects import Loaded, QueryObject, find_queries
from surf_data.review.stubs.records import row_problems
from surf_data.review.stubs.stub import stub
from surf_data.review.workbench import ScratchDatabase, ScratchSchema, Workbench, scratch

__all__ = [
    "Access",
    "Caller",
    "ColumnScale",
    "ColumnType",
    "Comparison",
    "Facts",
    "Finding",
    "Inspection",
    "Loaded",
    "Missing",
    "Outcome",
    "Parameter",
    "Plan",
    "PlanNode",
    "Planned",
    "QueryObject",
    "QueryPlans",
    "QuerySource",
    "QueryStats",
    "Refusal",
    "Report",
    "ResultColumn",
    "Review",
    "ReviewRequest",
    "RuleOptions",
    "Scale",
    "ScratchDatabase",
    "ScratchSchema",
    "Statistics",
    "TableScale",
    "Thresholds",
    "Unplanned",
    "UntrackedStatement",
    "Verdict",
    "Workbench",
    "analyse",
    "compare",
    "explain",
    "export_scale",
    "find_callers",
    "find_queries",
    "inspect",
    "read_queries",
    "read_scale",
    "read_statistics",
    "row_problems",
    "scratch",
    "simulate",
    "stub",
]
