"""Whether simnet says what a kernel did.

agreement.py       a trace held against a recorded probe: what differs, and at which step the two part
counters.py        what a probe added to the rules' counters, on both sides
validate.py        every probe of a recording, tried
report.py          the findings as text
validate_json.py   as data
picture.py         as a picture
"""
