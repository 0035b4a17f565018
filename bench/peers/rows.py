"""What is measured: a row for every way to run the same net. And the goals: which rows are to be how far apart."""

from dataclasses import dataclass, field

from machine import has_bf16

HELD_TO_AVX2 = {
    "torch": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "faussaire": {"FAUSSAIRE_ISA": "avx2"},
}


@dataclass(frozen=True)
class Row:
    """One way to run one net, and the words for it."""

    net: str
    way: str  # `net/way` is what --rows matches
    how: str  # for the table
    peer: str  # whose Python runs `PEER_train.py` or `PEER_sample.py`
    flags: tuple = ()
    precision: str = "f32"
    avx2: bool = False
    one_thread: bool = False
    sampling: bool = False
    beside: str = ""  # the way of ours that it is compared with

    @property
    def name(self):
        return f"{self.net}/{self.way}"

    @property
    def script(self):
        return f"{self.peer}_{'sample' if self.sampling else 'train'}.py"

    def options(self, settings):
        """What its script is told; `settings` is the command line's."""
        amount = ("images", "sample_images") if self.sampling else ("seconds", "seconds")
        options = ["--net", self.net, f"--{amount[0]}", str(getattr(settings, amount[1]))]
        options += ["--threads", "1" if self.one_thread else str(settings.threads), "--precision", self.precision]
        if not self.sampling:
            options += ["--batch", str(settings.batch)]
        if self.peer == "faussaire":
            options += ["--faussaire", str(settings.faussaire)]
            options += [word for change in settings.set if not self.sampling for word in ("--set", change)]
        return [*options, *self.flags]

    def environment(self):
        return HELD_TO_AVX2[self.peer] if self.avx2 else {}

    def obstacle(self, machine):
        """Why this machine can't run it, or nothing."""
        ours = self.peer == "faussaire"
        if self.precision != "f32" and not has_bf16(machine):
            return "auto is f32 on this machine" if ours else "this machine has no bf16 of AMX or AVX-512"
        if self.avx2 and "avx512f" not in machine["instruction_sets"]:
            return "this machine has no more than AVX2 anyway: the rows without the limit say it"
        return None


CL, COMPILED, BF16 = "--channels-last", "--compile", {"precision": "bf16", "beside": "faussaire-auto"}
F32, AVX2, SAMPLE = {"beside": "faussaire-f32"}, {"avx2": True}, {"sampling": True}


def training(net):
    """The alternating step, in the order of a round."""
    return [
        Row(net, "keras", "as the course runs it", "keras", **F32),
        Row(net, "keras-xla", "XLA", "keras", (COMPILED,), **F32),
        Row(net, "keras-bf16", "mixed_bfloat16", "keras", **BF16),
        Row(net, "keras-bf16-xla", "mixed_bfloat16, XLA", "keras", (COMPILED,), **BF16),
        Row(net, "torch", "default", "torch", **F32),
        Row(net, "torch-cl", "channels_last", "torch", (CL,), **F32),
        Row(net, "torch-cl-compiled", "channels_last, compiled", "torch", (CL, COMPILED), **F32),
        Row(net, "torch-cl-bf16", "channels_last, bf16 autocast", "torch", (CL,), **BF16),
        Row(net, "torch-cl-bf16-compiled", "channels_last, bf16 autocast, compiled", "torch", (CL, COMPILED), **BF16),
        Row(net, "torch-avx2", "held to AVX2", "torch", beside="faussaire-avx2", **AVX2),
        Row(net, "torch-cl-avx2", "channels_last, held to AVX2", "torch", (CL,), beside="faussaire-avx2", **AVX2),
        Row(net, "faussaire-f32", "", "faussaire"),
        Row(net, "faussaire-f32-1-thread", "1 thread", "faussaire", one_thread=True),
        Row(net, "faussaire-auto", "", "faussaire", precision="auto"),
        Row(net, "faussaire-auto-1-thread", "1 thread", "faussaire", precision="auto", one_thread=True),
        Row(net, "faussaire-avx2", "held to AVX2", "faussaire", **AVX2),
    ]


def sampling(net):
    """Images from the generator alone."""
    f32, bf16 = {"beside": "sample-faussaire-f32"}, {"precision": "bf16", "beside": "sample-faussaire-auto"}
    return [
        Row(net, "sample-torch-cl", "sampling, channels_last", "torch", (CL,), **f32, **SAMPLE),
        Row(net, "sample-torch-cl-compiled", "sampling, channels_last, compiled", "torch", (CL, COMPILED),
            **f32, **SAMPLE),
        Row(net, "sample-torch-cl-bf16", "sampling, channels_last, bf16 autocast", "torch", (CL,), **bf16, **SAMPLE),
        Row(net, "sample-torch-cl-bf16-compiled", "sampling, channels_last, bf16 autocast, compiled", "torch",
            (CL, COMPILED), **bf16, **SAMPLE),
        Row(net, "sample-faussaire-f32", "sampling", "faussaire", **SAMPLE),
        Row(net, "sample-faussaire-auto", "sampling", "faussaire", precision="auto", **SAMPLE),
    ]  # fmt: skip


def rows():
    return [*training("fidle"), *training("tp"), *sampling("tp")]


@dataclass(frozen=True)
class Goal:
    """`ours` over the fastest of `peers`, in images per second; without peers, the memory of `ours`."""

    what: str
    ours: str
    goal: float | None
    stretch: float | None = None
    peers: list = field(default_factory=list)


def goals(machine):
    """The goals in terms of the rows that this machine has: without bf16 `auto` is f32, without AVX-512 all is AVX2."""
    auto = "auto" if has_bf16(machine) else "f32"
    held = "-avx2" if "avx512f" in machine["instruction_sets"] else ""
    found = []
    for net, bf16, f32, keras in (("fidle", (3, 4), (1.9, None), (12, 16)), ("tp", (2.5, 3.5), (1.25, None), (6, 9))):

        def add(what, ours, wanted, *peers, net=net):
            named = [f"{net}/{peer}" for peer in peers]
            found.append(Goal(f"{net}, {what}", f"{net}/faussaire-{ours}", *wanted, named))

        best = ("keras", "keras-xla", "torch", "torch-cl", "torch-cl-compiled")
        add("bf16 against PyTorch channels_last + bf16 autocast", "auto", bf16, "torch-cl-bf16")
        add("bf16 against the best bf16 peer (no goal of its own)", "auto", (None, None),
            "keras-bf16", "keras-bf16-xla", "torch-cl-bf16", "torch-cl-bf16-compiled")  # fmt: skip
        add("f32 against the best f32 peer", "f32", f32, *best)
        add(f"{auto} against Keras as the course runs it", auto, keras, "keras")
        add("AVX2 only, against the best PyTorch", "avx2" if held else "f32", (1.5, 2),
            f"torch{held}", f"torch-cl{held}")  # fmt: skip
        for precision in dict.fromkeys(("f32", auto)):
            add(f"{precision}, against 1 thread", precision, (1.8, 1.95), f"faussaire-{precision}-1-thread")
    torch = [f"tp/sample-torch-{way}" for way in ("cl", "cl-compiled", "cl-bf16", "cl-bf16-compiled")]
    what = f"sampling with tp, {auto}, against PyTorch's best"
    found.append(Goal(what, f"tp/sample-faussaire-{auto}", 2.5, 4, torch))
    for precision in dict.fromkeys(("f32", auto)):
        found.append(Goal(f"peak memory of tp, {precision}, MB", f"tp/faussaire-{precision}", 400, 250))
    return found
