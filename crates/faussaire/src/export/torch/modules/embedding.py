class Embedding(nn.Module):
    """The sum of the holding labels' rows, behind the channels there are."""

    def __init__(self, *shape):
        super().__init__()
        self.table = nn.Parameter(torch.randn(*shape) * 0.05)

    def forward(self, x, labels):
        return torch.cat([x, torch.tensordot(labels, self.table, 1)], dim=1)
