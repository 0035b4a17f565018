"""Exported nets in other people's programs: onnxruntime and PyTorch against Faussaire's own results.

    FAUSSAIRE_TRIALS=FOLDER cargo test --release --workspace --lib -- --ignored files_for_other_programs
    python check.py FOLDER

Each folder there holds one recipe's nets in every format, and in trial.json inputs with what our nets make of them. Prints
the largest difference per net; exits with 1 where one is above 1e-5 (of the largest result, where that is above 1). PyTorch
and onnxruntime may live in different environments: what can't be imported is left out, and said to be.
"""

import importlib.util
import json
import os
import sys

import numpy as np

try:
    import onnx
    import onnxruntime
except ImportError:
    onnx = onnxruntime = None
try:
    import torch
    from PIL import Image
    from safetensors.torch import load_file
except ImportError:
    torch = None

TOLERANCE = 1e-5
worst = {}


def note(case, what, ours, theirs):
    """Keeps the largest difference; `True` where it is accepted."""
    size = max(1.0, float(np.abs(ours).max()))
    apart = float(np.abs(ours - theirs).max()) / size if ours.shape == theirs.shape else float("inf")
    worst.setdefault(case, {})[what] = apart
    return apart <= TOLERANCE


def images_first(x):
    return x.transpose(0, 3, 1, 2) if x.ndim == 4 else x


def with_onnxruntime(folder, case, name, trial, bounds):
    ok = True
    low, high = bounds
    n, labels = trial["n"], trial["labels"]
    x = np.array(trial["input"], np.float32).reshape(n, *trial["input_shape"])
    wanted = np.array(trial["output"], np.float32).reshape(n, *trial["output_shape"])
    first = "latent" if name == "generator" else "images"
    for variant in ("", "-uint8"):
        path = os.path.join(folder, f"{name}{variant}.onnx")
        if not os.path.exists(path):
            continue
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        given, expected = x, wanted
        if variant and name == "discriminator":
            given = np.round((x - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
            given = images_first(given)
        # The batch is open; only a discriminator may mix its images, so that fewer give other scores.
        for part in [n, 2] if name == "generator" and not variant else [n]:
            feed = {first: given[:part]}
            if labels:
                feed["labels"] = np.array(labels, np.float32).reshape(n, -1)[:part]
            (made,) = session.run(None, feed)
            if variant and name == "generator":
                exact = (images_first(wanted) - low) / (high - low) * 255
                beyond = np.maximum(np.abs(exact.clip(0, 255) - made.astype(np.float64)) - 0.5, 0) / 255
                ok &= note(case, f"onnx {name} uint8", np.zeros_like(beyond), beyond) and made.dtype == np.uint8
            elif variant:
                # Rounded images are others, so the file is held to itself: the float one on the rounded images.
                back = given.transpose(0, 2, 3, 1).astype(np.float32) * ((high - low) / 255) + low
                feed["images"] = back
                (expected,) = onnxruntime.InferenceSession(os.path.join(folder, f"{name}.onnx")).run(None, feed)
                ok &= note(case, f"onnx {name} uint8", expected, made)
            else:
                ok &= note(case, f"onnx {name} n={part}", expected[:part], made)
    return ok


def with_torch(folder, case, trials):
    spec = importlib.util.spec_from_file_location(f"nets_{len(worst)}", os.path.join(folder, "nets.py"))
    nets_py = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(nets_py)
    nets = nets_py.load()
    ok = True
    for name, net in nets.items():
        trial = trials[name]
        x = np.array(trial["input"], np.float32).reshape(trial["n"], *trial["input_shape"])
        wanted = images_first(np.array(trial["output"], np.float32).reshape(trial["n"], *trial["output_shape"]))
        arguments = [torch.from_numpy(np.ascontiguousarray(images_first(x)))]
        if trial["labels"]:
            arguments.append(torch.tensor(trial["labels"]).view(trial["n"], -1))
        with torch.no_grad():
            ok &= note(case, f"torch {name}", wanted, net(*arguments).numpy())
    saved = os.path.join(folder, "saved.safetensors")
    nets_py.save(saved, nets)
    again, first = load_file(saved), load_file(nets_py.WEIGHTS)
    same = again.keys() == first.keys() and all(torch.equal(again[k], first[k]) for k in first)
    if not same:
        print(f"{case}: what save() wrote is not what load() read")
    return ok and same and picture(folder, case, nets_py)


def picture(folder, case, nets_py):
    """Whether the picture that the file draws has the generator's values, image by image."""
    with torch.no_grad():
        n, made = 5, nets_py.load()["generator"](*nets_py.latents(5))
    if made.dim() != 4 or made.shape[1] not in (1, 3):
        return True
    path = os.path.join(folder, "nets.png")
    nets_py.png(path, made, 3)
    low, high = nets_py.BOUNDS
    wanted = ((made - low) / (high - low) * 255).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    sheet = np.asarray(Image.open(path), np.float32)
    _, h, w, c = wanted.shape
    sheet = sheet.reshape(2, h, 3, w, c).transpose(0, 2, 1, 3, 4).reshape(6, h, w, c)
    same = np.array_equal(sheet[:n], wanted) and not sheet[n:].any()
    if not same:
        print(f"{case}: the picture is not what the generator made")
    return same


def main():
    root = sys.argv[1]
    for what, module in (("onnxruntime", onnxruntime), ("PyTorch", torch)):
        print(f"{what} {module.__version__}" if module else f"{what} is not here: left out")
    ok = True
    for case in sorted(os.listdir(root)):
        folder = os.path.join(root, case)
        with open(os.path.join(folder, "trial.json")) as file:
            trials = json.load(file)
        if onnxruntime:
            for name in ("generator", "discriminator"):
                ok &= with_onnxruntime(folder, case, name, trials[name], trials["bounds"])
        if torch:
            ok &= with_torch(folder, case, trials)
        figures = ", ".join(f"{what} {apart:.1e}" for what, apart in worst[case].items())
        print(f"{case}: {figures}")
    largest = max(apart for case in worst.values() for apart in case.values())
    print(f"largest of {sum(map(len, worst.values()))} differences: {largest:.1e}; accepted: {TOLERANCE:.0e}")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
