"""Docker's commands, read as docker reads them: flags, options made of them, refusals in the client's own words."""
