"""The machine that measures: what it is, what it can compute with, and how busy its cores are. Linux."""

import os
import platform

# What separates one machine's speed from another's, in the words of /proc/cpuinfo (x86 and ARM).
INSTRUCTION_SETS = (
    "avx2", "fma", "avx_vnni", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16", "i8mm"
)  # fmt: skip


def cpus():
    """The numbers of the cores that this process, and whatever it starts, may use."""
    return sorted(os.sched_getaffinity(0))


def describe():
    """All that stands above the tables, taken now."""
    about = {}
    with open("/proc/cpuinfo", encoding="utf8") as file:
        for line in file:
            key, _, value = line.partition(":")
            about.setdefault(key.strip(), value.strip())
    words = (about.get("flags") or about.get("Features") or "").split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": about.get("model name", platform.machine()),
        "family": "/".join(about[key] for key in ("cpu family", "model", "stepping") if key in about),
        "cores": os.cpu_count(),
        "cores_allowed": cpus(),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in words],
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def has_bf16(machine):
    """True where an x86 multiplies bf16 itself; elsewhere ours has none and peers imitate them, slowly."""
    return any(name in machine["instruction_sets"] for name in ("avx512_bf16", "amx_bf16"))


def busy_seconds():
    """Core seconds that the allowed cores have worked since the machine started, for whomever: in a virtual machine
    also those that the host gave to others (steal)."""
    ours, total = {f"cpu{number}" for number in cpus()}, 0
    with open("/proc/stat", encoding="utf8") as file:
        for line in file:
            name, *ticks = line.split()
            if name in ours:
                user, nice, system, _idle, _waiting, interrupt, soft, steal = map(int, ticks[:8])
                total += user + nice + system + interrupt + soft + steal
    return total / os.sysconf("SC_CLK_TCK")
