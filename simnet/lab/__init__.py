"""The lab: hosts and machines on a wire, and the commands that people type there.

shell       what `sh` makes of a line: lists, pipes, quotes, variables
reader      the grammar that the shell reads by
filters     grep, head, tail, wc, sort, cut …: what output is piped into
linux       iptables, ip, ping, wget …: one file for each
"""
