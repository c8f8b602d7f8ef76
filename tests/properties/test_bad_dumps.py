"""Whatever text is fed to the parser: rules, or a RulesError that names a line."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.errors import RulesError
from simnet.net.netfilter import save

ROOT = Path(__file__).parents[2]
DUMPS = [path.read_text("utf-8") for path in sorted((ROOT / "tests" / "recordings").rglob("host/iptables-save"))]
WORDS = [*sorted({word for dump in DUMPS for word in dump.split()})[:400], "!", "-c", "-j", "-g", "-m", '"', "'", "-f"]


def rules_or_error(text):
    try:
        parsed = save.parse(text, "dump")
    except RulesError as error:
        assert error.line, str(error)
        assert str(error).startswith(f"dump:{error.line}")
        return
    assert save.dump(save.parse(save.dump(parsed))) == save.dump(parsed)


def test_there_are_dumps():
    assert len(DUMPS) >= 8


@given(st.text())
def test_any_text(text):
    rules_or_error(text)


@given(st.text())
def test_any_rule(text):
    rules_or_error(f"*filter\n:INPUT ACCEPT [0:0]\n:USER - [0:0]\n-A INPUT {text}\nCOMMIT\n")


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS) | st.integers().map(str), max_size=9))
def test_any_words(words):
    rules_or_error(f"*nat\n:OUTPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n-A OUTPUT {' '.join(words)}\nCOMMIT\n")


@st.composite
def spoilt(draw):
    """A real dump with a few letters changed, or words or lines taken out, doubled or put elsewhere."""
    text = draw(st.sampled_from(DUMPS))
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.sampled_from(["letter", "word", "line", "cut"]))
        if how == "letter" and text:
            at = draw(st.integers(0, len(text) - 1))
            text = text[:at] + draw(st.characters()) + text[at + 1 :]
        elif how == "cut":
            text = text[: draw(st.integers(0, len(text)))]
        else:
            parts = text.split(" ") if how == "word" else text.split("\n")
            at, to = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
            part = parts.pop(at)
            if draw(st.booleans()):
                parts[to:to] = [part, part]
            text = (" " if how == "word" else "\n").join(parts)
    return text


@settings(max_examples=200)
@given(spoilt())
def test_a_spoilt_dump(text):
    rules_or_error(text)
