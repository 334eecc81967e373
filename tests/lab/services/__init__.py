"""The application that is recorded: one module a process, and the few things they share."""
