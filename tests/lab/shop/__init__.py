"""The world the application runs in: processes, PostgreSQL, deployments."""
