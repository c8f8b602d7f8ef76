"""Random queueing models, and what a run of one gives: measurements in their order, and the tally."""

from dataclasses import dataclass, fields, replace

from hypothesis import strategies as st

from simnet.sim.queueing.arrivals import Constant, FromTimes, OnOff, Poisson
from simnet.sim.queueing.model import Exchange, Flow, Model, Run, Station, Tally, Visit

arrivals = st.one_of(
    st.builds(Constant, gap=st.sampled_from([10, 25, 40]), begin=st.integers(0, 20)),
    st.builds(Poisson, rate=st.sampled_from([2e7, 4e7])),
    st.builds(OnOff, on=st.just(100), off=st.just(300), gap=st.sampled_from([5, 20])),
    st.builds(FromTimes, st.lists(st.integers(0, 500), max_size=40).map(sorted)),
)


@st.composite
def stations(draw):
    share = st.sampled_from([0, 0, 0.1])
    many = st.builds(
        Station,
        name=st.just("s"),
        capacity=st.sampled_from([0, 0, 1, 3]),
        slack=st.sampled_from([0, 0, 50]),
        loss=share,
        reorder=share,
        reorder_delay=st.just(37),
    )
    return draw(st.lists(many, min_size=1, max_size=4))


def least_lag(station, visit):
    """How far before its parent's end a visit can come."""
    return 0 if station.loss or station.slack or station.reorder else -visit.fixed


@st.composite
def trees(draw, among):
    """An exchange of any shape, with at least one release."""
    visits = []
    for at in range(draw(st.integers(1, 6))):
        parent, lag = at - 1, 0
        if at:
            for _ in range(draw(st.integers(0, 2))):
                parent = visits[parent].parent if visits[parent].parent >= 0 else parent
            before = visits[parent]
            lag = draw(st.sampled_from([0, 0, 5, max(-5, least_lag(among[before.station], before))]))
        visits.append(
            Visit(
                station=draw(st.integers(0, len(among) - 1)),
                fixed=draw(st.sampled_from([0, 5, 10, 10, 20])),
                noise=draw(st.sampled_from([0, 0, 7])),
                parent=parent,
                lag=lag,
                release=draw(st.booleans()),
                record=draw(st.booleans()),
                bounded=draw(st.booleans()),
            )
        )
    at = draw(st.integers(0, len(visits) - 1))
    visits[at] = replace(visits[at], release=True, record=True)
    return Exchange(tuple(visits))


def chained(exchange, among):
    """The same visits one after the other, the last one the release."""
    visits = []
    for at, visit in enumerate(exchange.visits):
        lag = max(visit.lag, least_lag(among[visits[-1].station], visits[-1])) if at else 0
        visits.append(replace(visit, parent=at - 1, lag=lag, release=at == len(exchange.visits) - 1))
    return Exchange(tuple(visits))


@st.composite
def flows(draw, kinds, *, may_be_open):
    exchanges = tuple(draw(st.lists(st.integers(0, kinds - 1), min_size=1, max_size=3)))
    return Flow(
        exchanges,
        cycle=draw(st.integers(1, len(exchanges))),
        begin=draw(st.sampled_from([0, 0, 10])),
        think=draw(st.sampled_from([0, 5])),
        timeout=draw(st.sampled_from([0, 50, 200])),
        limit=draw(st.integers(1, 30)),
        arrivals=draw(st.none() | arrivals) if may_be_open else None,
    )


@st.composite
def any_models(draw):
    among = draw(stations())
    exchanges = draw(st.lists(trees(among), min_size=1, max_size=3))
    chain = draw(st.booleans())
    if chain:
        exchanges = [chained(exchange, among) for exchange in exchanges]
    many = st.lists(flows(len(exchanges), may_be_open=not chain), min_size=1, max_size=4)
    return Model(tuple(among), tuple(exchanges), tuple(draw(many)))


@st.composite
def ways(draw, form):
    """A model for which a closed form holds, as long as no queue overflows: `path`, `ring` or `alone`."""
    among = [
        Station(f"s{at}", capacity=draw(st.sampled_from([0, 0, 2, 5])), slack=draw(st.sampled_from([0, 0, 50])))
        for at in range(draw(st.integers(1, 4)))
    ]
    if form == "alone":
        among = [replace(station, slack=0) for station in among]
    way = draw(st.permutations(range(len(among))))[: draw(st.integers(1, len(among)))]
    count = 1 if form == "alone" else draw(st.integers(1, 4))
    least = [0] + [-3 if form != "alone" and not among[station].slack else 0 for station in way[:-1]]
    lags = [draw(st.sampled_from([least_, 0, 5])) for least_ in least]
    fixed = st.integers(3 if count > 1 or min(lags) < 0 else 0, 20)
    recorded = draw(st.integers(0, len(way) - 1))

    def exchange():
        return Exchange(
            tuple(
                Visit(
                    station=station,
                    fixed=draw(fixed),
                    noise=draw(st.sampled_from([0, 7])),
                    parent=at - 1,
                    lag=lags[at] if at else 0,
                    release=at == len(way) - 1,
                    record=(form == "alone" or at == recorded) and draw(st.booleans()),
                    bounded=draw(st.booleans()),
                )
                for at, station in enumerate(way)
            )
        )

    exchanges = [exchange() for _ in range(1 if form == "ring" else draw(st.integers(1, 3)))]
    found = [draw(flows(len(exchanges), may_be_open=False)) for _ in range(count)]
    limit, spread = draw(st.integers(1, 300)), draw(st.sampled_from([0, 2]))
    found = [replace(flow, begin=spread * (at % 2), think=found[0].think, limit=limit) for at, flow in enumerate(found)]
    if form == "path":
        found = [replace(flow, arrivals=draw(arrivals), limit=draw(st.integers(1, 300))) for flow in found]
    return Model(tuple(among), tuple(exchanges), tuple(found))


@st.composite
def quick_rings(draw):
    """A ring in which services may take no time, so that flows overtake each other."""
    count, noise = draw(st.integers(1, 4)), draw(st.sampled_from([5, 20, 100]))
    recorded = draw(st.integers(0, count - 1))
    visits = (
        Visit(
            station=at,
            fixed=draw(st.sampled_from([0, 0, 1])),
            noise=noise,
            parent=at - 1,
            lag=draw(st.sampled_from([0, 3])) if at else 0,
            release=at == count - 1,
            record=at == recorded,
            bounded=draw(st.booleans()),
        )
        for at in range(count)
    )
    among = tuple(Station(f"s{at}", slack=draw(st.sampled_from([0, 0, 50]))) for at in range(count))
    flow = Flow((0,), think=draw(st.sampled_from([0, 1, 40])))
    return Model(among, (Exchange(tuple(visits)),), (flow,) * draw(st.integers(1, 6)))


@dataclass
class Outcome:
    """What a run gave: measurements as (flow, number, began, ended), and the tally as lists."""

    rows: list
    tally: dict


def outcome(blocks, model, seed=0, until=1 << 40, **options):
    run = Run(model, seed, until)
    rows = []
    for block in blocks(run, **options):
        columns = block.flow, block.number, block.began, block.ended
        rows += zip(*(column.tolist() for column in columns), strict=True)
    tally = {field.name: getattr(run.tally, field.name) for field in fields(Tally)}
    return Outcome(rows, {n: figure.tolist() if hasattr(figure, "tolist") else figure for n, figure in tally.items()})
