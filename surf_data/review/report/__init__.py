"""Two revisions compared, in a document for a DBA and a comment for a pull request."""
