"""A day planner: users, plans, places and where they were; kept exactly as long as it should be."""
