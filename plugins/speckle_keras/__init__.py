"""The paper's network in Keras."""
