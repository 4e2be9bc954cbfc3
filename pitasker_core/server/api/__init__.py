"""The API: the same acts as the dashboard's, for scripts. Documented by itself at /api/docs."""
