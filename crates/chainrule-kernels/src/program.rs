//! A fused group of elementwise instructions.
