"""Whether somebody who knows the guide alone gets rules of their own to work, and is told at once what is wrong.

The four rules are a cause, a fix, a refutation and an override. The broken variants were written down with the place
and the code that each must get before any was tried. Ten came out otherwise: seven were mistakes of the program, in one
the line had been counted wrong, and in two (a forgotten colon, a threshold with a unit) a better answer was possible
than had been thought.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import SEED, Here, run

FOLDER = Path(__file__).parent / "authors"
GOOD = (FOLDER / "flash.yaml").read_text()

# What stands there, what stands there instead (‹ before the character that the message must point at), code, and a
# part of the advice that the message must give.
BROKEN = {
    # the cause
    "field of the rule misspelt": ("    title: JFFS2", "    ‹titel: JFFS2", "unknown-field", "did you mean 'title'?"),
    "colon forgotten": ("title: JFFS2's records", "‹title JFFS2's records", "yaml-syntax", "write key: value"),
    "kind of rule misspelt": ("kind: cause", "kind: ‹couse", "bad-word", "did you mean 'cause'?"),
    "kind of fact misspelt": ("- slab: {name: jffs2_refblock, ram_permille: {ge: {param", "- ‹slabs: {name: jffs2_refblock, ram_permille: {ge: {param", "unknown-kind", "did you mean 'slab'?"),
    "field of the fact misspelt": ("ram_permille: {ge: {param: ", "‹ram_permile: {ge: {param: ", "unknown-field", "did you mean 'ram_permille'?"),
    "operator of another language": ("{ge: {param: ram_permille}}", "{‹gte: {param: ram_permille}}", "unknown-operator", "write ge"),
    "regular expression": ("{name: jffs2_refblock, ram_permille: {ge", "{name: {‹matches: 'jffs2_.*'}, ram_permille: {ge", "regex", "let the facts say it"),
    "per cent for permille": ("{ge: {param: ram_permille}}", "{ge: ‹2%}", "wrong-unit", "write 20"),
    "number in quotes": ("{ge: {param: ram_permille}}", '{ge: ‹"20"}', "wrong-type", "leave the quotes out"),
    "fraction": ("params: {ram_permille: 20}", "params: {ram_permille: ‹2.5}", "float", "permille instead of a ratio"),
    "octal": ("params: {ram_permille: 20}", "params: {ram_permille: ‹020}", "yaml-trap", "without the leading zero"),
    "parameter misspelt": ("{param: ram_permille}", "{param: ‹ram_permil}", "unknown-param", "did you mean 'ram_permille'?"),
    "no bounds can be met": ("{ge: {param: ram_permille}}", "‹{ge: 20, lt: 10}", "impossible", "never fire"),
    "when is no list": ("    when:\n      - slab: {name: jffs2_refblock, ram_permille: {ge: {param: ram_permille}}}", "    when:\n      ‹slab: {name: jffs2_refblock, ram_permille: {ge: {param: ram_permille}}}", "wrong-type", "- kind: {field: value}"),
    "confidence is another word": ("confidence: high", "confidence: ‹sure", "bad-word", "high"),
    "confidence is missing": ("    derive: {confidence: high, role: contributes}", "    ‹derive: {role: contributes}", "missing-field", "high, medium or low"),
    "unknown name in a text": ("{{slab.name}} holds", "‹{{slabs.name}} holds", "unknown-alias", "did you mean 'slab'?"),
    "unknown field in a text": ("{{slab.objects|n}}", "‹{{slab.object|n}}", "unknown-field", "did you mean 'objects'?"),
    "unknown filter": ("{{slab.pages|mb}}", "‹{{slab.pages|MB}}", "unknown-filter", "did you mean 'mb'?"),
    "filter of another unit": ("{{slab.ram_permille|percent}}", "‹{{slab.ram_permille|mb}}", "wrong-unit", "percent"),
    "braces not closed": ("{{slab.pages|mb}},", "‹{{slab.pages|mb,", "template-syntax", "{{alias.field"),
    "logic in a text": ("{{slab.pages|mb}}", "‹{{slab.pages * 4}}", "template-syntax", "arithmetic belongs into the facts"),
    "key twice": ("    params: {ram_permille: 20}\n", "    params: {ram_permille: 20}\n    ‹params: {ram_permille: 30}\n", "duplicate-key", "line 9"),
    "tab": ("    kind: cause", "‹\tkind: cause", "yaml-syntax", "spaces"),
    "test misspelt": ("objects: 42000}\n        fires: true", "objects: 42000}\n        ‹fire: true", "unknown-field", "did you mean 'fires'?"),
    "wrong type in a test": ("pages: 2600,", 'pages: ‹"2600",', "wrong-type", "leave the quotes out"),
    "unknown field in a test": ("pages: 2600,", "‹page: 2600,", "unknown-field", "did you mean 'pages'?"),
    "text that begins with braces": ("explain: dentry holds {{slab.pages|kb}}", "explain: ‹{{slab.pages|kb}} of dentries", "yaml-syntax", "quote the text"),
    "colon in a text": ("title: Let the kernel", "title: Fix‹: Let the kernel", "yaml-syntax", "quote a text"),
    "parameters in a list": ("params: {ram_permille: 20}", "params: ‹[20]", "wrong-type", "a mapping"),
    "id of two words": ("id: jffs2-records", "id: ‹jffs2 records", "bad-name", "joined by -"),
    "block of another kind": ("kind: cause", "kind: ‹fix", "wrong-block", "write kind: cause, or fix:"),
    "two facts compared": ("{ge: 1}}\n    fix", "{ge: ‹memory.slab_permille}}\n    fix", "wrong-type", "cannot be compared with each other"),
    "comparison as a sign": ("order: {ge: 1}, order0", "order: ‹>= 1, order0", "yaml-syntax", "{ge: 1}"),
    "override in quotes": ("override: true", 'override: ‹"true"', "wrong-type", "true or false"),
    # the fix
    "version as a number": ('applies: {kernel: "<4.4"}', "applies: {kernel: ‹4.4}", "float", "quotes"),
    "version without a sign": ('kernel: "<4.4"', 'kernel: ‹"4.4"', "bad-range", "<4.4"),
    "cause misspelt": ("- cause: {name: jffs2-records}\n      - slab: {name: dentry, ram_permille: {ge: 1}}", "- ‹cause: {name: jffs2-record}\n      - slab: {name: dentry, ram_permille: {ge: 1}}", "never-fires", "did you mean 'jffs2-records'?"),
    "no undo": ('      undo: "echo 100 > /proc/sys/vm/vfs_cache_pressure"\n', "", "missing-field", "how to take it back"),
    "tunable misspelt": ("sysctl: vm.vfs_cache_pressure", "sysctl: ‹vm.vfs_cache_presure", "unknown-tunable", "did you mean 'vm.vfs_cache_pressure'?"),
    "tunable of later kernels": ("sysctl: vm.vfs_cache_pressure", "sysctl: ‹vm.compact_memory", "no-such-tunable", 'applies: {kernel: ">=2.6.35,<4.4"}'),
    "value that the kernel refuses": ("sysctl: vm.vfs_cache_pressure\n          to: 200", "sysctl: vm.swappiness\n          to: ‹200", "out-of-range", "0..100"),
    "value with a unit": ("to: 200", "to: ‹200 kB", "bad-value", "whole number"),
    "change of no kind": ("- sysctl: vm.vfs_cache_pressure\n          to: 200", "- ‹knob: vm.vfs_cache_pressure\n          to: 200", "bad-change", "sysctl, free, operation, task, unsimulated"),
    "unknown name in a command": ("{{change.target_value}}", "‹{{change.value}}", "unknown-field", "change has no field 'value'"),
    "conflict with no rule": ("[lower-min-free-kbytes-below-default]", "[‹lower-min-free-kbytes-bellow-default]", "unknown-rule", "did you mean 'lower-min-free-kbytes-below-default'?"),
    # the refutation
    "judged with no": ("judged: false", "judged: ‹no", "yaml-trap", "write false"),
    "judged by another word": ("judged: false", "judged: ‹wrong", "bad-word", "false"),
    "number that is no field": ("{order: request.order}", "{order: ‹request.odrer}", "unknown-field", "did you mean 'order'?"),
    "two facts of one request": ("- request: {order: {ge: 1}, order0_passes_high: true}", "- request: {order: {ge: 1}}\n      - ‹request: {order0_passes_high: true}", "duplicate-alias", "request"),
    "text without its end": ("advice: Set vm.extra_free_kbytes = 16384.", 'advice: ‹"Set vm.extra_free_kbytes = 16384.', "yaml-syntax", "close the quotes"),
    # the override
    "override forgotten": ("- id: drop-caches\n    override: true", "- id: ‹drop-caches", "duplicate-id", "override: true"),
    "rule to override misspelt": ("- id: drop-caches", "- id: ‹drop-cache", "nothing-to-override", "did you mean 'drop-caches'?"),
    "threshold misspelt": ("{file_pages: 20}", "{‹file_page: 20}", "unknown-param", "did you mean 'file_pages'?"),
    "threshold of another type": ("{file_pages: 20}", '{file_pages: ‹"20"}', "wrong-type", "a whole number"),
    "threshold with a unit": ("{file_pages: 20}", "{file_pages: ‹80 kB}", "wrong-unit", "write 20"),
}  # fmt: skip

# Where the message points when nothing stands there any more.
PLACES = {"no undo": (33, 7)}


@pytest.mark.parametrize("name", BROKEN)
def test_each_mistake_gets_one_message_at_its_place(name: str, tmp_path: Path, here: Here) -> None:
    old, new, code, hint = BROKEN[name]
    assert GOOD.count(old) >= 1
    marked = GOOD.replace(old, new, 1)
    text = marked.replace("‹", "")
    file = tmp_path / "flash.yaml"
    file.write_text(text)
    before = marked[: marked.find("‹")]
    place = PLACES.get(name) or (before.count("\n") + 1, len(before) - before.rfind("\n"))
    ran = here("rules", "check", str(file), "--format", "json")
    problems = json.loads(ran.out)["problems"]
    shown = here("rules", "check", str(file)).out
    assert [(one["line"], one["column"], one["severity"], one["code"]) for one in problems] == [
        (*place, "error", code)
    ], shown
    assert problems[0]["file"] == str(file)
    assert hint in f"{problems[0]['text']}; {problems[0]['hint']}", shown
    assert ran.code == 3
    caret = shown.splitlines()[2]
    if name != "tab":  # which is shown as a single space
        assert caret.index("^") - 4 == place[1] - 1


def test_the_rules_are_sound_and_their_tests_pass() -> None:
    assert run("rules", "check", str(FOLDER)).out == "3 sound rules, 0 errors, 0 warnings\n"
    ran = run("rules", "test", str(FOLDER), "--coverage")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "6 tests: 6 passed, 0 failed")


def test_the_rules_work_from_report_to_advice(seed: str) -> None:
    arguments = ("advise", seed, "--proc", str(FOLDER / "slabinfo"), "--format", "json")
    (with_rules,) = json.loads(run(*arguments, "--rules", str(FOLDER)).out)["incidents"]
    (without,) = json.loads(run(*arguments).out)["incidents"]
    cause = next(one for one in with_rules["causes"] if one["rule"] == "jffs2-records")
    # 2500 pages of 4 kB in 65536 pages of RAM.
    assert cause["explanation"].startswith("jffs2_refblock holds 9.8 MB, 3.8 % of RAM, in 40\u202f000 objects.")
    refuted = {one["rule"]: one for one in with_rules["refuted"]}
    assert refuted["vendor-extra-free"]["numbers"] == {"order": 2}
    assert "order 2 fails because of them" in refuted["vendor-extra-free"]["why"]
    # The fix is replayed before anybody is told, and on this report it changes nothing.
    assert "vm.vfs_cache_pressure: 200" in refuted["shrink-dentries"]["why"]
    # 29 file pages are left: below the built-in threshold of 256, above the one that was set.
    assert "drop-caches" in {one["rule"] for one in without["refuted"]}
    assert "drop-caches" not in refuted


def test_why_says_what_the_override_did(seed: str) -> None:
    ran = run("rules", "why", "drop-caches", seed, "--rules", str(FOLDER))
    assert "did not fire" in ran.out.splitlines()[0]
    assert "FAILS  memory with file_lru_pages < 20" in ran.out
    assert "file_lru_pages is 29" in ran.out


def test_the_report_may_lie_beside_the_rules(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "flash.yaml", tmp_path)
    (tmp_path / "flash.yaml").write_text(GOOD.replace("report: seed-2.6.31-arm-order2.txt", "report: ours.log"))
    assert run("rules", "test", str(tmp_path)).code == 1
    shutil.copy(SEED, tmp_path / "ours.log")
    assert run("rules", "test", str(tmp_path)).code == 0
