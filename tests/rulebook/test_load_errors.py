"""Every way to get a rule file wrong: one precise problem, at the right line and column, with what to write instead.

In each text ``‹`` stands before the character that the problem must point at.
"""

import pytest

from oomadvisor.rulebook.errors import Problem
from oomadvisor.rulebook.load import load_book
from tests.rulebook.toy import KINDS, SCOPES

HEAD = "schema: 1\nrules:\n"
RULE = """
  - id: x
    title: t
    kind: note
    note: {topic: finding}
    explain: e
"""
CAUSE = """
  - id: c
    title: t
    kind: cause
    derive: {confidence: high}
    explain: e
    when: [{request: {}}]
"""
FIX = """
  - id: f
    title: t
    kind: fix
    explain: e
    when: [{request: {}}]
"""


def when(text: str) -> str:
    return f"{HEAD}{RULE}    when:\n      - {text}\n"


def explain(text: str, items: str = "{zone: {}}") -> str:
    return HEAD + RULE.replace("explain: e", f"explain: {text}") + f"    when: [{items}]\n"


def fix(text: str) -> str:
    return f"{HEAD}{FIX}    fix: {{kind: sysctl, repairs: cause, cost: none, risk: low, undo: u, {text}}}\n"


def note(text: str) -> str:
    return f"{HEAD}{RULE}    when: [{{request: {{}}}}]\n    {text}\n"


CASES = {
    # the file
    "no schema": ("‹rules: []\n", "missing-field", "schema: 1"),
    "other schema": ("schema: ‹2\n", "bad-word", "1"),
    "unknown key at the top": ("schema: 1\n‹ruels: []\n", "unknown-field", "did you mean 'rules'?"),
    "rules is a mapping": ("schema: 1\nrules: ‹{a: 1}\n", "wrong-type", "- id"),
    "a rule is a text": (HEAD + "  - ‹hello\n", "wrong-type", "- id"),
    "file is a list": ("‹- a\n", "wrong-type", "schema: 1"),
    "empty file": ("‹", "empty-file", "schema: 1"),
    "only a comment": ("‹# nothing\n", "empty-file", "schema: 1"),
    "pack without name": ("schema: 1\npack: ‹{title: t}\n", "missing-field", ""),
    "syntax": ("schema: 1\nrules:\n  - id: [x\n‹", "yaml-syntax", ""),
    "tab": ("schema: 1\nrules:\n‹\t- id: x\n", "yaml-syntax", ""),
    "second document": ("schema: 1\n‹---\nrules: []\n", "several-documents", ""),
    # the rule
    "no id": (HEAD + "  - ‹title: t\n    kind: note\n    note: {topic: limits}\n    explain: e\n    when: [{zone: {}}]\n", "missing-field", ""),
    "bad id": (HEAD + RULE.replace("id: x", "id: ‹Bad_Id") + "    when: [{zone: {}}]\n", "bad-name", "lower-case"),
    "id is a number": (HEAD + RULE.replace("id: x", "id: ‹7") + "    when: [{zone: {}}]\n", "wrong-type", ""),
    "no explain": (HEAD + RULE.replace("    explain: e\n", "").replace("- id", "- ‹id") + "    when: [{zone: {}}]\n", "missing-field", "why the rule holds"),
    "empty explain": (explain("‹''"), "bad-size", ""),
    "unknown rule field": (note("‹explian: x"), "unknown-field", "did you mean 'explain'?"),
    "unknown kind of rule": (HEAD + RULE.replace("kind: note", "kind: ‹advise") + "    when: [{zone: {}}]\n", "bad-word", "cause"),
    "no when": (HEAD + RULE.replace("- id", "- ‹id"), "missing-field", ""),
    "status": (note("status: ‹beta"), "bad-word", "known: stable, experimental"),
    "tags is a text": (note("tags: ‹oom"), "wrong-type", "a list"),
    "kernel range": (note('applies: {kernel: ‹"2.6"}'), "bad-range", "<4.4"),
    "kernel range as a number": (note("applies: {kernel: ‹4.4}"), "float", "quotes"),
    "empty kernel range": (note('applies: {kernel: ‹">=4.4,<4.0"}'), "empty-range", ""),
    "long kernel range": (note(f'applies: {{kernel: ‹"{",".join(["<4.4"] * 17)}"}}'), "bad-size", ""),
    "unknown applies": (note('applies: {‹kernels: "<4.4"}'), "unknown-field", "did you mean 'kernel'?"),
    "enabled": (note("enabled: ‹1"), "wrong-type", "true or false"),
    "param is a list": (note("params: {a: ‹[1]}"), "wrong-type", ""),
    "param name": (note("params: {‹Big: 1}"), "bad-name", ""),
    "wrong block": (note("‹fix: {kind: advice, repairs: cause, cost: none, risk: none, undo: u}"), "wrong-block", "note"),
    "no block": (HEAD + FIX.replace("id: f", "id: ‹f"), "missing-field", ""),
    "note topic": (HEAD + RULE.replace("topic: finding", "topic: ‹story") + "    when: [{zone: {}}]\n", "bad-word", ""),
    "cause without confidence": (HEAD + CAUSE.replace("derive: {confidence: high}", "‹derive: {cause: a}"), "missing-field", "high"),
    "confidence": (HEAD + CAUSE.replace("confidence: high", "confidence: ‹sure"), "bad-word", "high"),
    "cause in a note": (note("derive: {‹cause: c}"), "wrong-block", ""),
    "duplicate id": (HEAD + CAUSE + CAUSE.replace("id: c", "id: ‹c"), "duplicate-id", "override"),
    "nothing to override": (HEAD + "  - {id: ‹y, override: true, enabled: false}\n", "nothing-to-override", ""),
    "duplicate key": (note("‹title: again"), "duplicate-key", ""),
    "merge key": (note("‹<<: {title: again}"), "merge-key", ""),
    "alias": (when("zone: ‹*a"), "alias", "write the value out"),
    "anchor": (when("zone: ‹&a {name: x}"), "anchor", "&a"),
    "tag": (when("zone: {name: ‹!!str x}"), "tag", ""),
    "object": (note("tags: ‹!!python/object/apply:os.system [x]"), "tag", ""),
    # what YAML readers disagree about
    "on": (when("zone: {eligible: ‹on}"), "yaml-trap", "write true"),
    "No": (when("zone: {name: ‹No}"), "yaml-trap", '"No" in quotes'),
    "octal": (when("request: {order: ‹010}"), "yaml-trap", "leading zero"),
    "base 60": (when("request: {order: ‹12:30}"), "yaml-trap", "one number"),
    "underscore": (when("request: {order: ‹1_000}"), "yaml-trap", "without _"),
    "hexadecimal": (when("request: {order: ‹0x10}"), "yaml-trap", "decimal"),
    "date": (when("zone: {name: ‹2001-12-14}"), "yaml-trap", '"2001-12-14"'),
    "plus": (when("request: {order: ‹+1}"), "yaml-trap", "without +"),
    "null": (when("request: {order: ‹~}"), "null", "leave the field out"),
    "nothing": (when("request: {order: ‹}"), "null", "leave the field out"),
    "Null": (when("request: {order: ‹Null}"), "null", ""),
    "float": (when("zone: {fill_permille: {lt: ‹0.5}}"), "float", "permille"),
    "exponent": (when("request: {order: ‹1e16}"), "float", ""),
    "infinity": (when("request: {order: ‹.inf}"), "float", ""),
    "not a number": (when("request: {order: ‹.nan}"), "float", ""),
    # facts and fields
    "unknown kind": (when("‹zoen: {name: DMA}"), "unknown-kind", "did you mean 'zone'?"),
    "unknown field": (when("zone: {‹fre_pages: 3}"), "unknown-field", "did you mean 'free_pages'?"),
    "field of people": (when("zone: {‹key: DMA}"), "unknown-field", ""),
    "item is a text": (when("‹zone"), "wrong-type", "kind: {field: value}"),
    "when is a mapping": (HEAD + RULE + "    when: ‹{zone: {}}\n", "wrong-type", "- kind"),
    "when is empty": (HEAD + RULE + "    when: ‹[]\n", "bad-size", ""),
    "nine items": (HEAD + RULE + "    when: ‹[" + ", ".join(f"{{zone: {{}}, as: z{n}}}" for n in range(9)) + "]\n", "bad-size", ""),
    "two kinds": (when("{zone: {}, ‹request: {}}"), "two-kinds", "second item"),
    "kind with a text": (when("zone: ‹DMA"), "wrong-type", "zone: {}"),
    "bool for int": (when("request: {order: ‹true}"), "wrong-type", "write a number"),
    "int for bool": (when("zone: {eligible: ‹1}"), "wrong-type", "true or false"),
    "text for int": (when('request: {order: ‹"2"}'), "wrong-type", "quotes out"),
    "int for text": (when("zone: {name: ‹2}"), "wrong-type", 'quote it: "2"'),
    "bool for text": (when("zone: {name: ‹true}"), "wrong-type", 'quote it: "true"'),
    "word": (when("zone: {high: ‹fails_in_orderloop}"), "unknown-word", "did you mean 'fails_in_order_loop'?"),
    "word in one_of": (when("zone: {high: {one_of: [passes, ‹no_way]}}"), "unknown-word", ""),
    "int too large": (when("request: {order: ‹9223372036854775808}"), "number-too-large", ""),
    "int far too large": (when(f"request: {{order: ‹{'9' * 5000}}}"), "number-too-large", ""),
    "int too small": (when("request: {order: {gt: ‹-9223372036854775808}}"), "number-too-large", ""),
    "text too long": (when(f"zone: {{name: ‹{'x' * 1025}}}"), "text-too-long", "") ,
    "NUL": (when('zone: {name: ‹"a\\0b"}'), "bad-text", ""),
    # operators
    "unknown operator": (when("request: {order: {‹gte: 3}}"), "unknown-operator", "write ge"),
    "in": (when("request: {order: {‹in: [1, 2]}}"), "unknown-operator", "write one_of"),
    "order of texts": (when("zone: {name: {‹lt: b}}"), "ordering", "eq, ne or one_of"),
    "order of booleans": (when("zone: {eligible: {‹ge: true}}"), "ordering", ""),
    "regex": (when('zone: {name: {‹matches: "^D"}}'), "regex", "boolean field"),
    "exists": (when("zone: {fill_permille: {‹exists: true}}"), "exists", "not:"),
    "missing": (when("zone: {fill_permille: {‹missing: true}}"), "exists", "not:"),
    "arithmetic": (when("zone: {free_pages: {lt: ‹{add: [min_pages, 5]}}}"), "arithmetic", "field that holds"),
    "arithmetic beside": (when("zone: {free_pages: {‹mul: 2}}"), "arithmetic", ""),
    "join": (when("zone: {free_pages: {eq: ‹{of: z, field: order}}}"), "join", "copy the field onto the fact"),
    "list": (when("zone: {name: ‹[DMA, Normal]}"), "list", "one_of"),
    "list under eq": (when("zone: {name: {eq: ‹[DMA]}}"), "list", "one_of"),
    "empty one_of": (when("zone: {name: {one_of: ‹[]}}"), "bad-size", ""),
    "33 in one_of": (when(f"request: {{order: {{one_of: ‹{list(range(33))}}}}}"), "bad-size", ""),
    "empty condition": (when("zone: {name: ‹{}}"), "empty-condition", ""),
    "impossible range": (when("request: {order: ‹{ge: 4, lt: 4}}"), "impossible", ""),
    "impossible constants": (when("zone: {name: ‹{eq: a, ne: a}}"), "impossible", ""),
    "impossible words": (when("zone: {high: ‹{one_of: [passes], ne: passes}}"), "impossible", ""),
    "impossible boolean": (when("zone: {eligible: ‹{eq: true, ne: true}}"), "impossible", ""),
    "single number excluded": (when("request: {order: ‹{ge: 4, le: 4, ne: 4}}"), "impossible", ""),
    "field that may be missing": (when("zone: {free_pages: {lt: {field: ‹fill_permille}}}"), "may-be-missing", ""),
    "optional field on the left": (when("zone: {fill_permille: {lt: {field: ‹free_pages}}}"), "may-be-missing", ""),
    "field of another type": (when("zone: {free_pages: {eq: {field: ‹name}}}"), "wrong-type", ""),
    "field with itself": (when("zone: {free_pages: {eq: {field: ‹free_pages}}}"), "impossible", ""),
    "unknown other field": (when("zone: {free_pages: {lt: {field: ‹min_page}}}"), "unknown-field", "did you mean 'min_pages'?"),
    "order of text fields": (when("zone: {name: {‹lt: {field: label}}}"), "ordering", ""),
    "unknown param": (when("request: {order: {ge: {param: ‹low}}}"), "unknown-param", "params:"),
    "param of another type": (note("params: {low: ‹a}").replace("{request: {}}", "{request: {order: {param: low}}}"), "wrong-type", ""),
    "param whose value cannot be read": (note("params: {low: ‹012}").replace("{request: {}}", "{request: {order: {param: low}}}"), "yaml-trap", ""),
    # units
    "value with a unit": (when("zone: {free_pages: {ge: ‹4 MB}}"), "wrong-unit", "write 1024 (pages of 4 kB)"),
    "value of another scale": (when("zone: {fill_permille: ‹20%}"), "wrong-unit", "write 200"),
    "unit that cannot be converted": (when("request: {order: ‹4 kB}"), "wrong-unit", "leave the unit out"),
    "fields of two units": (when("swap: {total_kb: {lt: {field: ‹pages}}}"), "wrong-unit", "the same unit"),
    "filter of another unit": (explain('"‹{{zone.fill_permille|mb}}"'), "wrong-unit", "write |percent"),
    "filter of pages on kB": (explain('"‹{{request.block_kb|mb}}"', "{request: {}}"), "wrong-unit", "write |mb_from_kb"),
    # kinds of which there is one
    "two facts of a single kind": (when("incident: {}\n        as: a\n      - ‹incident: {}\n        as: b"), "never-fires", "one item"),
    # groups
    "or": (when("‹or: [zone: {}]"), "unknown-kind", "any: [...]"),
    "and": (when("‹and: [zone: {}]"), "unknown-kind", "one below the other"),
    "not of a list": (when("not: ‹[zone: {}]"), "bad-not", "not: {kind"),
    "not with a name": (when("not: ‹{zone: {}, as: z}"), "bad-not", ""),
    "not of not": (when("not: ‹{not: {zone: {}}}"), "bad-not", ""),
    "not beside a kind": (when("{not: {zone: {}}, ‹request: {}}"), "two-kinds", ""),
    "any of a mapping": (when("any: ‹{zone: {}}"), "wrong-type", "any: ["),
    "empty any": (when("any: ‹[]"), "wrong-type", ""),
    "any in any": (when("any: [‹any: [zone: {}]]"), "nested-any", ""),
    "seventeen branches": (when("any: ‹[" + ", ".join(f"zone: {{free_pages: {n}}}" for n in range(17)) + "]"), "too-many-branches", ""),
    "branches multiply": (HEAD + RULE + "    when:\n      ‹- any: [zone: {}, zone: {}, zone: {}]\n" + "".join(f"      - any: [{{zone: {{}}, as: {a}}}, {{swap: {{}}, as: {a}}}, {{request: {{}}, as: {a}}}]\n" for a in "ab"), "too-many-branches", "split"),
    "two of a name": (when("zone: {name: DMA}\n      - ‹zone: {name: Normal}"), "duplicate-alias", "as:"),
    "same name twice": (when("{zone: {}, as: z}\n      - ‹{request: {}, as: z}"), "duplicate-alias", "as:"),
    "bad name": (when("{zone: {}, as: ‹My-Zone}"), "bad-name", "as: dma"),
    "reserved name": (when("‹{zone: {}, as: params}"), "reserved-alias", ""),
    "two unbounded": (when("task: {}\n      - ‹slab: {}"), "two-unbounded", "copy the field"),
    "two unbounded of a kind": (when("{task: {name: a}, as: a}\n      - ‹{task: {name: b}, as: b}"), "two-unbounded", ""),
    "not contradicts": (when("zone: {eligible: true, name: DMA}\n      - ‹not: {zone: {name: DMA}}"), "impossible", ""),
    "nobody derives it": (when("‹cause: {name: fragmentation}"), "never-fires", ""),
    "nobody derives this name": (HEAD + CAUSE.replace("id: c", "id: fragmentation") + RULE + "    when:\n      - ‹cause: {name: fragmentaton}\n", "never-fires", "did you mean 'fragmentation'?"),
    # templates
    "unknown alias": (explain("'{{request.order}} and ‹{{zoen.name}}'", "{request: {}}, {zone: {}}"), "unknown-alias", "did you mean 'zone'?"),
    "unknown template field": (explain("a ‹{{zone.fre_pages}} b"), "unknown-field", "did you mean 'free_pages'?"),
    "unknown filter": (explain("a ‹{{zone.free_pages|kbs}}"), "unknown-filter", "did you mean 'kb'?"),
    "filter of a text": (explain("a ‹{{zone.name|kb}}"), "filter-type", ""),
    "bad plural": (explain("a ‹{{zone.free_pages|plural:page}}"), "unknown-filter", "plural:one:many"),
    "no reference": (explain("a ‹{{zone}}"), "template-syntax", "{{alias.field}}"),
    "logic": (explain("a ‹{{zone.free_pages + 1}}"), "template-syntax", "arithmetic"),
    "attribute": (explain("a ‹{{zone.__class__}}"), "unknown-field", ""),
    "deep": (explain("a ‹{{zone.name.upper}}"), "template-syntax", ""),
    "open braces": (explain("a ‹{{zone.name"), "template-syntax", "{{alias.field}}"),
    "unknown template param": (explain("a ‹{{params.low}}"), "unknown-field", ""),
    "folded": (explain(">\n      one two {{zone.name}}\n      three ‹{{zone.nam}} four\n"), "unknown-field", "did you mean 'name'?"),
    "literal": (explain("|\n      one {{zone.name}}\n\n        - ‹{{zone.nam}} four\n"), "unknown-field", "did you mean 'name'?"),
    "quoted over lines": (explain('"one\n      {{zone.name}} two\n      ‹{{zone.nam}}"'), "unknown-field", "did you mean 'name'?"),
    "name of one branch": (explain("a ‹{{zone.name}}", "{any: [zone: {}, swap: {}]}"), "alias-not-always-matched", "as:"),
    "field of one branch": (explain("a ‹{{x.free_pages}}", "{any: [{zone: {}, as: x}, {swap: {}, as: x}]}"), "unknown-field", ""),
    "name of a not": (explain("a ‹{{swap.free_kb}}", "{zone: {}}, {not: {swap: {}}}"), "unknown-alias", ""),
    "scope outside a fix": (explain("a ‹{{outcome.value}}"), "unknown-alias", ""),
    "unknown field of a scope": (fix("price: '‹{{outcome.valeu}}'"), "unknown-field", "did you mean 'value'?"),
    "in a command": (fix("commands: [ls, 'echo ‹{{zone.name}}']"), "unknown-alias", ""),
    "in unsimulated": (fix("changes: [{unsimulated: 'to ‹{{params.x}}'}]"), "unknown-field", ""),
    # fixes
    "fix without undo": (HEAD + FIX + "    fix: ‹{kind: sysctl, repairs: cause, cost: none, risk: low}\n", "missing-field", "take it back"),
    "fix kind": (fix("").replace("kind: sysctl", "kind: ‹sysctrl"), "bad-word", "did you mean 'sysctl'?"),
    "change of no kind": (fix("changes: [‹{sysctrl: vm.x, to: 1}]"), "bad-change", "sysctl"),
    "change is a text": (fix("changes: [‹vm.x]"), "bad-change", "sysctl"),
    "change of two kinds": (fix("changes: [{sysctl: vm.x, to: 1, ‹operation: fork}]"), "unknown-field", ""),
    "sysctl name": (fix("changes: [{sysctl: ‹min_free_kbytes, to: 1}]"), "bad-name", "vm.min_free_kbytes"),
    "sysctl without value": (fix("changes: [‹{sysctl: vm.x}]"), "missing-field", ""),
    "sysctl to a word": (fix("changes: [{sysctl: vm.x, to: ‹lots}]"), "bad-value", "default"),
    "sysctl to a list": (fix("changes: [{sysctl: vm.x, to: ‹[1, 1]}]"), "wrong-type", ""),
    "solved for a wrong mark": (fix("changes: [{sysctl: vm.x, to: {largest_passing: ‹top}}]"), "bad-word", ""),
    "solved for unknown": (fix("changes: [{sysctl: vm.x, to: {largest_passing: high, ‹with: x}}]"), "unknown-field", ""),
    "solved in": (fix("changes: [{sysctl: vm.x, to: {largest_passing: high, in: ‹all}}]"), "bad-word", "every-zone"),
    "free from": (fix("changes: [{free: {from: ‹swap, mb: 4}}]"), "bad-word", "tmpfs"),
    "free how much": (fix("changes: [{free: {from: tmpfs, mb: ‹0}}]"), "bad-size", ""),
    "free unknown": (fix("changes: [{free: {from: tmpfs, ‹kb: 1, mb: 1}}]"), "unknown-field", "known: from, mb"),
    "task": (fix("changes: [{task: ‹nice}]"), "bad-word", "realtime"),
    "conflicts with nobody": (fix("conflicts_with: [‹g]"), "unknown-rule", ""),
    "conflicts with a cause": (HEAD + CAUSE + fix("conflicts_with: [‹c]").removeprefix(HEAD), "unknown-rule", ""),
    # refutations
    "judged": (HEAD + FIX.replace("kind: fix", "kind: refutation") + "    refute: {advice: a, judged: ‹wrong}\n", "bad-word", "half true"),
    "number of nobody": (HEAD + FIX.replace("kind: fix", "kind: refutation") + "    refute: {advice: a, judged: false, numbers: {n: ‹zone.name}}\n", "unknown-alias", ""),
    "number of no field": (HEAD + FIX.replace("kind: fix", "kind: refutation") + "    refute: {advice: a, judged: false, numbers: {n: ‹request.ordr}}\n", "unknown-field", "did you mean 'order'?"),
    # derived facts
    "derives a report's fact": (note("derive: {fact: {‹zone: {name: a}}}"), "not-derivable", "pressure"),
    "derives a cause": (note("derive: {fact: {‹cause: {name: a}}}"), "not-derivable", ""),
    "derives too little": (note("derive: {fact: {‹pressure: {zone: a}}}"), "missing-field", ""),
    "derives another type": (note("derive: {fact: {pressure: {zone: a, level: ‹b}}}"), "wrong-type", ""),
    "derives an unknown field": (note("derive: {fact: {pressure: {zone: a, level: 1, ‹lvl: 1}}}"), "unknown-field", ""),
    "derives from an unknown field": (note("derive: {fact: {pressure: {zone: a, level: ‹request.ordr}}}"), "unknown-field", "did you mean 'order'?"),
    "derives from another type": (note("derive: {fact: {pressure: {zone: ‹request.order, level: 1}}}"), "wrong-type", ""),
    "derives from what may be missing": (note("derive: {fact: {pressure: {zone: ‹request.comm, level: 1}}}"), "may-be-missing", ""),
    "derives from what may be missing in a branch": (note("derive: {fact: {pressure: {zone: ‹x.name, level: 1}}}").replace("[{request: {}}]", "[any: [{zone: {}, as: x}, {incident: {}, as: x}]]"), "may-be-missing", ""),
    "derives any text as a word": (note("derive: {fact: {pressure: {zone: a, level: 1, sort: ‹request.comm}}}"), "wrong-type", ""),
    # tests
    "test without facts": (note("tests: [‹{name: n, fires: true}]"), "bad-test", "given: or report:"),
    "test with both": (note("tests: [‹{name: n, fires: true, given: [], report: r}]"), "bad-test", ""),
    "test without fires": (note("tests: [‹{name: n, given: []}]"), "missing-field", "true or false"),
    "given kind": (note("tests: [{name: n, fires: true, given: [{‹zoen: {}}]}]"), "unknown-kind", "did you mean 'zone'?"),
    "given field": (note("tests: [{name: n, fires: true, given: [{zone: {‹nam: a}}]}]"), "unknown-field", "did you mean 'name'?"),
    "given type": (note("tests: [{name: n, fires: true, given: [{zone: {name: ‹1}}]}]"), "wrong-type", 'quote it: "1"'),
    "given two kinds": (note("tests: [{name: n, fires: true, given: [‹{zone: {}, request: {}}]}]"), "two-kinds", ""),
    "test param": (note("tests: [{name: n, fires: true, given: [], with: {‹low: 1}}]"), "unknown-param", ""),
    "test param type": (HEAD + RULE + "    when: [{request: {order: {param: low}}}]\n    params: {low: 1}\n    tests: [{name: n, fires: true, given: [], with: {low: ‹a}}]\n", "wrong-type", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_precise_problem(name: str) -> None:
    marked, code, hint = CASES[name]
    text = marked.replace("‹", "")
    before = marked[: marked.index("‹")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    _, problems = load_book([("rules/x.yaml", text)], KINDS, scopes=SCOPES)
    told = "\n".join(problem.render() for problem in problems)
    assert [(p.line, p.column, p.code, p.severity) for p in problems] == [(line, column, code, "error")], told
    assert hint in f"{problems[0].text}; {problems[0].hint}", told


def test_a_rule_with_an_error_is_not_in_the_book_and_the_others_are() -> None:
    book, problems = load_book([("x", HEAD + CAUSE + RULE + "    when: [{zone: {nam: a}}]\n")], KINDS)
    assert [rule.id for rule in book.rules] == ["c"]
    assert len(problems) == 1


def test_all_errors_of_all_files_at_once_in_order() -> None:
    first = HEAD + RULE + "    when: [{zone: {nam: a}}, {request: {order: on, ordr: 1}}]\n    tests: [{name: n}]\n"
    second = HEAD + RULE + "    when: [{zoen: {}}]\n"
    _, problems = load_book([("b", first), ("a", second)], KINDS)
    assert [(p.path, p.code) for p in problems] == [
        ("b", "unknown-field"),
        ("b", "yaml-trap"),
        ("b", "unknown-field"),
        ("b", "missing-field"),
        ("a", "duplicate-id"),
    ]


def test_a_book_has_room_for_ten_thousand_conditions() -> None:
    items = [f"any: [{{zone: {{}}, as: z{n}}}, {{swap: {{}}, as: z{n}}}]" for n in range(4)]
    items += [f"{{zone: {{}}, as: y{n}}}" for n in range(4)]
    text = HEAD + "".join(
        RULE.replace("id: x", f"id: x{n}") + "    when:\n" + "".join(f"      - {item}\n" for item in items)
        for n in range(80)
    )
    book, problems = load_book([("x", text)], KINDS)
    assert [problem.code for problem in problems] == ["book-too-large"]
    assert len(book) == 10_000 // (16 * 8)


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        (note("params: {low: 1}"), 10, 14, "unused-param"),
        (when("not: {cause: {name: z}}"), 10, 9, "always-absent"),
        (note("derive: {fact: {pressure: {zone: a, level: 1}}}"), 10, 21, "unused-kind"),
    ],
)
def test_warnings_leave_the_rule_in_the_book(text: str, line: int, column: int, code: str) -> None:
    book, problems = load_book([("x", text)], KINDS)
    assert [(p.line, p.column, p.code, p.severity) for p in problems] == [(line, column, code, "warning")]
    assert len(book) == 1


def test_a_problem_is_shown_with_its_line_and_a_caret() -> None:
    _, problems = load_book([("rules/x.yaml", when("zone: {fre_pages: 3}"))], KINDS)
    assert problems[0].render() == (
        "rules/x.yaml:10:16: error[unknown-field]: zone has no field 'fre_pages'; did you mean 'free_pages'?\n"
        "          - zone: {fre_pages: 3}\n"
        "                   ^"
    )
    assert problems[0] == Problem(
        "rules/x.yaml", 10, 16, "error", "unknown-field", "zone has no field 'fre_pages'", "did you mean 'free_pages'?"
    )


def test_a_long_line_is_shown_around_the_place() -> None:
    _, problems = load_book([("x", when(f"{{not: {{request: {{comm: '{'a' * 900}'}}}}, zone: {{}}}}"))], KINDS)
    shown = problems[0].render().splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^") :].startswith("zone")
