"""A new rule file to fill in: every part explained, and a test that fails until somebody has."""

from oomadvisor.rulebook.rule import RuleKind

_HEAD = """\
# A rule file of oomadvisor. docs/rules.md is the guide; 'oomadvisor rules facts' lists what conditions can look at.
#   oomadvisor rules check THIS-FILE    tells what is wrong, with line and column
#   oomadvisor rules test THIS-FILE     runs the tests below; the first one fails until you fill it in
schema: 1
rules:
  - id: {id}
    title: One line for people, without values
    kind: {kind}
    # Where it applies; leave out what does not matter.
    # applies: {{kernel: ">=2.6.26,<4.4", arch: [arm], build: {{highmem: false}}}}
    # Every fact below must be there. Comparisons: eq ne lt le gt ge one_of; a bare value means equal.
    when:
{when}
    # Thresholds that others can change without touching the conditions.
    params: {{{params}}}
"""

_BLOCKS: dict[RuleKind, str] = {
    "cause": """\
    # The cause is called as the rule is; other rules build on it with: cause: {{name: {id}}}
    derive:
      confidence: medium     # high, medium or low
      role: contributes      # decides, contributes or background
""",
    "fix": """\
    fix:
      kind: sysctl           # sysctl, command, mount, workload, build, boot, containment or advice
      repairs: cause         # cause, symptom or containment
      cost: none             # none, low, medium or high
      risk: low
      # What the simulator replays before anybody is told; 'unsimulated: text' for what it has no model of.
      changes:
        - sysctl: vm.vfs_cache_pressure
          to: 200
      commands: ["echo {{{{change.target_value}}}} > /proc/sys/vm/vfs_cache_pressure"]
      undo: "echo 100 > /proc/sys/vm/vfs_cache_pressure"
""",
    "refutation": """\
    refute:
      advice: "What people say, in a sentence."
      judged: false          # false, half true, true or beside the point
      # replay: [{{sysctl: vm.min_free_kbytes, to: 8192}}]   what they say, replayed on the report
      numbers: {{slab_pages: memory.slab_pages}}
""",
    "note": """\
    note:
      topic: finding         # answer, finding or limits
""",
}

_TAIL = """\
    # The facts' values are filled in; |mb |kb (pages), |mb_from_kb (kB), |percent (permille), |n (grouped).
    explain: >-
      Kernel objects hold {{{{memory.slab_pages|mb}}}}, {{{{memory.slab_permille|percent}}}} of RAM. Say what follows.
    # A function and version of the kernel, a measurement, a document: where it is known from.
    sources: ["Say where this is known from"]
    tests:
      - name: FILL ME IN - paste facts of a report on which it must fire (oomadvisor facts REPORT)
        given: []
        fires: true
      - name: little slab, so it must not fire
        given:
          - memory: {{slab_pages: 1000, slab_permille: 15}}
        fires: false
"""

_WHEN = "      - memory: {slab_permille: {ge: {param: slab_permille}}}"


def skeleton(rule_id: str, kind: RuleKind) -> str:
    """Return a rule file with one rule of ``kind``. It passes ``rules check``, and one of its two tests fails."""
    return (_HEAD + _BLOCKS[kind] + _TAIL).format(id=rule_id, kind=kind, when=_WHEN, params="slab_permille: 100")
