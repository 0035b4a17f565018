//! The parts of a data set.

/// Which part of a set to open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// The images to learn from.
    #[default]
    Train,
    /// The images held back.
    Test,
}

impl Split {
    /// How MNIST's files begin.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "t10k",
        }
    }
}
