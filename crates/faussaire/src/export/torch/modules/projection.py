class Projection(nn.Module):
    """A score plus the inner product of features and labels (Miyato & Koyama 2018)."""

    def __init__(self, features, labels):
        super().__init__()
        self.score = nn.Linear(features, 1)
        self.table = nn.Parameter(torch.randn(labels, features) * 0.05)

    def forward(self, x, labels):
        return self.score(x) + (x * (labels @ self.table)).sum(1, keepdim=True)
