class MinibatchStd(nn.Module):
    """One channel more: the mean deviation within groups of images that follow each other (Karras et al. 2018)."""

    def __init__(self, group, eps):
        super().__init__()
        self.group, self.eps = group, eps

    def forward(self, x):
        groups = max(len(x) // self.group, 1)
        sizes = [self.group] * (groups - 1)
        parts = x.split(sizes + [len(x) - sum(sizes)])  # what is left over joins the last group
        deviations = [(part.var(0, unbiased=False) + self.eps).sqrt().mean() for part in parts]
        channel = torch.cat([d.expand(len(p), 1, *x.shape[2:]) for d, p in zip(deviations, parts)])
        return torch.cat([x, channel], dim=1)
