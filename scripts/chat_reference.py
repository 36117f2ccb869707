"""Records what transformers makes of chat templates, for tests: chat_reference.py FOLDER NANO.

FOLDER holds *.jinja and gets expected.json: conversations as each template renders them, pieces of the language with what they print,
and token ids of conversations by the tokenizer of NANO. Needs transformers and jinja2.
"""

import json
import sys
from pathlib import Path

from transformers import PreTrainedTokenizerFast

CONVERSATIONS = [
    [("user", "Who are you?")],
    [("system", "Be short."), ("user", "  What is 1 + 1?\n")],
    [("user", "Hé 漢 😀"), ("assistant", " two "), ("user", "why\n\nso?")],
    [("system", "S\n"), ("user", "a 'b' \"c\""), ("assistant", "{{ d }}"), ("user", "e"), ("assistant", "f\t")],
    [("user", "a"), ("assistant", "")],
    [("user", "a"), ("user", "b")],
    [("system", "only")],
]

PIECES = [
    "a\n  {% if x %}\n b\n  {% endif %}\nc\n",
    "a  {%- if x -%}  b  {%- endif %}  c",
    "a\n  {%+ if x %}b{% endif +%}\nc",
    "a\n   {# comment #}\n b {#- c -#}  d",
    "{{ x }}\n\n{{ y }}\n",
    "{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 1 / 2 }} {{ 2.5 + 1 }} {{ -3 }}",
    "{{ 'a' ~ 1 ~ none ~ true }} {{ 'a' + 'b' | upper }} {{ ('a' + 'b') | upper }}",
    "{{ 'a' if x else 'b' }}{{ 'a' if not x }}|{{ 'c' if y else 'd' if x else 'e' }}",
    "{{ x or 'z' }} {{ '' or none or 0 or 'q' }} {{ x and y }} {{ not x and y }} {{ x == 'v' and not y }}",
    "{% for m in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ m }};{% endfor %}",
    "{% for m in list %}{% if loop.previtem is defined %}{{ loop.previtem }}<{% endif %}{{ m }}{% if loop.nextitem is defined %}>{{ loop.nextitem }}{% endif %} {% endfor %}",
    "{% for m in [] %}a{% else %}none{% endfor %}",
    "{% set n = 0 %}{% for m in list %}{% set n = n + 1 %}{{ n }}{% endfor %}{{ n }}",
    "{% set ns = namespace(n=0, s='') %}{% for m in list %}{% set ns.n = ns.n + 1 %}{% set ns.s = ns.s + m %}{% endfor %}{{ ns.n }}{{ ns.s }}",
    "{% if x %}{% set z = 'in' %}{% endif %}{{ z }}",
    "{% set t %}a {{ x }} b{% endset %}{{ t }}|",
    "{{ list[0] }}{{ list[-1] }}{{ list[1:] | join(',') }}{{ list[:-1] | join }}{{ list[::-1] | join('') }}{{ list[0:2] | length }}",
    "{{ 'hello'[1] }}{{ 'hello'[-1] }}{{ 'hello'[1:3] }}{{ 'hello'[::-1] }}{{ 'hé😀'[2] }}",
    "{{ map.a }}{{ map['b'] }}{{ map.c is defined }}{{ map.c }}{{ map.get('a') }}{{ map.get('c', 'd') }}{{ 'a' in map }}{{ 'q' not in map }}",
    "{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}{% for k in map %}{{ k }}{% endfor %}{{ map | length }}",
    "{{ '  a b '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'a,b,,c'.split(',') | join('/') }}|{{ ' a  b '.split() | join('/') }}|{{ 'a-b-c'.split('-', 1) | last }}",
    "{{ 'Ab c'.upper() }}{{ 'Ab c'.lower() }}{{ \"it's aB\".title() }}{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith('ab') }}{{ 'aXbX'.replace('X', '-') }}",
    "{{ undefinedname is defined }}{{ undefinedname }}|{{ undefinedname | default('d') }}|{{ '' | default('d') }}|{{ '' | default('d', true) }}|{{ none | default('n') }}",
    "{{ x is string }}{{ list is string }}{{ map is mapping }}{{ list is iterable }}{{ 1 is number }}{{ none is none }}{{ x is not none }}{{ true is true }}{{ 4 is even }}{{ list is sequence }}",
    "{{ {'a': [1, 'b\\n\"é', none, true, 2.5], 'c': {}} | tojson }}{{ [] | tojson }}",
    "{{ 1 < 2 <= 2 }}{{ 1 < 2 < 2 }}{{ 'a' < 'b' }}{{ 1 == 1.0 }}{{ true == 1 }}{{ x != y }}{{ none == false }}{{ 0 == false }}",
    "{{ 'a' in 'cab' }}{{ 2 in [1, 2] }}{{ 'l' in list }}{{ 3 not in (1, 2) }}",
    "{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(2, 8, 3) %}{{ i }}{% endfor %}{{ range(0, list | length) | list | length }}",
    "{% generation %}a{{ x }}{% endgeneration %}b",
    "{{ 'a\\tb\\\\c\\'d\\u00e9\\x41' }}{{ \"q'\" }}{{ 'a' 'b' }}",
    "{% if a is defined %}1{% elif x == 'v' %}2{% elif x %}3{% else %}4{% endif %}{% if y %}5{% else %}6{% endif %}",
    "{{- '\\n' -}}\n  {{ '}}' }} {{ '%}' }}",
    "{{ -2 | string + 'a' }}{{ x | trim | upper | length }}{{ 'a b' | replace('a', 'c') }}{{ ' x ' | trim }}",
    "\n{% if x %}\n\n{% endif %}\n\n{% if x %} {% endif %}\ne",
    "{% for m in list -%}\n  {{ m }}\n{%- endfor %}",
    "   {% if x %}a{% endif %}   {% if x %}b{% endif %}\n   {{ x }}",
    "{{ list | first }}{{ list | last }}{{ '12' | int + 1 }}{{ 'q' | int }}",
]

VARIABLES = {"x": "v", "y": "", "list": ["k", "l", "m"], "map": {"a": 1, "b": "two"}}


def main(folder, nano):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(nano / "tokenizer.json"), bos_token="<s>", eos_token="</s>")

    def render(template, messages, generate, **more):
        return tokenizer.apply_chat_template(
            messages, chat_template=template, tokenize=False, add_generation_prompt=generate, **more)

    expected = {"conversations": [], "pieces": []}
    for file in sorted(folder.glob("*.jinja")):
        template = file.read_text()
        for turns in CONVERSATIONS:
            messages = [{"role": role, "content": text} for role, text in turns]
            for generate in (False, True):
                case = {"template": file.name, "messages": messages, "generate": generate}
                try:
                    case["text"] = render(template, messages, generate)
                    case["ids"] = tokenizer(case["text"], add_special_tokens=False)["input_ids"]
                except Exception as e:  # what a template raises is part of what is compared
                    case["raises"] = str(e)
                expected["conversations"].append(case)
    for piece in PIECES:
        expected["pieces"].append({"template": piece, "text": render(piece, [{"role": "user", "content": "-"}], False, **VARIABLES)})
    expected["variables"] = VARIABLES
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
