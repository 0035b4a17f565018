"""Reference numbers for the judge's scores, by implementations that others trust, on small feature sets.

    pip install -r requirements.txt
    python reference.py > reference.json

The tests of crates/metrics make the same sets from the same formula and compare. The formula's values
have few enough bits that every squared distance is exact in 64-bit floats, whichever way it is summed: so ties (a
point exactly on the surface of a ball) are ties in every implementation.
"""

import json
import sys
from contextlib import redirect_stdout

import numpy as np
import scipy.linalg
import scipy.stats
import sklearn.metrics
import sklearn.neighbors
import torch
from prdc import compute_prdc
from scipy.spatial.distance import pdist
from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc

CLASSES = 10


def mix(seed, row, col):
    """SplitMix64's finaliser on (seed, row, col)."""
    with np.errstate(over="ignore"):
        z = (np.uint64(seed) << np.uint64(40)) + (row.astype(np.uint64) << np.uint64(20)) + col.astype(np.uint64)
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def bell(seed, rows, dims):
    """Sums of four 16-bit uniform draws: mean about 0, variance 1/3."""
    h = mix(seed, np.arange(rows)[:, None], np.arange(dims)[None, :])
    parts = sum(((h >> np.uint64(s)) & np.uint64(0xFFFF)).astype(np.float64) for s in (0, 16, 32, 48))
    return parts / 65536 - 2


def real_set(seed, rows, dims):
    z = bell(seed, rows, dims)
    return z + 0.5 * np.roll(z, -1, axis=1)


def fake_set(seed, rows, dims):
    return 0.75 * real_set(seed, rows, dims) + 0.25 * (np.arange(dims) % 3 == 0)


def sets():
    """name -> (real, fake)"""
    duplicates_real, duplicates_fake = real_set(5, 120, 8), fake_set(6, 100, 8)
    for i in range(100, 120):  # rows 0 to 4 five times each: their third neighbour is at distance 0
        duplicates_real[i] = duplicates_real[i % 5]
    duplicates_fake[:20] = duplicates_real[:20]
    duplicates_fake[60:] = duplicates_fake[20]
    return {
        "plain": (real_set(1, 300, 24), fake_set(2, 280, 24)),
        "few_rows": (real_set(3, 40, 64), fake_set(4, 30, 64)),
        "duplicates": (duplicates_real, duplicates_fake),
    }


def labels(seed, rows, classes):
    return (mix(seed, np.arange(rows), np.zeros(rows)) % np.uint64(classes)).astype(int)


def frechet(real, fake):
    a, b = (metric_fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (real, fake))
    root = scipy.linalg.sqrtm(a["sigma"] @ b["sigma"])
    mean = float(((a["mu"] - b["mu"]) ** 2).sum())
    traces = float(np.trace(a["sigma"]) + np.trace(b["sigma"]))
    # The trace of the root is also the sum of the singular values of the product of the centred sets, which asks
    # for the root of nothing: the most exact of the three where there are fewer rows than dimensions.
    product = (real - real.mean(0)) @ (fake - fake.mean(0)).T
    nuclear = np.linalg.svd(product, compute_uv=False).sum() / np.sqrt((len(real) - 1) * (len(fake) - 1))
    return {
        "torch_fidelity": metric_fid.fid_statistics_to_metric(a, b, False)[metric_fid.KEY_METRIC_FID],
        "sqrtm": mean + traces - 2 * float(np.trace(root).real),
        "singular_values": mean + traces - 2 * float(nuclear),
        "mean_part": mean,
    }


def kernel(real, fake):
    def mmd2(x, y):
        k = lambda a, b: metric_kid.kernel_poly(a, b, kid_kernel_poly_degree=3, kid_kernel_poly_coef0=1.0)
        return float(metric_kid.mmd2(k(x, x), k(x, y), k(y, y)))

    rows = min(len(real), len(fake))
    pick = lambda t, n: (t * 7 + np.arange(min(100, rows // 2)) * 11) % n
    values = [mmd2(real[pick(t, len(real))], fake[pick(t, len(fake))]) for t in range(3)]
    return {
        "whole": mmd2(real[:rows], fake[:rows]),
        "subsets": values,
        "mean": float(np.mean(values)),
        "deviation": float(np.std(values)),
    }


def manifold(real, fake):
    tensors = torch.from_numpy(fake), torch.from_numpy(real)
    prc = metric_prc.prc_features_to_metric(*tensors, prc_neighborhood=3, verbose=False, save_cpu_ram=False)
    with redirect_stdout(sys.stderr):
        dc = compute_prdc(real, fake, nearest_k=5)
    return {
        "precision": prc["precision"],
        "recall": prc["recall"],
        "density": float(dc["density"]),
        "coverage": float(dc["coverage"]),
    }


def class_scores():
    real, fake = labels(11, 500, CLASSES), labels(12, 400, CLASSES - 3)
    share = lambda x: np.bincount(x, minlength=CLASSES) / len(x)
    asked, predicted = labels(13, 600, 4), labels(14, 600, 4)
    predicted[::2] = asked[::2]
    logits = 4 * real_set(15, 250, CLASSES)
    return {
        "histogram": np.bincount(fake, minlength=CLASSES).tolist(),
        "kl_real": float(scipy.stats.entropy(share(fake), share(real))),
        "kl_uniform": float(scipy.stats.entropy(share(fake), np.full(CLASSES, 1 / CLASSES))),
        "accuracy": float(sklearn.metrics.accuracy_score(asked, predicted)),
        "accuracy_by_class": sklearn.metrics.recall_score(asked, predicted, average=None).tolist(),
        "classifier_score": metric_isc.isc_features_to_metric(torch.from_numpy(logits), splits=1, shuffle=False)[
            metric_isc.KEY_METRIC_ISC_MEAN
        ],
    }


def diversity(real, fake):
    by_class = lambda x, y: [float(pdist(x[y == c]).mean()) for c in range(4)]
    a, b = by_class(real, labels(21, len(real), 4)), by_class(fake, labels(22, len(fake), 4))
    return {"real": a, "generated": b, "ratio": float(np.mean(np.array(b) / np.array(a)))}


def neighbours(real, fake):
    """The real set's first half is the training set, its second half is held out."""
    half = len(real) // 2
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=3, algorithm="brute").fit(real[:half])
    distance, index = search.kneighbors(fake)
    held_out = search.kneighbors(real[half:])[0][:, 0]
    threshold = float(np.quantile(held_out, 0.1, method="inverted_cdf"))
    test = scipy.stats.mannwhitneyu(distance[:, 0], held_out, use_continuity=False, method="asymptotic")
    sign = np.sign(test.statistic - len(fake) * len(held_out) / 2)
    return {
        "distance": distance.tolist(),
        # Which of several equal neighbours comes first is the search's choice: only the unambiguous are compared.
        "index": [int(i[0]) if d[0] < d[1] else None for d, i in zip(distance, index)],
        "threshold": threshold,
        "share": float((distance[:, 0] <= threshold).mean()),
        "held_out_share": float((held_out <= threshold).mean()),
        "z": float(sign * scipy.stats.norm.isf(test.pvalue / 2)),
    }


def main():
    out = {
        name: {
            "frechet": frechet(*pair),
            "kernel": kernel(*pair),
            "manifold": manifold(*pair),
            "diversity": diversity(*pair),
            "neighbours": neighbours(*pair),
        }
        for name, pair in sets().items()
    }
    first_row = {f"{name}_first_row": pair[1][0].tolist() for name, pair in sets().items()}
    student = {str(df): float(scipy.stats.t.ppf(0.975, df)) for df in (9, 19, 49)}
    out |= {**first_row, "classes": class_scores(), "student": student}
    print("{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in out.items()) + "}")


if __name__ == "__main__":
    main()
