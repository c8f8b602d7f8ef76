"""Sources: what a network can be read from (a snapshot folder, a scenario, a compose file)."""
