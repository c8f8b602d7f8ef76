"""Recordings: a snapshot, and what a real kernel did there with real packets.

recording.py   the folder, or one packed: read, unpacked and written
recorded.py    one probe of it, to and from its entry in expected.json
"""
