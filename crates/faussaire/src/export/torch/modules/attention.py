class Attention(nn.Module):
    """Every pixel sees every other (SAGAN, Zhang et al. 2019)."""

    def __init__(self, channels, narrow, wide):
        super().__init__()
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, wide, 1, bias=False)
        self.output = nn.Conv2d(wide, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        n, _, h, w = x.shape
        query, key, value = (f(x).flatten(2) for f in (self.query, self.key, self.value))
        shares = torch.softmax(query.transpose(1, 2) @ key, dim=2)
        seen = value @ shares.transpose(1, 2)
        return x + self.gamma * self.output(seen.view(n, -1, h, w))
