"""Stubs of query functions for type checkers, and the classes of rows compared with their columns."""
