"""To PyTorch: the code and the weights that the export to safetensors writes, as a module."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Model


def to_torch(model: Model) -> Any:
    """The same net as a `torch.nn.Module` in evaluation mode. It takes and gives images `[n, channels, height, width]`."""
    from .exports import export_model

    kind = "generator" if len(model._makes) == 3 else "discriminator"
    with tempfile.TemporaryDirectory() as folder:
        export_model(
            model, os.path.join(folder, "net.safetensors"), net="generator" if kind == "generator" else "discriminator"
        )
        spec = importlib.util.spec_from_file_location(f"faussaire_{kind}", os.path.join(folder, "net.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.load()[kind]
