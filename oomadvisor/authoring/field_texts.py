"""What each field of a rule file is for: shown by editors, and by the guide."""

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "FileHead": {
        "schema": "The version of the rule language: 1.",
        "pack": "The name and title of the pack that this file belongs to.",
        "rules": "The rules of this file.",
    },
    "PackName": {
        "name": "The name of the pack: lower-case words joined by -.",
        "title": "What the pack is, in a line.",
    },
    "RuleDoc": {
        "id": "The rule's name: lower-case words joined by -. A later pack changes the rule by it.",
        "title": "One line for people, without values.",
        "kind": "cause: why it happened. fix: what to do. refutation: how true a common advice is here. "
        "note: worth knowing.",
        "status": "experimental rules are marked as such.",
        "tags": "Words to find the rule by.",
        "applies": "Where the rule holds. Outside it is listed as skipped, with the reason.",
        "params": "Thresholds by name, used in conditions as {param: name} and in texts as {{params.name}}. "
        "Users can change them without touching the rule.",
        "when": "The facts that must be there, all of them; not: a fact that must not be; any: one of several.",
        "derive": "What the rule concludes, for other rules to build on. Every cause has it.",
        "fix": "The block of a rule of kind fix.",
        "refute": "The block of a rule of kind refutation.",
        "note": "The block of a rule of kind note.",
        "explain": "Why the rule holds, with values filled in: {{zone.free_pages}}, {{zone.free_pages|mb}}.",
        "sources": "Where it is known from: a kernel function and version, a measurement, a document.",
        "tests": "Facts or reports on which the rule must fire, and others on which it must not.",
        "enabled": "false switches the rule off.",
        "override": "true: this changes the earlier rule of the same id, and gives only the fields that differ.",
    },
    "Applies": {
        "kernel": 'Kernel versions: "<4.4" or ">=2.6.26,<2.6.35". A bound speaks of whole series.',
        "arch": "Processor architectures, such as arm.",
        "build": "How the kernel is built: highmem, smp, numa, each true or false.",
    },
    "Derive": {
        "cause": "The name of the cause; by default the rule's id.",
        "confidence": "How sure the rule is.",
        "role": "Whether the cause alone explains the event, adds to it, or only sets the scene.",
        "fact": "A fact of a derived kind; values are literal, or alias.field of a matched fact.",
    },
    "Fix": {
        "kind": "What sort of change it is.",
        "repairs": "Whether it removes the cause, eases the symptom, or contains the damage.",
        "cost": "What it costs to carry out.",
        "risk": "What can go wrong.",
        "changes": "What changes. Each is replayed before anybody is told.",
        "commands": "Shell commands, with values filled in; texts from the log are quoted.",
        "price": "What is given up, with numbers.",
        "risk_text": "What can go wrong, in words.",
        "undo": "How to take it back.",
        "measured": "Ids of measurements in knowledge/evidence.yaml.",
        "conflicts_with": "Ids of fixes that make no sense together with this one.",
    },
    "Refute": {
        "advice": "What people say.",
        "judged": "How true it is here.",
        "replay": "The advice as changes, replayed on the report; where it would help after all, nothing is said.",
        "numbers": "Numbers that prove it, by name: alias.field.",
        "measured": "Ids of measurements in knowledge/evidence.yaml.",
    },
    "Note": {"topic": "answer: to a question people ask; finding: about this report; limits: of what can be known."},
    "Case": {
        "name": "What the test shows.",
        "given": "Facts as oomadvisor facts prints them. The rule runs alone on these.",
        "report": "A log beside this file, or an example that comes with oomadvisor. All rules run on it.",
        "fires": "Whether the rule must fire.",
        "with": "Parameters for this test only.",
    },
    "SysctlChange": {
        "sysctl": "Its dotted name, such as vm.min_free_kbytes.",
        "to": "A number, default, numbers in quotes for an array, or a value to be solved for.",
    },
    "LargestPassing": {
        "largest_passing": "The mark that the operation shall pass at the largest possible value.",
        "in": "Whether one zone is enough.",
        "at_most": "A cap: a number, or default.",
        "operation": "request: what this report asked for; workload: what the box does all day.",
    },
    "FreeChange": {"free": "Memory that is given back."},
    "Freed": {"from": "Whose memory.", "mb": "How much, in MB."},
    "OperationChange": {"operation": "What is done instead, such as vfork+exec."},
    "TaskChange": {"task": "realtime: the failing task runs under a real-time policy."},
    "Unsimulated": {"unsimulated": "A change that the simulator has no model of, in words; the advice says so."},
}
"""Text by class of record and by name of field as it stands in a rule file."""
