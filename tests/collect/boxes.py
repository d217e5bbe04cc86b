"""A made-up /proc of a 2.6.31 box, from a run of that kernel, and the collecting script on it."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from oomadvisor.collect import collect_script

ROOT = Path(__file__).parents[2]
SEED = ROOT / "examples" / "seed-2.6.31-arm-order2.txt"
RUN = Path(__file__).parent / "box-2.6.31.txt"
MAC, SECRET, ARGUMENT = "00:1c:42:ab:cd:ef", "hunter2", "--password=letmein"
SYSCTLS = {
    "vm/min_free_kbytes": "4160",
    "vm/lowmem_reserve_ratio": "256\t32",
    "vm/swappiness": "60",
    "vm/panic_on_oom": "0",
    "vm/drop_caches": "0",
    "vm/overcommit_memory": "0",
    "kernel/panic": "1",
    "kernel/osrelease": "2.6.31.12-ER1",
    "kernel/shmmax": "18446744073692774399",
}
FILES = {
    "mounts": "rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\ntmpfs {tmp} tmpfs rw,size=65536k 0 0\n"
    "box:/srv /mnt/dead nfs rw,hard 0 0\ntmpfs /with\\040blank tmpfs rw 0 0\n",
    "swaps": "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n",
    "uptime": "4021.17 3900.02\n",
    "vmstat": "nr_free_pages 9991\nnr_mapped 400\npgmajfault 7\n",
    "slabinfo": "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize>\n"
    "buffer_head          10     20     52   72    1 : tunables  120   60    0 : slabdata      3      3      0\n",
    "cmdline": f"console=ttyAMA0,115200 root=/dev/mtdblock2 androidboot.serialno=ABC123 api_key={SECRET} quiet\n",
}
CONF = "# settings\nkernel.panic = 1\nvm.min_free_kbytes = 4160"
PROGRAMS = ("head", "dmesg", "df", "sleep", "zcat")


def sections(text: str) -> dict[str, str]:
    """Return the /proc files that the console log of a run holds."""
    return dict(re.findall(r"^BEGIN (\w+)\n(.*?)^END \1$", text, re.MULTILINE | re.DOTALL))


@dataclass
class Box:
    """The folder that stands for a device. ``programs`` is where the few programs lie that it has."""

    folder: Path
    shell: tuple[str, ...] = ("sh",)
    ran: Path = field(init=False)

    def __post_init__(self) -> None:
        self.ran = self.folder / "ran"
        for name, text in sections(RUN.read_text()).items():
            self.put(f"proc/{name}", text)
        for name, text in FILES.items():
            self.put(f"proc/{name}", text.format(tmp=self.folder / "tmp") if name == "mounts" else text)
        for name, text in SYSCTLS.items():
            self.put(f"proc/sys/{name}", text + "\n")
        self.put("etc/sysctl.conf", CONF)
        (self.folder / "tmp").mkdir()
        for pid, name in ((1, "init"), (7, "watch dog"), (42, "sh")):
            self.put(
                f"proc/{pid}/status",
                f"Name:\t{name}\nState:\tS (sleeping)\nPid:\t{pid}\nVmSize:\t {pid}000 kB\nVmRSS:\t  300 kB\n"
                "VmPTE:\t   12 kB\nThreads:\t1\n",
            )
            self.put(f"proc/{pid}/oom_adj", "-17\n" if pid == 7 else "0\n")
            self.put(f"proc/{pid}/cmdline", f"{name}\0{ARGUMENT}\0")
        self.put("proc/3/status", "Name:\tkswapd0\nState:\tS (sleeping)\nThreads:\t1\n")
        self.put("proc/3/oom_adj", "0\n")
        self.put(
            "log",
            "Linux version 2.6.31.12-ER1 (build@host) (gcc version 4.3.3) #1\n"
            f"Kernel command line: root=/dev/mtdblock2 api_key={SECRET} quiet\n"
            f"eth0: link up, hw {MAC}, 100 Mbps\n" + SEED.read_text(),
        )
        os.mkfifo(self.folder / "proc" / "kmsg")  # whoever opens it waits for ever
        for program in PROGRAMS:
            self._give(program)

    def _give(self, program: str) -> None:
        """Put a program there that notes that it ran; dmesg shows the box's log and knows no -s, as some do."""
        real = f"{shutil.which('gzip')} -dc" if program == "zcat" else shutil.which(program)
        does = f'[ $# -gt 0 ] && exit 1; while IFS= read -r l; do echo "$l"; done <{self.folder}/log'
        does = does if program == "dmesg" else f'exec {real} "$@"'
        file = self.folder / "bin" / program
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\necho {program} >>{self.ran}\n{does}\n")
        file.chmod(0o755)

    def put(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def collect(self, *, redact: bool = True, pause: int = 0) -> str:
        """Run the script on the box, with nothing but the box's own programs, and return the bundle."""
        script = collect_script(pause_seconds=pause, redact=redact)
        shell = (shutil.which(self.shell[0]) or self.shell[0], *self.shell[1:])
        nowhere = self.folder / "nowhere"
        nowhere.mkdir(exist_ok=True)
        done = subprocess.run(
            [*shell, "-s"],
            input=script.encode(),
            cwd=nowhere,
            env={"PROC": str(self.folder / "proc"), "ETC": str(self.folder / "etc"), "PATH": str(self.folder / "bin")},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0
        assert done.stderr == b""
        assert list(nowhere.iterdir()) == []
        return done.stdout.decode("latin-1")
