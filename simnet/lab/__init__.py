"""The lab: hosts and machines on a wire, and the commands that people type there."""
