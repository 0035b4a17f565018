"""The record of a measurement as Markdown: the machine, every row, the goals."""

from statistics import median

from rows import goals, rows

# Others' cores, from which a figure is marked: by then it is theirs as much as ours.
BUSY = 0.1
# Ours does other things between steps (the log, the terminal), which count; less than this share in steps needs an explanation.
STEPS_SHARE = 0.95


def speeds(taken):
    """Images per second by round."""
    return {one["round"]: one["images_per_s"] for one in taken}


def ratios(measured, ours, theirs):
    """Ours over theirs in every round that has both."""
    mine, other = speeds(measured.get(ours, [])), speeds(measured.get(theirs, []))
    return [mine[number] / other[number] for number in mine if number in other]


def span(values, form):
    """`median (smallest to largest)`; the median alone where there is but one."""
    if len(values) < 2:
        return "".join(format(value, form) for value in values)
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def is_busy(taken):
    return any(one["others"] > BUSY for one in taken)


def remarks(taken):
    """What keeps a figure from being taken at face value."""
    found = []
    if is_busy(taken):
        found.append(f"BUSY: others had up to {max(one['others'] for one in taken):.1f} cores")
    share = min(one.get("steps_share", 1) for one in taken)
    if share < STEPS_SHARE:
        found.append(f"only {share:.0%} of the time was in steps")
    if "batch_chosen" in taken[0]:
        found.append("batch " + "/".join(sorted({str(one["batch_chosen"]) for one in taken})))
    return "; ".join(found)


def measurements(record):
    measured = record["measured"]
    yield "| row | how | precision | images/s, median (all) | ours / it | cores it had | peak MB | remarks |"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |"
    for row in rows():
        taken = measured.get(row.name)
        if not taken:
            continue
        ratio = span(ratios(measured, f"{row.net}/{row.beside}", row.name), ".2f") if row.beside else ""
        cores = [one["cores_used"] for one in taken if one.get("cores_used") is not None]
        memory = max(one["memory_mb"] for one in taken)
        speed = span(list(speeds(taken).values()), ".0f")
        cells = [row.name, row.how, row.precision, speed, ratio, span(cores, ".2f"), f"{memory:.0f}", remarks(taken)]
        yield f"| {' | '.join(cells)} |"


def judged(goal, value):
    """In one word, whether `value` is what was wanted."""
    if goal.goal is None:
        return ""
    reached = (lambda limit: value >= limit) if goal.peers else (lambda limit: value < limit)
    if goal.stretch is not None and reached(goal.stretch):
        return "stretch"
    return "yes" if reached(goal.goal) else "no"


def goal_cells(goal, measured):
    """Which rows it is about, their ratio, and whether that is enough; nothing where they were not measured."""
    ours, peers = measured.get(goal.ours), [peer for peer in goal.peers if measured.get(peer)]
    if not ours or goal.peers and not peers:
        return None
    if goal.peers:
        best = max(peers, key=lambda peer: median(speeds(measured[peer]).values()))
        found = ratios(measured, goal.ours, best)
        involved = ours + measured[best]
        between = f"{goal.ours} / {best}"
    else:
        found, involved, between = [max(one["memory_mb"] for one in ours)], ours, goal.ours
    if not found:
        return None
    form = ".2f" if goal.peers else ".0f"
    mark = " (busy)" if goal.peers and is_busy(involved) else ""
    return between, span(found, form), judged(goal, median(found)) + mark


def reached(record):
    yield "| goal | rows | measured, median (all) | goal | stretch | reached |"
    yield "| --- | --- | ---: | ---: | ---: | --- |"
    asked = {name for part in ("measured", "skipped", "failed") for name in record[part]}
    for goal in goals(record["machine"]):
        if goal.ours not in asked:
            continue
        limits = ["" if limit is None else f"{limit:g}" for limit in (goal.goal, goal.stretch)]
        found = goal_cells(goal, record["measured"])
        between, value, verdict = found or ("", "not measured", "")
        yield f"| {' | '.join([goal.what, between, value, *limits, verdict])} |"


def heading(record):
    machine, settings = record["machine"], record["settings"]
    allowed = len(machine["cores_allowed"])
    yield f"{machine['processor']} (family/model/stepping {machine['family']}), {allowed} of {machine['cores']} cores,"
    yield f"{machine['memory_gb']} GB; {', '.join(machine['instruction_sets'])}. {machine['system']}, {record['date']}."
    versions = record["versions"]
    yield f"{', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}, Python {machine['python']}."
    for said in record["says"]:
        yield f"The program says: {said}."
    yield f"Batch {settings['batch']}; threads: {settings['threads']}. Rounds, all rows in turn: {settings['rounds']}."
    yield f"Each row {settings['seconds']:g} s a round, {settings['sample_images']} images where sampling."
    load = machine["load_average"]
    yield f"Load average at the start (1, 5, 15 minutes): {', '.join(f'{value:.2f}' for value in load)}."
    if (settings["batch"], settings["threads"]) != (64, 2):
        yield "The goals were set for batch 64 and 2 threads: they mean little here."
    if settings["set"]:
        yield f"Ours with {' '.join(settings['set'])}."


def markdown(record):
    """The whole page, line by line."""
    yield from heading(record)
    yield ""
    yield from reached(record)
    yield ""
    yield from measurements(record)
    for title, reasons in (("Left out", record["skipped"]), ("Failed", record["failed"])):
        if reasons:
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"- {name}: {reason}" for name, reason in reasons.items())
