"""The times that docker's commands print: always the same ones, so that what is printed only depends on what was done.

Everything was created and started at `MOMENT`, and is looked at two seconds later.
"""

MOMENT = "2025-01-01T00:00:00.000000000Z"
# the same, as tables have it
CREATED_AT = "2025-01-01 00:00:00 +0000 UTC"
NEVER = "0001-01-01T00:00:00Z"
AGO = "2 seconds ago"
UP = "Up 2 seconds"
