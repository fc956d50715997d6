# SPDX-License-Identifier: BSD-3-Clause
"""What is to be known of a machine by whoever reads figures that were measured on it."""
import glob
import os
import platform
import re

CPU = "/sys/devices/system/cpu"
CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
NO_CONTENT = ""


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return NO_CONTENT


def cpu_model():
    model = re.search(r"model name\s*: (.*)", read("/proc/cpuinfo"))
    return model.group(1) if model else platform.machine()


def is_virtual():
    return re.search(r"^flags\s*:.*\bhypervisor\b", read("/proc/cpuinfo"), re.MULTILINE) is not None


def mitigations():
    """Which weaknesses are mitigated, since each mitigation makes system calls dearer, and which are left open."""
    kinds = {"Mitigation": [], "Vulnerable": []}
    clear = 0
    for path in sorted(glob.glob(f"{CPU}/vulnerabilities/*")):
        kind, _, how = read(path).partition(":")
        name = os.path.basename(path)
        if kind in kinds:
            detail = how.split(";")[0].strip()
            kinds[kind].append(f"{name} ({detail})" if detail and kind == "Mitigation" else name)
        else:
            clear += 1
    words = [f"{len(kinds['Mitigation'])} mitigated: {', '.join(kinds['Mitigation'])}"] if kinds["Mitigation"] else []
    words += [f"open: {', '.join(kinds['Vulnerable'])}"] if kinds["Vulnerable"] else []
    return "; ".join(words + [f"{clear} not affected"])


def facts():
    """Sentences of Markdown."""
    governor = read(f"{CPU}/cpu0/cpufreq/scaling_governor")
    machine = f"Linux {platform.release()}, {os.cpu_count()} x {cpu_model()}{', virtual' if is_virtual() else ''}"
    clock = f"clocksource {read(CLOCK) or 'unknown'}, {f'governor {governor}' if governor else 'no governor'}"
    return f"{machine}; {clock}; load average {os.getloadavg()[0]:.1f} at the start. CPU weaknesses: {mitigations()}."
