"""Snapshots of real Docker hosts.

snapshot.sh   the script that reads one, here, by ssh, or by itself
take.py       the script run, and what came of it
files.py      what came as a tar, checked and written as a folder
"""
