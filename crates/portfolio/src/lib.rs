//! Weights of strategies, and whether a move pays for itself.
