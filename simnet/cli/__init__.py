"""The command `simnet`: one file for each verb."""
