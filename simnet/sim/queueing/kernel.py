"""The event loop over plain arrays, as numba compiles it: no objects, and what it lacks it returns to Python for.

What is due next is found by a winner tree, whose leaves hold what is due and whose root is the first of it: a new event
costs one comparison a level and no branch. `lanes` is for models in which a flow has one visit under way at a time (one
leaf a flow, its key the time and the flow in one integer); `slots` is for all others (one leaf an event).

The functions run uncompiled as well, only slowly; `compiled` puts their compiled selves in their places. They take
arrays one by one, since numba counts references at each look into an object that holds them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .lengths import SPANS
from .model import BLOCK, Ints

Floats = NDArray[np.float64]
NEVER = np.iinfo(np.int64).max

# why a kernel returned: all done; or what it wants before it can go on
DONE, FULL, TURN, VARIATES, ARRIVALS, QUEUE, SLOTS, FAR = range(8)

# columns of `visits`: what the model says of a visit, and where in `child` those are that it leads to
STATION, FIRST, FIXED, NOISE, LAG, RELEASE, RECORD, BOUNDED, VITAL, CHILD_FROM, CHILD_TO = range(11)

# columns of `stations`: the model's; of each kind of variate the row (-1: none) and how many of it are used up; when it
# is free; where in `queue` its waiting jobs are; the tally (`longest` in the present span of time only); when that span
# ends, and how wide spans are (`Lengths.shift`), of which those that are over are in `queue`, before all waiting jobs
CAPACITY, SLACK, DELAY = range(3)
ROW, USED = 3, 6
FREE, QUEUE_FROM, QUEUE_MASK, HEAD, WAITING = range(9, 14)
JOBS, BUSY, WAITED, DROPPED, LOST, LONGEST, SPAN_END, SPAN_SHIFT = range(14, 22)

# columns of `chances`
LOSS, REORDER = range(2)

# columns of `flows`: the model's; where in `kinds` its kinds are; its row of `arrivals` (-1: closed), how many of it it
# has taken and how many there are; its newest exchange, where in `kinds` that is and when it began; the visit that its
# lane has come to, and when that is due; the newest exchange that has begun, its releases to come, the last of them so
# far; the tally
CYCLE, THINK, TIMEOUT, LIMIT, UNTIL, KINDS_TO = range(6)
SOURCE, CAME, HELD = range(6, 9)
NUMBER, KIND, BEGAN, VISIT, DUE = range(9, 14)
CURRENT, PENDING, LATEST = range(14, 17)
BEGUN, FAILED = range(17, 19)

# columns of `kinds`: an exchange's first visit, the number of its releases
ROOT, RELEASES = range(2)

# columns of the tree of events: when one happens, its rank among those of that time (flow, number, visit), its slot
WHEN, WHO, SLOT = range(3)

# columns of `events`: when its exchange began, which visit it is; and, from the top down, the slots that are spare
AGE, AT, FREED = range(3)

# what `misc` holds: the time of the last event, measurements made, what is asked for, spare slots; how a rank is made
# (flow, number, visit), bits of a flow in a lane's key, the last time that such a key can hold
ENDED, ROWS, ASKED, SPARE, FLOW_SHIFT, VISIT_BITS, KEY_BITS, HORIZON = range(8)


class State(NamedTuple):
    """A run under way, as the kernels take it: see the columns above."""

    visits: Ints
    child: Ints
    stations: Ints
    chances: Floats
    flows: Ints
    kinds: Ints
    variates: Floats
    arrivals: Ints
    queue: Ints
    keys: Ints
    tree: Ints
    events: Ints
    out: Ints
    misc: Ints


def lacks(visits: Ints, stations: Ints, queue: Ints, size: int, misc: Ints, visit: int, time: int) -> int:
    """What Python must bring before a visit can be served at a time; 0 where nothing is missing."""
    station = visits[visit, STATION]
    for purpose in range(3):
        if stations[station, ROW + purpose] >= 0 and stations[station, USED + purpose] == size:
            misc[ASKED] = stations[station, ROW + purpose]
            return VARIATES
    if visits[visit, BOUNDED]:
        begin, mask = stations[station, QUEUE_FROM], stations[station, QUEUE_MASK]
        head, waiting = stations[station, HEAD], stations[station, WAITING]
        while waiting > 0 and queue[begin + (head & mask)] <= time:
            head += 1
            waiting -= 1
        stations[station, HEAD], stations[station, WAITING] = head, waiting
        if waiting > mask:
            misc[ASKED] = station
            return QUEUE
    return 0


def draw(stations: Ints, variates: Floats, purpose: int, station: int) -> float:
    """The station's next variate."""
    at = stations[station, USED + purpose]
    stations[station, USED + purpose] = at + 1
    return variates[stations[station, ROW + purpose], at]


def note(stations: Ints, queue: Ints, station: int, time: int, waiting: int) -> None:
    """A job found so many waiting: where its span of time is a new one, put down what the one before held.

    (As `Lengths.note`, but that the present span is kept apart.)
    """
    if time < stations[station, SPAN_END]:
        stations[station, LONGEST] = waiting
        return
    shift, begin = stations[station, SPAN_SHIFT], station * SPANS
    if stations[station, LONGEST] > 0:
        span = (stations[station, SPAN_END] - 1) >> shift
        while span >= SPANS:
            for at in range(begin, begin + SPANS // 2):
                queue[at] = max(queue[2 * at - begin], queue[2 * at - begin + 1])
            for at in range(begin + SPANS // 2, begin + SPANS):
                queue[at] = 0
            shift += 1
            span >>= 1
        queue[begin + span] = max(queue[begin + span], stations[station, LONGEST])
        stations[station, SPAN_SHIFT] = shift
    stations[station, LONGEST] = waiting
    stations[station, SPAN_END] = ((time >> shift) + 1) << shift


def serve(visits: Ints, stations: Ints, chances: Floats, variates: Floats, queue: Ints, visit: int, time: int) -> int:
    """When the job of an arrival ends; -1 where it is dropped, -2 less its end where it is lost."""
    station = visits[visit, STATION]
    bounded = visits[visit, BOUNDED]
    if bounded:
        waiting, capacity = stations[station, WAITING], stations[station, CAPACITY]
        if (waiting > stations[station, LONGEST]) | ((waiting > 0) & (time >= stations[station, SPAN_END])):
            note(stations, queue, station, time, waiting)
        if 0 < capacity <= waiting:
            stations[station, DROPPED] += 1
            return -1
    service = visits[visit, FIXED]
    if visits[visit, NOISE] > 0:
        service += np.int64(np.rint(np.float64(visits[visit, NOISE]) * draw(stations, variates, 0, station)))
    start = max(time, stations[station, FREE])
    free = start + service
    slack = stations[station, SLACK]
    stations[station, FREE] = free
    if bounded:
        place = (stations[station, HEAD] + stations[station, WAITING]) & stations[station, QUEUE_MASK]
        queue[stations[station, QUEUE_FROM] + place] = max(time, start - slack)
        stations[station, WAITING] += 1
    stations[station, JOBS] += 1
    stations[station, BUSY] += service
    stations[station, WAITED] += start - time
    end = max(time, free - slack)
    if chances[station, LOSS] > 0 and draw(stations, variates, 1, station) < chances[station, LOSS]:
        stations[station, LOST] += 1
        return -2 - end
    return end


def lateness(stations: Ints, chances: Floats, variates: Floats, station: int) -> int:
    """How much later than its end a job goes on its way."""
    if chances[station, REORDER] > 0 and draw(stations, variates, 2, station) < chances[station, REORDER]:
        return stations[station, DELAY]
    return 0


def measure(out: Ints, misc: Ints, flow: int, number: int, began: int, ended: int) -> None:
    """Note a measurement."""
    row = misc[ROWS]
    out[0, row], out[1, row], out[2, row], out[3, row] = flow, number, began, ended
    misc[ROWS] = row + 1


def next_kind(flows: Ints, flow: int, time: int) -> int:
    """Count a flow's next exchange, which is to begin at a time; its place in `kinds`, -1 where there is none to be."""
    number = flows[flow, NUMBER] + 1
    if (0 < flows[flow, LIMIT] <= number) or not 0 <= time < flows[flow, UNTIL]:
        return -1
    at = flows[flow, KIND] + 1
    if at == flows[flow, KINDS_TO]:
        at -= flows[flow, CYCLE]
    flows[flow, NUMBER], flows[flow, KIND], flows[flow, BEGAN] = number, at, time
    return at


def put(keys: Ints, leaf: int, key: int) -> None:
    """Change a leaf of a winner tree of keys."""
    node = (keys.shape[0] >> 1) + leaf
    keys[node] = key
    while node > 1:
        key = min(key, keys[node ^ 1])
        node >>= 1
        keys[node] = key


def lane_begins(flows: Ints, kinds: Ints, flow: int, time: int) -> int:
    """Let a lane's next exchange begin at a time; when its root arrives."""
    at = next_kind(flows, flow, time)
    if at < 0:
        return NEVER
    flows[flow, VISIT] = kinds[at, ROOT]
    return time


def lanes(state: State, budget: int) -> int:
    """Go on with a run in which each flow has one visit under way, for so many events; why it returned."""
    visits, _, stations, chances, flows, kinds, variates, _, queue, keys, _, _, out, misc = state
    bits, size = misc[KEY_BITS], variates.shape[1]
    mask = (1 << bits) - 1
    for _ in range(budget):
        if misc[ROWS] == BLOCK:
            return FULL
        key = keys[1]
        if key == NEVER:
            return DONE
        flow, time = key & mask, key >> bits
        visit = flows[flow, VISIT]
        why = lacks(visits, stations, queue, size, misc, visit, time)
        if why:
            return why
        flows[flow, BEGUN] += visits[visit, FIRST]
        end = serve(visits, stations, chances, variates, queue, visit, time)
        misc[ENDED] = max(misc[ENDED], time, end, -2 - end)
        if end < 0:
            flows[flow, FAILED] += 1
            due = lane_begins(flows, kinds, flow, max(time, flows[flow, BEGAN] + flows[flow, TIMEOUT]))
        else:
            if visits[visit, RECORD]:
                measure(out, misc, flow, flows[flow, NUMBER], flows[flow, BEGAN], end)
            late = lateness(stations, chances, variates, visits[visit, STATION])
            if visits[visit, RELEASE]:
                due = lane_begins(flows, kinds, flow, end + flows[flow, THINK])
            else:
                flows[flow, VISIT] = visit + 1
                due = end + visits[visit + 1, LAG] + late
        flows[flow, DUE] = due
        if due != NEVER and due >= misc[HORIZON]:
            return FAR
        put(keys, flow, due if due == NEVER else due << bits | flow)
    return TURN


def put_slot(tree: Ints, slot: int, when: int, who: int) -> None:
    """Change a leaf of a winner tree of events."""
    node = (tree.shape[0] >> 1) + slot
    while True:
        tree[node, WHEN], tree[node, WHO], tree[node, SLOT] = when, who, slot
        if node == 1:
            return
        other = node ^ 1
        less = (tree[other, WHEN] < when) | ((tree[other, WHEN] == when) & (tree[other, WHO] < who))
        when = tree[other, WHEN] if less else when
        who = tree[other, WHO] if less else who
        slot = tree[other, SLOT] if less else slot
        node >>= 1


def take_slot(events: Ints, misc: Ints, began: int, visit: int) -> int:
    """A spare slot for an event."""
    misc[SPARE] -= 1
    slot = events[misc[SPARE], FREED]
    events[slot, AGE], events[slot, AT] = began, visit
    return slot


def slot_begins(
    flows: Ints, kinds: Ints, arrivals: Ints, tree: Ints, events: Ints, misc: Ints, flow: int, time: int
) -> None:
    """Let a flow's next exchange begin, at a time or when the next arrival is."""
    source, came = flows[flow, SOURCE], flows[flow, CAME]
    if source >= 0:
        if came == flows[flow, HELD]:
            return
        time = arrivals[source, came]
        flows[flow, CAME] = came + 1
    at = next_kind(flows, flow, time)
    if at >= 0:
        slot = take_slot(events, misc, time, kinds[at, ROOT])
        put_slot(tree, slot, time, flow << misc[FLOW_SHIFT] | flows[flow, NUMBER] << misc[VISIT_BITS])


def slot_starts(
    flows: Ints, kinds: Ints, arrivals: Ints, tree: Ints, events: Ints, misc: Ints, flow: int, time: int
) -> None:
    """The root of a flow's newest exchange has arrived."""
    flows[flow, BEGUN] += 1
    flows[flow, CURRENT], flows[flow, LATEST] = flows[flow, NUMBER], time
    flows[flow, PENDING] = kinds[flows[flow, KIND], RELEASES]
    if flows[flow, SOURCE] >= 0:
        slot_begins(flows, kinds, arrivals, tree, events, misc, flow, 0)


def slot_fails(flows: Ints, flow: int, number: int, began: int, time: int) -> int:
    """An exchange is never to be released; when the next one begins in its stead, -1 where none does."""
    if flows[flow, SOURCE] >= 0:
        flows[flow, FAILED] += 1
    elif number == flows[flow, CURRENT] and flows[flow, PENDING] > 0:
        flows[flow, FAILED] += 1
        flows[flow, PENDING] = 0
        return max(time, began + flows[flow, TIMEOUT])
    return -1


def slot_releases(flows: Ints, flow: int, number: int, end: int) -> int:
    """A visit that releases has ended; when the next exchange begins if it was the last of them, else -1."""
    if flows[flow, SOURCE] < 0 and number == flows[flow, CURRENT] and flows[flow, PENDING] > 0:
        flows[flow, LATEST] = max(flows[flow, LATEST], end)
        flows[flow, PENDING] -= 1
        if flows[flow, PENDING] == 0:
            return flows[flow, LATEST] + flows[flow, THINK]
    return -1


def slot_lacks(flows: Ints, visits: Ints, misc: Ints, flow: int, visit: int) -> int:
    """What else Python must bring before a visit can be served: times of arrival, slots; 0 where nothing is missing."""
    if visits[visit, FIRST] and flows[flow, SOURCE] >= 0 and 0 < flows[flow, HELD] == flows[flow, CAME]:
        misc[ASKED] = flow
        return ARRIVALS
    # one for each child, and one for an exchange that begins meanwhile
    if misc[SPARE] <= visits[visit, CHILD_TO] - visits[visit, CHILD_FROM]:
        return SLOTS
    return 0


def slots(state: State, budget: int) -> int:
    """Go on with any run, for so many events; why it returned."""
    visits, child, stations, chances, flows, kinds, variates, arrivals, queue, _, tree, events, out, misc = state
    shift, low, size = misc[FLOW_SHIFT], misc[VISIT_BITS], variates.shape[1]
    mask = (1 << (shift - low)) - 1
    for _ in range(budget):
        if misc[ROWS] == BLOCK:
            return FULL
        time, who, slot = tree[1, WHEN], tree[1, WHO], tree[1, SLOT]
        if time == NEVER:
            return DONE
        visit, began, flow, number = events[slot, AT], events[slot, AGE], who >> shift, who >> low & mask
        why = slot_lacks(flows, visits, misc, flow, visit)
        if not why:
            why = lacks(visits, stations, queue, size, misc, visit, time)
        if why:
            return why
        if visits[visit, FIRST]:
            slot_starts(flows, kinds, arrivals, tree, events, misc, flow, time)
        end = serve(visits, stations, chances, variates, queue, visit, time)
        misc[ENDED] = max(misc[ENDED], time, end, -2 - end)
        following = -1
        if end < 0:
            if visits[visit, VITAL]:
                following = slot_fails(flows, flow, number, began, time)
        else:
            if visits[visit, RECORD]:
                measure(out, misc, flow, number, began, end)
            if visits[visit, RELEASE]:
                following = slot_releases(flows, flow, number, end)
            end += lateness(stations, chances, variates, visits[visit, STATION])
            for index in range(visits[visit, CHILD_FROM], visits[visit, CHILD_TO]):
                after = child[index]
                if slot < 0:
                    slot = take_slot(events, misc, began, after)
                events[slot, AT] = after
                put_slot(tree, slot, end + visits[after, LAG], who + after - visit)
                slot = -1
        if following >= 0:
            slot_begins(flows, kinds, arrivals, tree, events, misc, flow, following)
        if slot >= 0:
            put_slot(tree, slot, NEVER, NEVER)
            events[misc[SPARE], FREED] = slot
            misc[SPARE] += 1
    return TURN
