"""This machine's prices: measured on networks of its own, fitted to what the model counts on them.

beds.py         the networks that are measured on, as models
paths.py        which paths over them prices are fitted to, and which are predicted
replica.py      a model's network in the kernel
load.py         traffic of one thread over it; processes.py and echo.py: what runs beside
measure.py      many paths, in turn, round after round
counts.py       what the model says of a path: how much of each price, how long it would take
fit.py          prices from both, by least squares
calibration.py  what a calibration is; cost_file.py writes it as a price list
prediction.py   Docker's modes by those prices, beside what they take
run.py          all of it, from begin to end
"""
