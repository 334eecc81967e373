"""The lab: runs a small real application on loopback, breaks it, and records what happened as an incident bundle."""
