//! Data sets: where examples come from and how they become batches.
