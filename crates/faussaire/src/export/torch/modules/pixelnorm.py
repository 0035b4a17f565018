class PixelNorm(nn.Module):
    """Every pixel over the root of its channels' mean square (Karras et al. 2018)."""

    def __init__(self, eps):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return x * (x.square().mean(1, keepdim=True) + self.eps).rsqrt()
