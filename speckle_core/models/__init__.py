"""Trained models: train, save, load, convert and evaluate them."""
