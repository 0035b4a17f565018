"""Reference numbers for crates/faussaire/src/compare: Student's t, Welch's test and Holm's p-values by SciPy.

python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python reference.py > reference.json
"""

import json

import numpy as np
import scipy
from scipy import stats

student = [
    [t, freedom, 2 * stats.t.sf(abs(t), freedom)]
    for t in (0.1, 0.9, 2.5, -4.0, 30.0)
    for freedom in (1.0, 2.37, 4.0, 17.5, 300.0)
]

draws = np.random.default_rng(1)
first, second, welch = [], [], []
for a, b, shift, scale in ((3, 3, 0, 1), (3, 5, 1, 1), (5, 3, 2, 4), (10, 10, 0.5, 0.2), (4, 4, 30, 1), (2, 2, 1, 1)):
    x = draws.normal(0, 1, a).round(4)
    y = draws.normal(shift, scale, b).round(4)
    found = stats.ttest_ind(x, y, equal_var=False)
    first.append(x.tolist())
    second.append(y.tolist())
    welch.append([found.statistic, found.df, found.pvalue])


def holm(values):
    order = np.argsort(values)
    adjusted = np.maximum.accumulate([(len(values) - i) * values[at] for i, at in enumerate(order)]).clip(max=1)
    return [float(adjusted[list(order).index(at)]) for at in range(len(values))]


holm_in = [[0.01, 0.04, 0.03], [0.2], [0.5, 0.001, 0.9, 0.02, 0.02, 0.013]]
# Against the rule as published: reject while p_(i) <= level / (m - i + 1).
for values in holm_in:
    for level in (0.01, 0.03, 0.05, 0.1):
        accepted = False
        for i, at in enumerate(np.argsort(values)):
            accepted = accepted or values[at] > level / (len(values) - i)
            assert (holm(values)[at] > level) == accepted

print(
    json.dumps(
        {
            "scipy": scipy.__version__,
            "student": student,
            "welch_first": first,
            "welch_second": second,
            "welch": welch,
            "holm_in": holm_in,
            "holm_out": [holm(values) for values in holm_in],
        },
        indent=1,
    )
)
