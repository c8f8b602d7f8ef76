"""Go's templates: what they print, and that whatever is wrong with one is said as Go says it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.docker.gotemplate.functions import NO_VALUE, Map, NilSlice, Pointer, Struct, json_text, text_of
from simnet.docker.gotemplate.template import Record, Template
from simnet.errors import TemplateError

WEB = {
    "Name": "/web", "Args": ["36000"], "Up": True, "Dead": False, "Code": 0, "Mounts": [],
    "Networks": {"n1": {"IPAddress": "10.9.0.2"}, "bridge": {"IPAddress": "172.17.0.3"}},
    "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("plain }} text", "plain }} text"),
        ("{{.Name}} {{.Up}} {{.Code}}", "/web true 0"),
        ("a {{- .Name -}} b", "a/webb"),
        ("{{/* nothing */}}x", "x"),
        ("{{range .Networks}}{{.IPAddress}} {{end}}", "172.17.0.3 10.9.0.2 "),
        ("{{range $k, $v := .Networks}}{{$k}}={{$v.IPAddress}} {{end}}", "bridge=172.17.0.3 n1=10.9.0.2 "),
        ("{{range $v := .Args}}{{$v}}{{end}}", "36000"),
        ("{{range .Mounts}}x{{else}}none{{end}}", "none"),
        ("{{if .Dead}}a{{else if .Up}}b{{else}}c{{end}}", "b"),
        ("{{with .Networks.n1}}{{.IPAddress}} {{$.Name}}{{end}}", "10.9.0.2 /web"),
        ('{{(index .Networks "n1").IPAddress}}', "10.9.0.2"),
        ('{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"),
        ("{{$a := .Name}}{{$a}}{{$a = .Code}}{{$a}}", "/web0"),
        ("{{.Name | json}} {{json .Args}}", '"/web" ["36000"]'),
        ('{{"a<b" | json}}', '"a\\u003cb"'),
        ('{{join .Args ","}} {{upper .Name}} {{split .Name "e"}} {{title .Name}}', "36000 /WEB [/w b] /Web"),
        ('{{if and .Up (eq .Name "/web")}}{{if not .Dead}}{{len .Networks}}{{end}}{{end}}', "2"),
        ('{{printf "%-6s|%4d|%q|%v%%" .Name 7 .Name .Up}}', '/web  |   7|"/web"|true%'),
        ("{{println .Name 1}}", "/web 1\n"),
        ("{{print 1 2 .Name}}", "1 2/web"),
        ("{{slice .Name 1 3}}{{slice .Args 1}}", "we[]"),
        ("{{if lt .Code 1}}{{ne .Code 1}}{{or .Code .Name}}{{end}}", "true/web"),
        ("{{.Ports}}", "map[80/tcp:[map[HostIp:0.0.0.0 HostPort:8080]]]"),
        ("{{`raw`}}{{nil | json}}", "rawnull"),
    ],
)
def test_what_a_template_prints(template, printed):
    assert Template(template).execute(WEB) == printed


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Nope}}", ':1:2: executing "" at <.Nope>: map has no entry for key "Nope"'),
        ("x\n{{.Networks.n1.Nope}}", ':2:11: executing "" at <.Networks.n1.Nope>: map has no entry for key "Nope"'),
        ("{{.Name.X}}", ':1:7: executing "" at <.Name.X>: can\'t evaluate field X in type interface {}'),
        ("{{index .Args 5}}", ':1:2: executing "" at <index .Args 5>: error calling index: index out of range: 5'),
        ('{{index .Args "a"}}',
         ':1:2: executing "" at <index .Args "a">: error calling index: cannot index slice/array with type string'),
        ('{{join .Name ","}}', ':1:7: executing "" at <.Name>: wrong type for value; expected []string; got string'),
        ("{{range .Name}}{{end}}", ':1:8: executing "" at <.Name>: range can\'t iterate over /web'),
        ("{{.Name .Up}}", ':1:2: executing "" at <.Name>: Name is not a method but has arguments'),
        ('{{"a" "b"}}', ':1:2: executing "" at <"a">: can\'t give argument to non-function "a"'),
        ('{{template "x"}}', ':1:11: executing "" at <{{template "x"}}>: template "x" not defined'),
        ("{{len 3}}", ':1:2: executing "" at <len 3>: error calling len: len of type int'),
        ("{{nope .Name}}", ':1: function "nope" not defined'),
        ("{{.Name", ":1: unclosed action"),
        ("a\n{{.Name}", ":2: bad character U+007D '}'"),
        ("{{if .Name}}", ":1: unexpected EOF"),
        ("{{end}}", ":1: unexpected {{end}}"),
        ("{{$x}}", ':1: undefined variable "$x"'),
        ("{{range $x := .Args}}{{end}}{{$x}}", ':1: undefined variable "$x"'),
        ("{{}}", ":1: missing value for command"),
        ("{{.Name ) }}", ":1: unexpected right paren"),
        ("{{define}}", ":1: {{define}} is not modelled"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_go_says_it(template, message):
    with pytest.raises(TemplateError) as refused:
        Template(template).execute(WEB)
    assert str(refused.value) == f"template: {message}"


def test_rows_name_the_type_that_lacks_a_field():
    row = Record("*formatter.ContainerContext", {"Names": "web"})
    with pytest.raises(TemplateError, match=r"can't evaluate field Nope in type \*formatter\.ContainerContext"):
        Template("{{.Nope}}").execute(row)


def test_structs_and_maps_of_known_types():
    document = Struct(Networks=Map(n1=Pointer(IPAddress="10.9.0.2")), Env=NilSlice(), Limit=None)
    show = Template(
        "{{.Networks.nope}} {{.Networks.nope.IPAddress}} {{index .Networks `nope`}} {{.Env}} {{json .Env}} {{.Limit}}"
    )
    assert show.execute(document) == "<no value> <no value> <nil> [] null <nil>"
    assert text_of(document) == "{map[n1:0xc000000000] [] <nil>}"
    assert not NO_VALUE


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_json_of_a_value_reads_as_that_value(value):
    assert json.loads(json_text(value)) == value
    assert Template("{{json .}}").execute(value) == json_text(value)


PIECES = st.sampled_from(
    ["{{", "}}", "{{-", "-}}", " ", ".", ".Name", ".Networks", "$", "$x", ":=", "|", "(", ")", '"a"', "`b`", "0", "if",
     "else", "end", "range", "with", "index", "json", "len", "eq", "printf", "slice", "join", "template", "nope", "x",
     ",", "\n", "true", "nil"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_whatever_is_written_is_printed_or_refused(text):
    try:
        printed = Template(text).execute(WEB)
    except TemplateError as error:
        assert str(error).startswith("template: :")
    else:
        assert isinstance(printed, str)
