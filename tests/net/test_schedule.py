"""`AtOnce`: softirqs before processes, processes before timers, timers by their time."""

from simnet.net.schedule import AtOnce
from simnet.net.step import Step

STEP = Step("h1/host", 1, None)


def never():
    return False


class Diary:
    """A schedule, and the order in which its walks ran."""

    def __init__(self):
        self.schedule, self.seen = AtOnce(), []

    def walk(self, name, *then):
        """A walk that notes its name, and then does what is given."""
        self.seen.append(name)
        yield STEP
        for action in then:
            action()

    def softirq(self, name, *then):
        self.schedule.defer(self.walk(name, *then), None)

    def frame(self, name, *then):
        self.schedule.carry(self.walk(name, *then), None, None, None)

    def process(self, name, *then):
        self.schedule.wake(self.walk(name, *then), None, "client")

    def timer(self, delay, name, *then):
        self.schedule.after(delay, lambda: self.walk(name, *then))

    def play(self, until=0, done=never):
        return len(list(self.schedule.run(until, done)))


def test_softirqs_then_processes_then_timers():
    diary = Diary()
    diary.timer(0, "timer")
    diary.process("process")
    diary.softirq("softirq")
    diary.frame("frame")
    assert diary.play() == 4
    assert diary.seen == ["softirq", "frame", "process", "timer"]


def test_each_kind_in_its_order_of_arrival():
    diary = Diary()
    for name in "abc":
        diary.softirq(name)
        diary.process(name.upper())
    diary.play()
    assert "".join(diary.seen) == "abcABC"


def test_what_a_process_sends_goes_before_the_next_process():
    diary = Diary()
    diary.process("one", lambda: diary.softirq("packet", lambda: diary.process("woken")))
    diary.process("two")
    diary.play()
    assert diary.seen == ["one", "packet", "two", "woken"]


def test_timers_fire_by_time_and_then_as_they_were_set():
    diary = Diary()
    for delay, name in [(30, "d"), (10, "a"), (20, "b"), (20, "c")]:
        diary.timer(delay, name)
    diary.play(until=20)
    assert (diary.seen, diary.schedule.now) == (["a", "b", "c"], 20)
    diary.play(until=100)
    assert (diary.seen, diary.schedule.now) == (["a", "b", "c", "d"], 100)


def test_what_a_timer_leads_to_is_over_before_the_next_fires():
    diary = Diary()
    diary.timer(10, "first", lambda: diary.process("process"), lambda: diary.softirq("softirq"))
    diary.timer(10, "second")
    diary.play(until=10)
    assert diary.seen == ["first", "softirq", "process", "second"]


def test_a_timer_counts_from_when_it_was_set():
    diary = Diary()
    diary.timer(10, "first", lambda: diary.timer(10, "second"))
    diary.play(until=19)
    assert diary.seen == ["first"]
    diary.play(until=20)
    assert diary.seen == ["first", "second"]


def test_a_timer_may_lead_to_nothing():
    diary = Diary()
    diary.schedule.after(5, lambda: diary.seen.append("nothing"))
    assert diary.play(until=5) == 0
    assert diary.seen == ["nothing"]


def test_no_timer_fires_once_it_is_done_and_time_stands_still():
    diary = Diary()
    diary.process("process")
    diary.timer(10, "timer")
    assert diary.play(until=50, done=lambda: bool(diary.seen)) == 1
    assert (diary.seen, diary.schedule.now) == (["process"], 0)


def test_waiting_in_vain_takes_the_time():
    diary = Diary()
    diary.play(until=50)
    assert diary.schedule.now == 50
    diary.play(until=20)
    assert diary.schedule.now == 50


def test_what_is_forgotten_does_not_happen():
    diary = Diary()
    diary.softirq("softirq")
    diary.process("process")
    diary.timer(10, "timer")
    diary.schedule.clear()
    assert diary.play(until=100) == 0
    assert diary.seen == []
